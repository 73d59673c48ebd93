"""Filling an empty database: DDL, rows by COPY, then indexes, keys, triggers and sequences."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING

from psycopg.sql import SQL, Identifier

from harness.local.sample import activity, catalogue, parties, sales
from harness.local.sample.bulk import Volumes
from harness.local.sample.resources import fixed_rows, script

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection, Cursor
    from psycopg.sql import Composed

    from harness.local.sample.bulk import Bulk
    from harness.progress import Advance, Progress

COMPANY = "Ferblanterie Lavandière & Fils"
"""The company's name, MAIN_INFO_SOCIETE_NOM of entity 1."""

# Rows made and sent at once: enough that a block costs more than its round, far below a megabyte.
_BLOCK_ROWS = 1_000
# Tables created in one transaction, so that a server with a small lock table can follow.
_BATCH_TABLES = 40

_CORE = ("core_settings", "core_parties", "core_money", "core_activity")
# Built once over all rows instead of row by row.
_AFTERWARDS = ("core_indexes", "core_foreign_keys", "triggers", "sequences")


def fill(connection: Connection, *, scale: float, progress: Progress) -> None:
    """Fill an empty database with the sample; objects belong to the connection's current role.

    Commits as it goes: after an error the database is to be dropped, not to be filled again.

    Args:
        connection: A session on the empty database, whose current role may create in `public`.
        scale: How much business there is: some 20 MB per unit, over 30 MB of schema.
        progress: Told of every batch of tables and every block of rows.
    """
    connection.commit()  # what the caller left open is not part of the first transaction here
    _create_tables(connection, progress)
    _load_rows(connection, Volumes.of(scale), progress)
    with progress.phase("Sample: indexes and keys", len(_AFTERWARDS)) as advance:
        for name in _AFTERWARDS:
            with _transaction(connection) as cursor:
                cursor.execute(script(name))
            advance(1)


@contextmanager
def _transaction(connection: Connection) -> Iterator[Cursor]:
    """A transaction in which unqualified names are those of `public`, whatever the session says."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL search_path TO public")
        # Nothing here cannot be made again, and sorting for the indexes wants room.
        cursor.execute("SET LOCAL synchronous_commit TO off")
        cursor.execute("SET LOCAL maintenance_work_mem TO '128MB'")
        yield cursor


def _create_tables(connection: Connection, progress: Progress) -> None:
    statements = list(catalogue.statements())
    with progress.phase("Sample: tables", len(_CORE) + len(statements)) as advance:
        with _transaction(connection) as cursor:
            cursor.execute(script("functions"))
            for name in _CORE:
                cursor.execute(script(name))
                advance(1)
        for first in range(0, len(statements), _BATCH_TABLES):
            batch = statements[first : first + _BATCH_TABLES]
            with _transaction(connection) as cursor:
                cursor.execute("".join(batch).encode())
            advance(len(batch))


def _load_rows(connection: Connection, volumes: Volumes, progress: Progress) -> None:
    bulks = [*parties.tables(volumes), *sales.tables(volumes), *activity.tables(volumes)]
    with progress.phase("Sample: rows", sum(bulk.rows for bulk in bulks)) as advance:
        with _transaction(connection) as cursor:
            for table, columns, text in chain(fixed_rows(), catalogue.rows()):
                with cursor.copy(_copy(table, columns)) as copy:
                    copy.write(text.encode())
        for bulk in bulks:
            with _transaction(connection) as cursor:
                _load(cursor, bulk, advance)


def _load(cursor: Cursor, bulk: Bulk, advance: Advance) -> None:
    with cursor.copy(_copy(bulk.table, bulk.columns)) as copy:
        for first in range(1, bulk.rows + 1, _BLOCK_ROWS):
            numbers = range(first, min(first + _BLOCK_ROWS, bulk.rows + 1))
            copy.write("".join(map(bulk.row, numbers)).encode())
            advance(len(numbers))


def _copy(table: str, columns: str) -> Composed:
    return SQL("COPY {} ({}) FROM STDIN (ENCODING 'UTF8')").format(
        Identifier(table), SQL(", ").join(map(Identifier, columns.split(", ")))
    )
