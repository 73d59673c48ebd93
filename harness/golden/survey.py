"""What can be seen from outside the tables: which of them may have been written, and how to tell.

Nothing here is decided from counters that may lag: whoever wrote may still be connected and not
have counted yet. Changed pages lag behind nothing, but say nothing once a vacuum has passed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from psycopg.rows import class_row

from harness.errors import FailedError
from harness.golden.doubt import DoubtError
from harness.golden.pages import changed_pages
from harness.postgres.connection import APPLICATION, load_sql

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from harness.golden.baseline import Baseline, TableBaseline
    from harness.golden.pages import Stretch
    from harness.postgres.connection import Connection, Run

Way = Literal["pages", "scan", "rewritten"]

_MARKS = load_sql(__package__, "marks.sql")
_STATE = load_sql(__package__, "state.sql")
# Ages of transaction ids are compared modulo 2^32; a baseline must be younger than half of that.
_OLDEST_BASELINE = 2**31 - 10_000_000
# Before 15 counters came by datagrams, late or never.
_COUNTERS_CAN_BE_BELIEVED = 150000


@dataclass(frozen=True, slots=True)
class Marks:
    """The columns of `marks.sql`.

    Args:
        next: The next transaction that will be given an id; full, of 64 bits.
        server_started: When the server was started.
        statistics_since: When the counters of this database were last set to zero.
        counting: Whether this session counts what it writes.
        not_by_all: Whether a role or a database has a setting of its own about counting.
        others: How many sessions of others are on this database.
        visibility: Schema of pg_visibility's functions, if this role may call them.
    """

    next: int
    server_started: datetime
    statistics_since: datetime | None
    counting: bool
    not_by_all: bool
    others: int
    visibility: str | None


@dataclass(frozen=True, slots=True)
class TableState:
    """The columns of `state.sql`.

    Args:
        name: Its name, in schema public.
        oid: Its OID.
        filenode: Where its rows lie.
        vacuums: How many vacuums it has had.
        written: How many row versions its counters count.
        shadow_oid: The OID of its shadow; 0 where it has none.
        shadow_vacuums: How many vacuums its shadow has had.
    """

    name: str
    oid: int
    filenode: int
    vacuums: int
    written: int
    shadow_oid: int
    shadow_vacuums: int

    def is_as(self, before: TableBaseline) -> bool:
        """Whether it is the same table, and nothing that can be seen here was done to it since."""
        return (self.oid, self.filenode, self.vacuums, self.written) == (
            before.oid,
            before.filenode,
            before.vacuums,
            before.written,
        )


@dataclass(frozen=True, slots=True)
class Suspect:
    """A table that may have been written since the baseline.

    Args:
        state: The table.
        before: What it was.
        way: How to find what was changed in it.
        pages: Which pages were changed, where that is how to find it.
    """

    state: TableState
    before: TableBaseline
    way: Way
    pages: Sequence[Stretch] = ()


def read_marks(connection: Connection, run: Run) -> Marks:
    """What of the server decides which traces can be believed."""
    values = {"own": f"{APPLICATION}/{run.id}/%"}
    with connection.cursor(row_factory=class_row(Marks)) as cursor:
        found = cursor.execute(_MARKS, values).fetchone()
    if found is None:
        raise FailedError("a query that always has one row returned none")
    return found


def read_state(connection: Connection) -> dict[str, TableState]:
    """Every table of schema public that holds rows, by name."""
    with connection.cursor(row_factory=class_row(TableState)) as cursor:
        return {state.name: state for state in cursor.execute(_STATE).fetchall()}


def refuse_another_time(marks: Marks, baseline: Baseline) -> None:
    """Refuse a baseline that is too old for ages to be compared, or newer than the server.

    Raises:
        DoubtError: It is.
    """
    age = marks.next - baseline.threshold
    if not 0 <= age < _OLDEST_BASELINE:
        raise DoubtError(f"the baseline is {age:,} transactions old: too many to compare ages")


def refuse_blind(marks: Marks, find_changes: str) -> None:
    """Refuse to look for changes where they leave no trace, or not the one that is asked for.

    Raises:
        DoubtError: They do not.
    """
    if not marks.counting:
        raise DoubtError("track_counts is off, so writes beside the reset's own cannot be seen")
    if find_changes == "pages" and marks.visibility is None:
        raise DoubtError("changed pages cannot be seen: pg_visibility is not granted")


def suspects(
    connection: Connection,
    marks: Marks,
    state: Mapping[str, TableState],
    baseline: Baseline,
    *,
    by_pages: bool,
) -> list[Suspect]:
    """Tables that may have been written since the baseline; all others were not.

    Args:
        connection: The session; every table is locked, so that nothing is written any more.
        marks: What of the server decides which traces can be believed.
        state: Every table, as it is now; the definitions are those of the baseline.
        baseline: What was.
        by_pages: Whether to look at changed pages, where they can be believed.
    """
    is_counted = counts(connection, marks, baseline)
    # A vacuum that a shutdown has broken off leaves its traces on the pages, and is not counted.
    by_pages = (
        by_pages
        and _counts_at_all(connection, marks, baseline)
        and marks.visibility is not None
        and marks.server_started == baseline.server_started
    )
    # To open a table for the first time in a session is most of the work.
    asked = [
        now.oid
        for name, now in state.items()
        if not is_counted or now.written != baseline.tables[name].written
    ]
    touched = changed_pages(connection, marks, asked) if by_pages else {}
    found = []
    for name, now in state.items():
        before = baseline.tables[name]
        if now.filenode != before.filenode:
            found.append(Suspect(now, before, "rewritten"))
        elif by_pages and now.vacuums == before.vacuums:
            if now.oid in touched:
                found.append(Suspect(now, before, "pages", touched[now.oid]))
            elif now.written != before.written:
                # Counted, and not a page of it changed: a vacuum was broken off in between.
                found.append(Suspect(now, before, "scan"))
        elif not is_counted or now.written != before.written:
            found.append(Suspect(now, before, "scan"))
    return found


def counts(connection: Connection, marks: Marks, baseline: Baseline) -> bool:
    """Whether what the counters have not counted since the baseline was not written."""
    return (
        _counts_at_all(connection, marks, baseline)
        and marks.counting
        and not marks.not_by_all
        and marks.others == 0
    )


def _counts_at_all(connection: Connection, marks: Marks, baseline: Baseline) -> bool:
    return (
        connection.info.server_version >= _COUNTERS_CAN_BE_BELIEVED
        and marks.statistics_since == baseline.statistics_since
    )
