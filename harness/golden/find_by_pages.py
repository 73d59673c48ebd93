"""Find what was changed by looking at the pages that were changed, and at no others.

They are counted first, a few neighbours together: where they hold as many rows in place as the
shadow has for them, none is gone. So only where rows were updated or deleted is anything looked at
row by row.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.golden.anatomy import tids
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
from harness.golden.pages import changed_pages, unfrozen_pages
from harness.postgres.batches import batches
from harness.postgres.connection import load_sql
from harness.postgres.rendering import joined, rendered, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from psycopg import sql

    from harness.golden.baseline import Baseline
    from harness.golden.pages import Stretch
    from harness.golden.survey import Marks, Suspect
    from harness.postgres.connection import Connection

_IN_PAGES = load_sql(__package__, "find_in_pages.sql")
_GONE = load_sql(__package__, "find_gone.sql")
_TABLES_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is on a stretch of changed pages.

    Args:
        stretch: Which they are.
        fresh: Places of the rows that were written since.
        kept: How many others there are.
        expected: How many of these the golden copy has there.
        foreign: How many rows of the shadow for these pages it was not filled with.
    """

    stretch: Stretch
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
    for suspect in _with_written_shadow(connection, suspected, marks):
        refuse_bent(suspect, is_whole(connection, suspect))
    pages = {suspect.state.oid: suspect.pages for suspect in suspected}
    seen = _look_at(connection, suspected, pages, baseline)
    lacking = {
        name: [part.stretch for part in table if part.kept < part.expected]
        for name, table in seen.items()
    }
    gone = _gone(
        connection,
        [suspect for suspect in suspected if lacking[suspect.state.name]],
        lacking,
        baseline,
    )
    for suspect in suspected:
        name = suspect.state.name
        found = Found(suspect, _fresh(seen[name]), gone.get(name, []))
        refuse_bent(suspect, _adds_up(seen[name], found))
        yield found


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
    pages = changed_pages(connection, marks, [suspect.state.oid for suspect in suspected])
    seen = _look_at(connection, suspected, pages, baseline)
    for found in before:
        now = seen[found.suspect.state.name]
        refuse_lost(found, _adds_up(now, found))
        yield Found(found.suspect, _fresh(now), found.gone)


def _fresh(seen: Iterable[_Seen]) -> list[str]:
    return [place for part in seen for place in part.fresh]


def _adds_up(seen: Sequence[_Seen], found: Found) -> bool:
    """Whether the pages hold what is golden there but for what is gone, and what is fresh."""
    lacking = [part.expected - part.kept for part in seen]
    is_own = not any(part.foreign for part in seen)
    return is_own and min(lacking, default=0) >= 0 and sum(lacking) == len(found.gone)


def _look_at(
    connection: Connection,
    suspected: Sequence[Suspect],
    pages: Mapping[int, Sequence[Stretch]],
    baseline: Baseline,
) -> dict[str, list[_Seen]]:
    seen: dict[str, list[_Seen]] = {suspect.state.name: [] for suspect in suspected}
    asked = {suspect.state.name: pages.get(suspect.state.oid, ()) for suspect in suspected}
    brought = {suspect.state.name: _moved_to_pages(suspect) for suspect in suspected}
    for some in batches(suspected, _TABLES_AT_ONCE):
        parts = (_in(_IN_PAGES, suspect, asked[suspect.state.name], baseline) for suspect in some)
        for name, number, fresh, kept, expected, foreign in _of_each(connection, parts):
            stretch = asked[name][number - 1]
            moved = _within(stretch, brought[name])
            seen[name].append(_Seen(stretch, fresh, kept, expected + moved, foreign))
    return seen


def _moved_to_pages(suspect: Suspect) -> list[int]:
    """The page of each row that an earlier reset has put elsewhere, in ascending order."""
    return sorted(int(place[1 : place.index(",")]) for place in suspect.before.moved.values())


def _within(stretch: Stretch, pages: Sequence[int]) -> int:
    return bisect_left(pages, stretch.beyond) - bisect_left(pages, stretch.first)


def _gone(
    connection: Connection,
    suspected: Sequence[Suspect],
    pages: Mapping[str, Sequence[Stretch]],
    baseline: Baseline,
) -> dict[str, list[str]]:
    """Places, in the shadow, of the rows that are not on these pages any more."""
    gone: dict[str, list[str]] = {}
    for some in batches(suspected, _TABLES_AT_ONCE):
        parts = (_in(_GONE, suspect, pages[suspect.state.name], baseline) for suspect in some)
        for name, source in _of_each(connection, parts):
            gone.setdefault(name, []).append(source)
    return gone


def _with_written_shadow(
    connection: Connection, suspected: Sequence[Suspect], marks: Marks
) -> list[Suspect]:
    """Tables whose shadow may have been written: nobody does, so no page of it ever changes."""
    shadows = [suspect.state.shadow_oid for suspect in suspected]
    unfrozen = unfrozen_pages(connection, marks, shadows)
    return [
        suspect
        for suspect in suspected
        if suspect.state.shadow_vacuums != suspect.before.shadow_vacuums
        or unfrozen.get(suspect.state.shadow_oid, 0) != suspect.before.shadow_unfrozen
    ]


def _in(
    template: sql.SQL, suspect: Suspect, pages: Sequence[Stretch], baseline: Baseline
) -> sql.SQL:
    return rendered(
        template,
        name=text(suspect.state.name),
        first=tids(f"({stretch.first},0)" for stretch in pages),
        beyond=tids(f"({stretch.beyond},0)" for stretch in pages),
        fresh=fresh_in(suspect, baseline),
        table=table_of(suspect),
        shadow=shadow_of(suspect),
        filler=filler_of(suspect),
        **moved_in(suspect),
    )


def _of_each(connection: Connection, parts: Iterable[sql.SQL]) -> list[tuple[Any, ...]]:
    return connection.execute(joined(" UNION ALL ", parts)).fetchall()
