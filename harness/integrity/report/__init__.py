"""What an audit has found: for a terminal, for a program, and for a reviewer to read and print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.integrity.report.page import as_page
from harness.integrity.report.plain import as_json
from harness.integrity.report.text import as_text
from harness.reports.form import Form

if TYPE_CHECKING:
    from harness.integrity.report.model import Report

_FORMS = {Form.text: as_text, Form.json: as_json, Form.html: as_page}


def rendered(report: Report, form: Form) -> str:
    """The report in one of its forms."""
    return _FORMS[form](report)
