"""Sequences put back where they stood, in a way that a rollback takes back.

`setval` alone survives a rollback. After `ALTER SEQUENCE … RESTART` the sequence lies in a new file
that belongs to the transaction, and `setval` writes there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from harness.golden.doubt import DoubtError
from harness.postgres.fingerprint import read_sequences
from harness.postgres.rendering import joined, name, rendered, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.golden.changes import SequenceChange
    from harness.postgres.connection import Connection

_PUT_BACK = sql.SQL(
    "ALTER SEQUENCE {sequence} RESTART;"
    " SELECT pg_catalog.setval({name}::regclass, {last}, {called})"
)


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
    for sequence_name, found in read_sequences(connection, list(wanted)).items():
        if (found.last_value, found.is_called) != wanted[sequence_name]:
            raise DoubtError(f"sequence {sequence_name} could not be put back")
