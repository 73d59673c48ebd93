"""Sequences: which of them have moved, and how they are put back so that a rollback takes it back.

Whoever moves a sequence has to fetch its page, and that is counted. To read one takes as long as to
open a table, so only those are read whose counter has moved, where counters can be believed.

`setval` alone survives a rollback. After `ALTER SEQUENCE … RESTART` the sequence lies in a new file
that belongs to the transaction, and `setval` writes there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

from harness.golden.doubt import DoubtError
from harness.postgres.fingerprint import Position, read_sequences
from harness.postgres.rendering import joined, name, rendered, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.golden.baseline import Baseline
    from harness.golden.changes import SequenceChange
    from harness.postgres.connection import Connection

_FETCHED = """
SELECT relname::text, oid::bigint, pg_catalog.pg_stat_get_blocks_fetched(oid)
FROM pg_catalog.pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace
"""
FETCHING = sql.SQL("""
SELECT pg_catalog.pg_stat_get_xact_blocks_fetched(oid)
FROM unnest(%s::oid[]) WITH ORDINALITY AS read (oid, number) ORDER BY number
""")
"""How often this transaction has fetched some sequences; it is not counted yet."""
_PUT_BACK = sql.SQL(
    "ALTER SEQUENCE {sequence} RESTART;"
    " SELECT pg_catalog.setval({name}::regclass, {last}, {called})"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the sequences stand.

    Args:
        positions: Of every sequence.
        fetched: How often each was fetched, as the counters have counted.
        read: OIDs of those that were read in this transaction, by name.
    """

    positions: Mapping[str, Position]
    fetched: Mapping[str, int]
    read: Mapping[str, int]


def stand(connection: Connection, baseline: Baseline, *, is_counted: bool) -> Standing:
    """Where the sequences of schema public stand.

    Args:
        connection: The session; the tables are locked.
        baseline: Where they stood.
        is_counted: Whether what the counters have not counted since the baseline was not done.
    """
    found = connection.execute(_FETCHED).fetchall()
    read = {
        name: oid
        for name, oid, fetched in found
        if not is_counted or fetched != baseline.fetched.get(name)
    }
    stood = {
        name: Position(*baseline.sequences[name])
        for name, _oid, _fetched in found
        if name not in read
    }
    now = read_sequences(connection, list(read) if is_counted else None)
    return Standing(stood | now, {name: fetched for name, _oid, fetched in found}, read)


def put_back(connection: Connection, moved: Sequence[SequenceChange]) -> None:
    """Let each sequence stand where it stood.

    Args:
        connection: The session, in a transaction.
        moved: Sequences of schema public that stand elsewhere.

    Raises:
        DoubtError: One cannot be put back, or does not stand there afterwards.
        psycopg.errors.LockNotAvailable: Somebody is using one in an open transaction.
    """
    wanted = {}
    statements = []
    for change in moved:
        if change.before is None or change.after is None:
            raise DoubtError(f"sequence {change.sequence} was made or dropped")
        wanted[change.sequence] = change.before
        sequence = name("public", change.sequence)
        last, called = change.before
        statements.append(
            rendered(
                _PUT_BACK,
                sequence=sequence,
                name=text(sequence.as_string()),
                last=sql.SQL(str(last)),
                called=sql.SQL(str(called)),
            )
        )
    if not statements:
        return
    connection.execute(joined(";", statements))
    for moved_back, found in read_sequences(connection, list(wanted)).items():
        if (found.last_value, found.is_called) != wanted[moved_back]:
            raise DoubtError(f"sequence {moved_back} could not be put back")
