"""What the provisioner's grant of `pg_visibility` shows: which pages of a table were changed.

A page that was changed is not frozen as a whole, and neither is one at the end that holds nothing
yet. That lags behind nothing, but says nothing once a vacuum has passed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.golden.survey import Marks
    from harness.postgres.connection import Connection

# A stretch in which a row is gone is looked at row by row.
_LONGEST_STRETCH = 16
# OFFSET keeps the planner from asking for the pages of a table that has none.
_UNFROZEN = sql.SQL("""
SELECT sized.oid::bigint, sized.pages - summary.all_frozen
FROM (
    SELECT
        oid,
        pg_catalog.pg_relation_size(oid) / pg_catalog.current_setting('block_size')::int AS pages
    FROM unnest(%s::oid[]) AS asked (oid)
    OFFSET 0
) AS sized
CROSS JOIN LATERAL {summary}(sized.oid::regclass) AS summary
WHERE sized.pages > 0 AND summary.all_frozen < sized.pages
OFFSET 0
""")
# In the list of a SELECT a function's rows pass one by one; in FROM they would all be stored first.
_CHANGED = sql.SQL("""
SELECT oid, (page).blkno
FROM (SELECT oid, {map}(oid::regclass) AS page FROM ({unfrozen}) AS unfrozen (oid, pages)) AS every
WHERE NOT (page).all_frozen
""")


class Stretch(NamedTuple):
    """Pages that follow one another: the first, and the one after the last."""

    first: int
    beyond: int


def unfrozen_pages(connection: Connection, marks: Marks, tables: Iterable[int]) -> dict[int, int]:
    """How many pages of each table are not frozen as a whole; tables without any are left out."""
    if marks.visibility is None:
        return {}
    query = _unfrozen(marks.visibility)
    return dict(connection.execute(query, (list(tables),)).fetchall())


def changed_pages(
    connection: Connection, marks: Marks, tables: Iterable[int]
) -> dict[int, list[Stretch]]:
    """Which pages of each table are not frozen as a whole; tables without any are left out."""
    if marks.visibility is None:
        return {}
    query = _CHANGED.format(
        map=sql.Identifier(marks.visibility, "pg_visibility_map"),
        unfrozen=_unfrozen(marks.visibility),
    )
    pages: dict[int, list[int]] = {}
    for table, page in connection.execute(query, (list(tables),)).fetchall():
        pages.setdefault(table, []).append(page)
    return {table: stretches(sorted(changed)) for table, changed in pages.items()}


def stretches(pages: Sequence[int]) -> list[Stretch]:
    """Pages in ascending order as stretches of neighbours, none of them long."""
    found: list[Stretch] = []
    for page in pages:
        if found and found[-1].beyond == page and page - found[-1].first < _LONGEST_STRETCH:
            found[-1] = Stretch(found[-1].first, page + 1)
        else:
            found.append(Stretch(page, page + 1))
    return found


def _unfrozen(schema: str) -> sql.Composed:
    return _UNFROZEN.format(summary=sql.Identifier(schema, "pg_visibility_map_summary"))
