"""Find what was changed by looking at the pages that were changed, and at no others.

What is asked first costs little and is enough where rows were only inserted: as many rows in place
as the shadow has for these pages, so none is gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from psycopg import sql

from harness.golden.anatomy import SHADOW
from harness.golden.found import (
    Found,
    filler_of,
    fresh_in,
    is_whole,
    moved_in,
    refuse_bent,
    refuse_lost,
    shadow_of,
    table_of,
)
from harness.golden.survey import unfrozen_pages
from harness.postgres.batches import batches
from harness.postgres.connection import load_sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from harness.golden.baseline import Baseline
    from harness.golden.survey import Marks, Suspect
    from harness.postgres.connection import Connection

    # First page, and the page after the last.
    _Range = tuple[int, int]

_IN_PAGES = load_sql(__package__, "find_in_pages.sql")
# In the list of a SELECT a function's rows pass one by one; in FROM they would all be stored first.
_PAGES = sql.SQL(
    "SELECT oid, (page).blkno FROM ("
    "SELECT oid::bigint, {map}(oid::regclass) AS page FROM pg_catalog.pg_class WHERE oid = ANY (%s)"
    ") AS every WHERE NOT (page).all_frozen ORDER BY 1, 2"
)
_ROWS = sql.SQL(
    "SELECT {name}, coalesce(array_agg(place::text) FILTER (WHERE is_fresh), '{{}}'),"
    " count(*) FILTER (WHERE NOT is_fresh) FROM ({here}) AS here"
)
_GOLDEN_ROWS = sql.SQL(
    "SELECT {name}, count(*), count(*) FILTER (WHERE xmin <> {filler})"
    " FROM {shadow} AS shadow WHERE ({expected}) AND ctid <> ALL ({moved_from}::tid[])"
)
_HERE = sql.SQL("SELECT ctid AS place, {fresh} AS is_fresh FROM ONLY {table}")
_NO_ROW = "SELECT NULL::tid AS place, false AS is_fresh WHERE false"
_TABLES_AT_ONCE = 50
# Each range is a part of one statement, and planned. Pages between two that were changed cost less.
_MOST_RANGES = 32
_NOT_WORTH_A_RANGE = 4


@dataclass(frozen=True, slots=True)
class _Glance:
    """How many rows are on the changed pages of one table.

    Args:
        fresh: Places of those that were written since.
        kept: How many others there are.
        expected: How many the shadow has for these pages.
        foreign: How many of these it was not filled with.
    """

    fresh: list[str]
    kept: int
    expected: int
    foreign: int


def find_by_pages(
    connection: Connection, suspected: Sequence[Suspect], marks: Marks, baseline: Baseline
) -> Iterator[Found]:
    """Look at the changed pages of these tables.

    Raises:
        DoubtError: A shadow does not hold what it should.
    """
    if not suspected:
        return
    pages = _changed_pages(connection, suspected, marks)
    for suspect in _with_written_shadow(connection, suspected, marks):
        refuse_bent(suspect, is_whole(connection, suspect))
    closer = []
    glances = _glance(connection, suspected, pages, baseline)
    for suspect in suspected:
        seen = glances[suspect.state.name]
        refuse_bent(suspect, seen.kept <= seen.expected and not seen.foreign)
        if seen.kept < seen.expected:
            closer.append(suspect)
        else:
            yield Found(suspect, seen.fresh, [])
    yield from _look_closer(connection, closer, pages, baseline)


def find_again_by_pages(
    connection: Connection, before: Sequence[Found], marks: Marks, baseline: Baseline
) -> Iterator[Found]:
    """Look at them once more, after rows were put back.

    Raises:
        DoubtError: A row that was in its place is not there any more.
    """
    suspected = [found.suspect for found in before]
    if not suspected:
        return
    pages = _changed_pages(connection, suspected, marks)
    glances = _glance(connection, suspected, pages, baseline)
    for found in before:
        seen = glances[found.suspect.state.name]
        refuse_lost(found, seen.kept + len(found.gone) == seen.expected and not seen.foreign)
        yield Found(found.suspect, seen.fresh, found.gone)


def ranges(pages: Sequence[int]) -> list[_Range]:
    """Few ranges of pages, the end not included, that cover all of these (in ascending order)."""
    if not pages:
        return []
    gaps = sorted(
        (later - earlier, later)
        for earlier, later in pairwise(pages)
        if later - earlier > _NOT_WORTH_A_RANGE
    )
    starts = sorted({pages[0], *(later for _gap, later in gaps[1 - _MOST_RANGES :])})
    ends = [max(page for page in pages if page < start) for start in starts[1:]] + [pages[-1]]
    return [(start, end + 1) for start, end in zip(starts, ends, strict=True)]


def _glance(
    connection: Connection,
    suspected: Sequence[Suspect],
    pages: Mapping[int, Sequence[_Range]],
    baseline: Baseline,
) -> dict[str, _Glance]:
    seen: dict[str, _Glance] = {}
    for some in batches(suspected, _TABLES_AT_ONCE):
        rows = [
            _ROWS.format(name=sql.Literal(suspect.state.name), here=_here(suspect, pages, baseline))
            for suspect in some
        ]
        golden = [
            _GOLDEN_ROWS.format(
                name=sql.Literal(suspect.state.name),
                filler=filler_of(suspect),
                shadow=shadow_of(suspect),
                expected=_expected(suspect, pages),
                moved_from=moved_in(suspect)["moved_from"],
            )
            for suspect in some
        ]
        moved = {suspect.state.name: len(suspect.before.moved) for suspect in some}
        expected = {
            name: (count + moved[name], foreign)
            for name, count, foreign in connection.execute(_of_each(golden))
        }
        seen |= {
            name: _Glance(fresh, kept, *expected[name])
            for name, fresh, kept in connection.execute(_of_each(rows))
        }
    return seen


def _look_closer(
    connection: Connection,
    suspected: Sequence[Suspect],
    pages: Mapping[int, Sequence[_Range]],
    baseline: Baseline,
) -> Iterator[Found]:
    with connection.pipeline():
        answers = [connection.execute(_in_pages(suspect, pages, baseline)) for suspect in suspected]
    for suspect, answer in zip(suspected, answers, strict=True):
        fresh, gone, kept, expected, foreign = answer.fetchone() or ([], [], 0, 0, 1)
        refuse_bent(suspect, kept == expected - len(gone) and not foreign)
        yield Found(suspect, fresh, gone)


def _changed_pages(
    connection: Connection, suspected: Sequence[Suspect], marks: Marks
) -> dict[int, list[_Range]]:
    query = _PAGES.format(map=sql.Identifier(marks.visibility or "", "pg_visibility_map"))
    pages: dict[int, list[int]] = {suspect.state.oid: [] for suspect in suspected}
    for oid, page in connection.execute(query, (list(pages),)):
        pages[oid].append(page)
    return {oid: ranges(changed) for oid, changed in pages.items()}


def _with_written_shadow(
    connection: Connection, suspected: Sequence[Suspect], marks: Marks
) -> list[Suspect]:
    """Tables whose shadow may have been written: nobody does, so no page of it ever changes."""
    names = [suspect.state.name for suspect in suspected]
    unfrozen = unfrozen_pages(connection, marks, SHADOW, names)
    return [
        suspect
        for suspect in suspected
        if suspect.state.shadow_vacuums != suspect.before.shadow_vacuums
        or unfrozen.get(suspect.state.name, 0) != suspect.before.shadow_unfrozen
    ]


def _in_pages(
    suspect: Suspect, pages: Mapping[int, Sequence[_Range]], baseline: Baseline
) -> sql.Composed:
    return _IN_PAGES.format(
        here=_here(suspect, pages, baseline),
        expected=_expected(suspect, pages),
        shadow=shadow_of(suspect),
        filler=filler_of(suspect),
        **moved_in(suspect),
    )


def _here(suspect: Suspect, pages: Mapping[int, Sequence[_Range]], baseline: Baseline) -> sql.SQL:
    # Rendered once: a part for each range, composed of its parts, takes as long as to be run.
    rows = _HERE.format(fresh=fresh_in(suspect, baseline), table=table_of(suspect)).as_string()
    parts = (f"{rows} WHERE {within}" for within in _within("ctid", pages[suspect.state.oid]))
    return sql.SQL(" UNION ALL ".join([_NO_ROW, *parts]))


def _expected(suspect: Suspect, pages: Mapping[int, Sequence[_Range]]) -> sql.SQL:
    parts = _within("shadow._place", pages[suspect.state.oid])
    return sql.SQL(" OR ".join(["false", *parts]))


def _within(place: str, pages: Sequence[_Range]) -> Iterator[str]:
    for start, end in pages:
        yield f"({place} >= '({start},0)'::tid AND {place} < '({end},0)'::tid)"


def _of_each(parts: Iterable[sql.Composed]) -> sql.Composed:
    return sql.SQL(" UNION ALL ").join(parts)
