"""A limit and what was measured; and how both are told."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class Verdict:
    """A limit, and what was measured.

    Args:
        what: What is limited.
        value: What was measured.
        limit: The most that is allowed.
        unit: What both are in.
    """

    what: str
    value: float
    limit: float
    unit: str = ""

    @property
    def held(self) -> bool:
        """Whether the limit was held."""
        return self.value <= self.limit

    def __str__(self) -> str:
        held = "held" if self.held else "NOT HELD"
        return (
            f"{self.what} {self.value:.3g}{self.unit} (at most {self.limit:.3g}{self.unit}): {held}"
        )


def seconds(values: Iterable[float]) -> str:
    """The median, and the spread."""
    taken = sorted(values)
    return f"{statistics.median(taken):.2f} s ({taken[0]:.2f} to {taken[-1]:.2f})"


def milliseconds(values: Iterable[float]) -> str:
    """The same in milliseconds."""
    taken = [value * 1e3 for value in sorted(values)]
    return f"{statistics.median(taken):,.1f} ms ({taken[0]:,.1f} to {taken[-1]:,.1f})"


def megabytes(size: float) -> str:
    """A size in decimal megabytes."""
    return f"{size / _MEGABYTE:,.1f} MB"
