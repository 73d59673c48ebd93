"""Runs of neighbours that the changed pages of a table are."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from harness.golden.pages import stretches

PAGES = st.sets(st.integers(0, 200), max_size=150).map(sorted)


@given(PAGES)
def test_every_changed_page_is_in_one_run_and_no_other_page_is(pages: list[int]) -> None:
    assert [page for first, beyond in stretches(pages) for page in range(first, beyond)] == pages


@given(PAGES)
def test_no_run_is_long(pages: list[int]) -> None:
    assert all(1 <= beyond - first <= 16 for first, beyond in stretches(pages))


@given(PAGES)
def test_neighbours_are_apart_only_where_a_run_would_be_long(pages: list[int]) -> None:
    for (first, beyond), (later, _) in pairwise(stretches(pages)):
        assert beyond < later or beyond - first == 16


def test_no_page_is_no_stretch() -> None:
    assert stretches([]) == []
