"""Manifests as text with gaps, so that what is applied has comments for whoever reads it."""

from __future__ import annotations

import re
from importlib import resources
from string import Template
from textwrap import indent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_PART = re.compile(r"^( *)# with (\S+\.part\.yaml)\n", re.MULTILINE)
"""Where a part that several manifests share is put, as far to the right as this line begins."""


def filled(name: str, values: Mapping[str, str]) -> str:
    """A manifest of this package, with its parts put in and every gap filled."""
    text = _PART.sub(lambda found: indent(_text(found[2]), found[1]), _text(name))
    return Template(text).substitute(values)


def _text(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")
