"""Words that reports have in common."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """A number of things, in words."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
