"""In a table that may have been written: which of its rows are fresh, and which golden ones gone.

Both are told by place (`ctid`), as text. A fresh row was written since the baseline; a row of the
shadow is gone where the table does not hold it in its place any more. What belongs together is for
`match` to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from psycopg import sql

from harness.golden.anatomy import SHADOW
from harness.golden.catalogues import fresh
from harness.golden.doubt import DoubtError
from harness.golden.survey import unfrozen_pages
from harness.postgres.connection import load_sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.golden.baseline import Baseline
    from harness.golden.survey import Marks, Suspect
    from harness.postgres.connection import Connection


_IN_PAGES = load_sql(__package__, "find_in_pages.sql")
_IN_TABLE = load_sql(__package__, "find_in_table.sql")
_PAGES = sql.SQL(
    "SELECT class.oid::bigint, map.blkno"
    " FROM pg_catalog.pg_class AS class CROSS JOIN LATERAL {map}(class.oid::regclass) AS map"
    " WHERE class.oid = ANY (%s) AND NOT map.all_frozen ORDER BY 1, 2"
)
_COUNT = sql.SQL(
    "SELECT {name}, count(*) FILTER (WHERE NOT ({fresh})), count(*) FILTER (WHERE {fresh})"
    " FROM ONLY {table}"
)
_COUNTED_AT_ONCE = 50
_SHADOW_COUNT = sql.SQL("SELECT count(*), count(*) FILTER (WHERE xmin = {filler}) FROM {shadow}")
# Each range is a part of one statement, and planned. Pages between two that were changed cost less.
_MOST_RANGES = 32
_NOT_WORTH_A_RANGE = 4
_NO_ROW = sql.SQL("SELECT NULL::tid AS place, false AS is_fresh WHERE false")


@dataclass(frozen=True, slots=True)
class Found:
    """What is to be matched in one table.

    Args:
        suspect: The table.
        fresh: Places of the rows that were written since the baseline.
        gone: Places, in the shadow, of the rows that are not in their place any more.
    """

    suspect: Suspect
    fresh: list[str]
    gone: list[str]

    @property
    def is_nothing(self) -> bool:
        """Whether every row is in its place, and no other is there."""
        return not (self.fresh or self.gone)


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
        *_find_by_pages(connection, by_pages, marks, baseline),
        *_find_in_tables(connection, whole, baseline, most),
    ]
    number = sum(len(table.fresh) + len(table.gone) for table in found)
    if number > most:
        raise DoubtError(f"{number:,} rows were changed, and a restore is quicker above {most:,}")
    return [table for table in found if not table.is_nothing]


def ranges(pages: Sequence[int]) -> list[tuple[int, int]]:
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


def _find_by_pages(
    connection: Connection, suspected: Sequence[Suspect], marks: Marks, baseline: Baseline
) -> Iterable[Found]:
    if not suspected:
        return []
    pages = _changed_pages(connection, suspected, marks)
    written = _written_shadows(connection, suspected, marks)
    with connection.pipeline():
        answers = [
            connection.execute(
                _in_pages(suspect, pages[suspect.state.oid], baseline), _moved(suspect)
            )
            for suspect in suspected
        ]
    found = []
    for suspect, answer in zip(suspected, answers, strict=True):
        fresh_rows, gone, kept, expected, foreign = answer.fetchone() or ([], [], 0, 0, 1)
        _refuse_bent(suspect, kept == expected - len(gone) and not foreign)
        if (fresh_rows or gone) and suspect.state.name in written:
            _refuse_bent(suspect, _is_whole(connection, suspect))
        found.append(Found(suspect, fresh_rows, gone))
    return found


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
        rows = connection.execute(_in_table(suspect, baseline)).fetchone()
        places, gone, kept, expected, foreign = rows or ([], [], 0, 0, 1)
        is_whole = expected == suspect.before.rows and not foreign
        _refuse_bent(suspect, is_whole and kept == expected - len(gone))
        found.append(Found(suspect, places, gone))
    return found


def _changed_pages(
    connection: Connection, suspected: Sequence[Suspect], marks: Marks
) -> dict[int, list[int]]:
    query = _PAGES.format(map=sql.Identifier(marks.visibility or "", "pg_visibility_map"))
    pages: dict[int, list[int]] = {suspect.state.oid: [] for suspect in suspected}
    for oid, page in connection.execute(query, (list(pages),)):
        pages[oid].append(page)
    return pages


def _written_shadows(
    connection: Connection, suspected: Sequence[Suspect], marks: Marks
) -> set[str]:
    """Tables whose shadow may have been written: nobody does, so no page of it ever changes."""
    names = [suspect.state.name for suspect in suspected]
    unfrozen = unfrozen_pages(connection, marks, SHADOW, names)
    return {
        suspect.state.name
        for suspect in suspected
        if suspect.state.shadow_vacuums != suspect.before.shadow_vacuums
        or unfrozen.get(suspect.state.name, 0) != suspect.before.shadow_unfrozen
    }


def _count(
    connection: Connection, suspected: Sequence[Suspect], baseline: Baseline
) -> dict[str, tuple[int, int]]:
    counted: dict[str, tuple[int, int]] = {}
    for start in range(0, len(suspected), _COUNTED_AT_ONCE):
        query = sql.SQL(" UNION ALL ").join(
            _COUNT.format(
                name=sql.Literal(suspect.state.name),
                fresh=_fresh(suspect, baseline),
                table=_table(suspect),
            )
            for suspect in suspected[start : start + _COUNTED_AT_ONCE]
        )
        counted |= {name: (kept, written) for name, kept, written in connection.execute(query)}
    return counted


def _is_whole(connection: Connection, suspect: Suspect) -> bool:
    query = _SHADOW_COUNT.format(filler=_filler(suspect), shadow=_shadow(suspect))
    return connection.execute(query).fetchone() == (suspect.before.rows, suspect.before.rows)


def _refuse_bent(suspect: Suspect, holds: bool) -> None:  # noqa: FBT001  what was asked
    if not holds:
        raise DoubtError(
            f"the shadow of {suspect.state.name} does not hold what it was filled with"
        )


def _in_pages(suspect: Suspect, pages: Sequence[int], baseline: Baseline) -> sql.Composed:
    covered = ranges(pages)
    here = [
        sql.SQL(
            "SELECT ctid AS place, {fresh} AS is_fresh FROM ONLY {table}"
            " WHERE ctid >= {start}::tid AND ctid < {end}::tid"
        ).format(
            fresh=_fresh(suspect, baseline),
            table=_table(suspect),
            start=sql.Literal(f"({start},0)"),
            end=sql.Literal(f"({end},0)"),
        )
        for start, end in covered
    ]
    expected = [
        sql.SQL("shadow._place >= {start}::tid AND shadow._place < {end}::tid").format(
            start=sql.Literal(f"({start},0)"), end=sql.Literal(f"({end},0)")
        )
        for start, end in covered
    ]
    return _IN_PAGES.format(
        here=sql.SQL(" UNION ALL ").join([_NO_ROW, *here]),
        expected=sql.SQL(" OR ").join([sql.SQL("false"), *expected]),
        shadow=_shadow(suspect),
        filler=_filler(suspect),
        **_moved(suspect),
    )


def _in_table(suspect: Suspect, baseline: Baseline) -> sql.Composed:
    return _IN_TABLE.format(
        table=_table(suspect),
        shadow=_shadow(suspect),
        fresh=_fresh(suspect, baseline),
        filler=_filler(suspect),
        **_moved(suspect),
    )


def _fresh(suspect: Suspect, baseline: Baseline) -> sql.Composed:
    if suspect.way == "rewritten":
        return sql.SQL("true").format()
    return fresh(baseline.threshold, baseline.own)


def _moved(suspect: Suspect) -> dict[str, sql.Literal]:
    moved = {} if suspect.way == "rewritten" else suspect.before.moved
    return {
        "moved_from": sql.Literal(list(moved.keys())),
        "moved_to": sql.Literal(list(moved.values())),
    }


def _table(suspect: Suspect) -> sql.Identifier:
    return sql.Identifier("public", suspect.state.name)


def _shadow(suspect: Suspect) -> sql.Identifier:
    return sql.Identifier(SHADOW, suspect.state.name)


def _filler(suspect: Suspect) -> sql.Composed:
    return sql.SQL("{}::xid").format(sql.Literal(str(suspect.before.shadow_filler)))
