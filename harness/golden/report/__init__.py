"""What a rehearsal changed, told: on a terminal, to a program, as a page.

All three are given changes whose secrets are masked already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.golden.report.document import json_text
from harness.golden.report.page import html_text
from harness.golden.report.text import text
from harness.reports.form import Form

if TYPE_CHECKING:
    from harness.golden.changes import Changes

_FORMS = {Form.text: text, Form.json: json_text, Form.html: html_text}


def rendered(changes: Changes, form: Form) -> str:
    """The report in one of its forms."""
    return _FORMS[form](changes)
