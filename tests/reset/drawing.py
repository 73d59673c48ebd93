"""Small helpers for strategies that draw SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from hypothesis import strategies as st
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hypothesis.strategies import DrawFn

T = TypeVar("T")


def chance(draw: DrawFn, percent: int) -> bool:
    """True in so many cases of a hundred; simpler examples have it false."""
    return draw(st.integers(0, 99)) >= 100 - percent


def one_of(draw: DrawFn, *choices: T) -> T:
    """One of these; simpler examples have the first."""
    return draw(st.sampled_from(choices))


def some_of(draw: DrawFn, choices: Sequence[T], *, at_least: int = 0, at_most: int) -> list[T]:
    """Some of these, none twice."""
    return draw(
        st.lists(st.sampled_from(choices), min_size=at_least, max_size=at_most, unique=True)
    )


def name(*parts: str) -> str:
    """A name as SQL writes it."""
    return sql.Identifier(*parts).as_string(None)


def names(columns: Iterable[str]) -> str:
    """A list of names as SQL writes it."""
    return ", ".join(map(name, columns))
