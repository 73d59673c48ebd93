"""In a table that may have been written: which of its rows are fresh, and which golden ones gone.

Both are told by place (`ctid`), as text. A fresh row was written since the baseline; a row of the
shadow is gone where the table does not hold it in its place any more. What belongs together is for
`match` to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from harness.golden.doubt import DoubtError
from harness.golden.find_by_pages import find_again_by_pages, find_by_pages
from harness.golden.found import (
    Found,
    filler_of,
    fresh_in,
    moved_in,
    refuse_bent,
    refuse_lost,
    shadow_of,
    table_of,
)
from harness.postgres.batches import batches
from harness.postgres.connection import load_sql
from harness.postgres.rendering import joined, rendered, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.golden.baseline import Baseline
    from harness.golden.survey import Marks, Suspect
    from harness.postgres.connection import Connection

_IN_TABLE = load_sql(__package__, "find_in_table.sql")
_COUNT = sql.SQL(
    "SELECT {name}, count(*) FILTER (WHERE NOT ({fresh})), count(*) FILTER (WHERE {fresh})"
    " FROM ONLY {table}"
)
_COUNTED_AT_ONCE = 50
_FRESH = sql.SQL("SELECT ctid::text FROM ONLY {table} WHERE {fresh}")


def find(
    connection: Connection,
    suspected: Sequence[Suspect],
    marks: Marks,
    baseline: Baseline,
    most: int,
) -> list[Found]:
    """Look into every table that may have been written; those in which nothing was are left out.

    Args:
        connection: The session; the tables are locked.
        suspected: The tables, and how to look.
        marks: What of the server can be believed.
        baseline: What was.
        most: How many rows may be looked at one by one.

    Raises:
        DoubtError: There are more, or the shadow does not hold what it should.
    """
    by_pages = [suspect for suspect in suspected if suspect.way == "pages"]
    whole = [suspect for suspect in suspected if suspect.way != "pages"]
    found = [
        *find_by_pages(connection, by_pages, marks, baseline),
        *_find_in_tables(connection, whole, baseline, most),
    ]
    number = sum(len(table.fresh) + len(table.gone) for table in found)
    if number > most:
        raise DoubtError(f"{number:,} rows were changed, and a restore is quicker above {most:,}")
    return [table for table in found if not table.is_nothing]


def find_again(
    connection: Connection, before: Sequence[Found], marks: Marks, baseline: Baseline
) -> list[Found]:
    """Look once more, after rows were put back: what was gone then has to be among what is fresh.

    Args:
        connection: The session.
        before: What was found before.
        marks: What of the server can be believed.
        baseline: What was.

    Raises:
        DoubtError: A row that was in its place is not there any more.
    """
    by_pages = [found for found in before if found.suspect.way == "pages"]
    whole = [found for found in before if found.suspect.way != "pages"]
    counted = _count(connection, [found.suspect for found in whole], baseline)
    return [
        *find_again_by_pages(connection, by_pages, marks, baseline),
        *(
            _once_more(connection, found, counted[found.suspect.state.name][0], baseline)
            for found in whole
        ),
    ]


def _once_more(connection: Connection, found: Found, kept: int, baseline: Baseline) -> Found:
    refuse_lost(found, kept + len(found.gone) == found.suspect.before.rows)
    return Found(found.suspect, _fresh_rows(connection, found.suspect, baseline), found.gone)


def _fresh_rows(connection: Connection, suspect: Suspect, baseline: Baseline) -> list[str]:
    query = rendered(_FRESH, table=table_of(suspect), fresh=fresh_in(suspect, baseline))
    return [place for (place,) in connection.execute(query)]


def _find_in_tables(
    connection: Connection, suspected: Sequence[Suspect], baseline: Baseline, most: int
) -> Iterable[Found]:
    counted = _count(connection, suspected, baseline)
    found = []
    for suspect in suspected:
        kept, fresh_rows = counted[suspect.state.name]
        if kept == suspect.before.rows and not fresh_rows:
            continue
        if fresh_rows + suspect.before.rows - kept > most:
            raise DoubtError(
                f"{fresh_rows:,} rows of {suspect.state.name} were written since the checkpoint,"
                f" and a restore is quicker above {most:,}"
            )
        if kept == suspect.before.rows:
            found.append(Found(suspect, _fresh_rows(connection, suspect, baseline), []))
            continue
        rows = connection.execute(_in_table(suspect, baseline)).fetchone()
        places, gone, kept, expected, foreign = rows or ([], [], 0, 0, 1)
        is_whole = expected == suspect.before.rows and not foreign
        refuse_bent(suspect, is_whole and kept == expected - len(gone))
        found.append(Found(suspect, places, gone))
    return found


def _count(
    connection: Connection, suspected: Sequence[Suspect], baseline: Baseline
) -> dict[str, tuple[int, int]]:
    counted: dict[str, tuple[int, int]] = {}
    for some in batches(suspected, _COUNTED_AT_ONCE):
        query = joined(
            " UNION ALL ",
            (
                rendered(
                    _COUNT,
                    name=text(suspect.state.name),
                    fresh=fresh_in(suspect, baseline),
                    table=table_of(suspect),
                )
                for suspect in some
            ),
        )
        counted |= {name: (kept, written) for name, kept, written in connection.execute(query)}
    return counted


def _in_table(suspect: Suspect, baseline: Baseline) -> sql.SQL:
    return rendered(
        _IN_TABLE,
        table=table_of(suspect),
        shadow=shadow_of(suspect),
        fresh=fresh_in(suspect, baseline),
        filler=filler_of(suspect),
        **moved_in(suspect),
    )
