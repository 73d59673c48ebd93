"""Few ranges that cover the changed pages of a table."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from harness.golden.find_by_pages import ranges

PAGES = st.sets(st.integers(0, 10_000), max_size=300).map(sorted)


@given(PAGES)
def test_every_changed_page_is_covered_by_few_ranges_in_order(pages: list[int]) -> None:
    found = ranges(pages)
    assert len(found) <= 32
    assert all(any(start <= page < end for start, end in found) for page in pages)
    assert all(start < end for start, end in found)
    assert all(end <= start for (_, end), (start, _) in pairwise(found))


@given(PAGES)
def test_no_page_is_read_that_could_have_been_left_out(pages: list[int]) -> None:
    found = ranges(pages)
    if len(found) < 32:
        for start, end in found:
            within = [page for page in pages if start <= page < end]
            assert all(later - earlier <= 4 for earlier, later in pairwise(within))
            assert (within[0], within[-1] + 1) == (start, end)


def test_no_page_gives_no_range() -> None:
    assert ranges([]) == []
