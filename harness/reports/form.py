"""The forms of a report, and how the name of a file asks for one."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

_SUFFIXES = {"": "text", ".txt": "text", ".json": "json", ".html": "html"}


class Form(StrEnum):
    """The forms of a report."""

    text = "text"
    json = "json"
    html = "html"

    @classmethod
    def of(cls, path: Path) -> Form:
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
