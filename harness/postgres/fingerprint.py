"""What a database holds, in a form that two databases can be compared by.

Per table the number of rows and an order-independent sum of row hashes; per object its definition.
Its size follows the number of objects, never the number of rows.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  a manifest reads fingerprints at run time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from psycopg import sql

from harness.postgres.batches import batches
from harness.postgres.connection import (
    connect,
    exported_snapshot,
    load_sql,
    one,
    read_only_transaction,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from harness.postgres.connection import Connection, Run
    from harness.settings import Settings
    from harness.sides import Prod, Sandbox

    # Name of a table, and its columns in the order of their names.
    _Table = tuple[str, list[str]]

_CATALOGUE = load_sql(__package__, "catalogue.sql")
_COLUMNS = load_sql(__package__, "fingerprint_columns.sql")

# Rows by their text, not by hash_record: that one calls 1.0 and 1.00 equal, and has no answer for
# types without a hash. A sum, not XOR: under XOR a row that is there twice cancels itself.
_ROWS = sql.SQL(
    "SELECT pg_catalog.count(*),"
    " coalesce(pg_catalog.sum(pg_catalog.hashtextextended(ROW({columns})::text, 0)), 0)::text"
    " FROM ONLY {table}"
)
_SEQUENCES = """
SELECT relname::text FROM pg_catalog.pg_class
WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace ORDER BY 1
"""
_SEQUENCE = sql.SQL("SELECT {literal}, last_value, is_called FROM {name}")
_SEQUENCES_AT_ONCE = 100
# From 18 on one function tells what else has to be read from each sequence by its name.
_TELLS_ALL_SEQUENCES = 180000
_ALL_POSITIONS = """
SELECT relname::text, (position).last_value, (position).is_called
FROM (
    SELECT relname, pg_catalog.pg_get_sequence_data(oid) AS position FROM pg_catalog.pg_class
    WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace ORDER BY 1 OFFSET 0
) AS found
"""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one table.

    Args:
        count: How many there are.
        hash: Sum of the 64-bit hashes of the rows, columns in the order of their names.
    """

    count: int
    hash: str


@dataclass(frozen=True, slots=True)
class Position:
    """Where a sequence stands.

    Sequences obey no snapshot: between the snapshot and its reader prod may have gone on. What the
    fingerprint knows is where the sequence stood before the dump began and where after it ended.

    Args:
        last_value: Where it stood first.
        is_called: Whether `last_value` has been given out.
        until: Where it stood last, if it moved meanwhile.
        until_called: `is_called` at that time.
    """

    last_value: int
    is_called: bool
    until: int | None = None
    until_called: bool | None = None

    def allows(self, other: Position) -> bool:
        """Whether a copy may stand where `other` stands."""
        if self.until is None:
            return (other.last_value, other.is_called) == (self.last_value, self.is_called)
        low, high = sorted(
            [(self.last_value, self.is_called), (self.until, bool(self.until_called))]
        )
        return low <= (other.last_value, other.is_called) <= high

    @property
    def latest(self) -> tuple[int, bool]:
        """Last value and whether it was called, when it was last looked at."""
        if self.until is None:
            return self.last_value, self.is_called
        return self.until, bool(self.until_called)

    def __str__(self) -> str:
        told = f"{self.last_value} ({'called' if self.is_called else 'not called'})"
        return told if self.until is None else f"{told} to {self.until}"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What one database held at one moment.

    Args:
        rows: By table.
        sequences: By sequence.
        objects: Definitions, by kind and name.
    """

    rows: Mapping[str, Rows]
    sequences: Mapping[str, Position]
    objects: Mapping[str, Mapping[str, str]] = field(repr=False)

    def moved_to(self, later: Mapping[str, Position]) -> Fingerprint:
        """The same, knowing where each sequence stood once its reader had ended."""
        moved = {
            name: replace(first, until=last.last_value, until_called=last.is_called)
            for name, first in self.sequences.items()
            if (last := later.get(name, first)) != first
        }
        return replace(self, sequences={**self.sequences, **moved})

    @property
    def total_rows(self) -> int:
        """Number of rows in all tables."""
        return sum(table.count for table in self.rows.values())

    def count(self, kind: str) -> int:
        """Number of objects of a kind, or of rows, in the words of `Difference.kind`."""
        if kind == "rows":
            return self.total_rows
        if kind == "sequence value":
            return len(self.sequences)
        return len(self.objects.get(kind, {}))


def read_sequences(
    connection: Connection, names: Sequence[str] | None = None
) -> dict[str, Position]:
    """Where sequences of schema public stand now; default: every one of them."""
    if names is None and connection.info.server_version >= _TELLS_ALL_SEQUENCES:
        rows = connection.execute(_ALL_POSITIONS).fetchall()
        return {name: Position(last, called) for name, last, called in rows}
    if names is None:
        names = [name for (name,) in connection.execute(_SEQUENCES)]
    found: dict[str, Position] = {}
    for some in batches(names, _SEQUENCES_AT_ONCE):
        query = _positions(tuple(some))
        found |= {name: Position(last, called) for name, last, called in connection.execute(query)}
    return found


@cache
def _positions(names: tuple[str, ...]) -> sql.SQL:
    """The statement that reads these; to put it together takes as long as to run it."""
    parts = (
        _SEQUENCE.format(literal=sql.Literal(name), name=sql.Identifier("public", name))
        for name in names
    )
    return sql.SQL(sql.SQL(" UNION ALL ").join(parts).as_string())


@contextmanager
def measuring(
    side: Prod | Sandbox, snapshot: str, run: Run, settings: Settings
) -> Iterator[Callable[[], Fingerprint]]:
    """Measure schema public of one side as one snapshot saw it, while the block does other work.

    Args:
        side: What to measure.
        snapshot: An exported snapshot that is still held.
        run: The run that the sessions belong to.
        settings: How many sessions hash at once, deadlines, and what is the provisioner's.

    Yields:
        A function that waits for the fingerprint. Sequences are as they stand at the beginning.
    """
    todo: SimpleQueue[_Table] = SimpleQueue()
    jobs = settings.tools.jobs
    with ExitStack() as stack:
        sessions = [_join(stack, side, snapshot, run, settings) for _ in range(jobs)]
        sequences = read_sequences(sessions[0])
        objects = read_objects(sessions[0], settings.checks.provisioner_functions)
        for table in sessions[0].execute(_COLUMNS):
            todo.put(table)
        pool = stack.enter_context(ThreadPoolExecutor(jobs))
        parts = [pool.submit(_hash_tables, session, todo) for session in sessions]

        def wait() -> Fingerprint:
            rows = {table: found for part in parts for table, found in part.result().items()}
            return Fingerprint(dict(sorted(rows.items())), sequences, objects)

        try:
            yield wait
        except BaseException:
            # Nobody will ask for the result: do not let an interrupt wait for the largest table.
            for _unmeasured in _take_all(todo):
                pass
            for session in sessions:
                session.cancel_safe()
            raise


def measure(
    connection: Connection,
    provisioner_functions: tuple[str, ...],
    only: Collection[str] | None = None,
) -> Fingerprint:
    """Measure schema public as this session sees it now, its own uncommitted work included.

    Args:
        connection: The session.
        provisioner_functions: What is the provisioner's.
        only: Tables whose rows are measured; default: all.
    """
    tables = connection.execute(_COLUMNS).fetchall()
    return Fingerprint(
        {
            table: _hash_table(connection, table, columns)
            for table, columns in tables
            if only is None or table in only
        },
        read_sequences(connection),
        read_objects(connection, provisioner_functions),
    )


def fingerprint_of(side: Prod | Sandbox, run: Run, settings: Settings) -> Fingerprint:
    """What one side holds now; nothing is changed."""
    with (
        connect(side, run, "fingerprint", settings.deadlines, read_only=True) as session,
        exported_snapshot(session) as snapshot,
        measuring(side, snapshot, run, settings) as fingerprint,
    ):
        return fingerprint()


def _join(
    stack: ExitStack, side: Prod | Sandbox, snapshot: str, run: Run, settings: Settings
) -> Connection:
    session = stack.enter_context(
        connect(side, run, "fingerprint", settings.deadlines, read_only=True)
    )
    stack.enter_context(read_only_transaction(session, snapshot=snapshot))
    return session


def read_objects(
    session: Connection, provisioner_functions: tuple[str, ...]
) -> dict[str, dict[str, str]]:
    """The definition of every object of schema public, by kind and name."""
    values = {"provisioner_functions": list(provisioner_functions)}
    found: dict[str, dict[str, str]] = {}
    for kind, name, definition in session.execute(_CATALOGUE, values):
        found.setdefault(kind, {})[name] = definition
    return found


def _hash_tables(session: Connection, todo: SimpleQueue[_Table]) -> dict[str, Rows]:
    return {table: _hash_table(session, table, columns) for table, columns in _take_all(todo)}


def _take_all(todo: SimpleQueue[_Table]) -> Iterator[_Table]:
    with suppress(Empty):
        while True:
            yield todo.get_nowait()


def _hash_table(session: Connection, table: str, columns: list[str]) -> Rows:
    count, summed = one(
        session,
        _ROWS.format(
            columns=sql.SQL(", ").join(sql.Identifier(column) for column in columns),
            table=sql.Identifier("public", table),
        ),
    )
    return Rows(count=count, hash=summed)
