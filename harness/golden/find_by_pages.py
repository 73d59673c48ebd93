"""Find what was changed by looking at the pages that were changed, and at no others.

Each of them is counted first: where it holds as many rows in place as the shadow has for it, none
is gone. So only where rows were updated or deleted is anything looked at row by row.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import sql

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

    from harness.golden.baseline import Baseline
    from harness.golden.survey import Marks, Suspect
    from harness.postgres.connection import Connection

_IN_PAGES = load_sql(__package__, "find_in_pages.sql")
_GONE = load_sql(__package__, "find_gone.sql")
_TABLES_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class _Page:
    """What is on one changed page.

    Args:
        number: Which it is.
        fresh: Places of the rows that were written since.
        kept: How many others there are.
        expected: How many of these the golden copy has there.
        foreign: How many rows of the shadow for this page it was not filled with.
    """

    number: int
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
        name: [page.number for page in table if page.kept < page.expected]
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
        pages_now = seen[found.suspect.state.name]
        refuse_lost(found, _adds_up(pages_now, found))
        yield Found(found.suspect, _fresh(pages_now), found.gone)


def _fresh(pages: Iterable[_Page]) -> list[str]:
    return [place for page in pages for place in page.fresh]


def _adds_up(pages: Iterable[_Page], found: Found) -> bool:
    """Whether these pages hold what is golden there but for what is gone, and what is fresh."""
    lacking = [page.expected - page.kept for page in pages]
    is_own = not any(page.foreign for page in pages)
    return is_own and min(lacking, default=0) >= 0 and sum(lacking) == len(found.gone)


def _look_at(
    connection: Connection,
    suspected: Sequence[Suspect],
    pages: Mapping[int, Sequence[int]],
    baseline: Baseline,
) -> dict[str, list[_Page]]:
    seen: dict[str, list[_Page]] = {suspect.state.name: [] for suspect in suspected}
    moved = {suspect.state.name: _moved_to_pages(suspect) for suspect in suspected}
    for some in batches(suspected, _TABLES_AT_ONCE):
        parts = (_in(_IN_PAGES, suspect, pages[suspect.state.oid], baseline) for suspect in some)
        for name, number, fresh, kept, expected, foreign in _of_each(connection, parts):
            brought = moved[name][number]
            seen[name].append(_Page(number, fresh, kept, expected + brought, foreign))
    return seen


def _moved_to_pages(suspect: Suspect) -> Counter[int]:
    """How many rows earlier resets have put on each page."""
    places = suspect.before.moved.values()
    return Counter(int(place[1 : place.index(",")]) for place in places)


def _gone(
    connection: Connection,
    suspected: Sequence[Suspect],
    pages: Mapping[str, Sequence[int]],
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


def _in(template: sql.SQL, suspect: Suspect, pages: Sequence[int], baseline: Baseline) -> sql.SQL:
    return rendered(
        template,
        name=text(suspect.state.name),
        pages=sql.SQL(f"'{{{','.join(map(str, pages))}}}'"),
        fresh=fresh_in(suspect, baseline),
        table=table_of(suspect),
        shadow=shadow_of(suspect),
        filler=filler_of(suspect),
        **moved_in(suspect),
    )


def _of_each(connection: Connection, parts: Iterable[sql.SQL]) -> list[tuple[Any, ...]]:
    return connection.execute(joined(" UNION ALL ", parts)).fetchall()
