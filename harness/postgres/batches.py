"""A few at a time: a statement has its limits, and the lock table of a server is shared."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

T = TypeVar("T")


def batches(items: Sequence[T], at_once: int) -> Iterator[Sequence[T]]:
    """The same items in their order, at most so many at a time."""
    for start in range(0, len(items), at_once):
        yield items[start : start + at_once]
