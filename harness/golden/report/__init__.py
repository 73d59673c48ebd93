"""What a rehearsal changed, told: on a terminal, to a program, as a page.

All three are given changes whose secrets are masked already.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from harness.errors import ConfigurationError
from harness.golden.report.document import json_text
from harness.golden.report.page import html_text
from harness.golden.report.text import text

if TYPE_CHECKING:
    from pathlib import Path

    from harness.golden.changes import Changes

_SUFFIXES = {"": "text", ".txt": "text", ".json": "json", ".html": "html"}


class Format(StrEnum):
    """The forms of a report."""

    text = "text"
    json = "json"
    html = "html"

    @classmethod
    def of(cls, path: Path) -> Format:
        """The form that the name of a file asks for; text where it has no suffix.

        Raises:
            ConfigurationError: It asks for none of these.
        """
        try:
            return cls(_SUFFIXES[path.suffix.lower()])
        except KeyError as error:
            raise ConfigurationError(
                f"the name of {path} does not tell in which form to write the report",
                found=f"the suffix {path.suffix}",
                expected=".txt, .json or .html",
                remedy="give the file another name",
            ) from error

    def render(self, changes: Changes) -> str:
        """The report in this form."""
        forms = {Format.text: text, Format.json: json_text, Format.html: html_text}
        return forms[self](changes)
