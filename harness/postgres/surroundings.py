"""What surrounds the content of a database, and decides whether it can be replaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

from harness.errors import FailedError
from harness.postgres.connection import load_sql

if TYPE_CHECKING:
    from harness.postgres.connection import Connection

_QUERY = load_sql(__package__, "surroundings.sql")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The columns of `surroundings.sql`.

    Args:
        extensions: Owner of each extension.
        owner_of_public: Owner of schema public; None where there is no such schema.
        provisioner_functions: Owner of each of the provisioner's functions that is there.
        size: Bytes of the database on disk.
        locks_in_use: Entries of the server's shared lock table that are taken now.
        lock_table: Entries that the table has at least (`max_locks_per_transaction`, manual).
    """

    extensions: dict[str, str]
    owner_of_public: str | None
    provisioner_functions: dict[str, str]
    size: int
    locks_in_use: int
    lock_table: int


def look_around(connection: Connection, provisioner_functions: tuple[str, ...]) -> Surroundings:
    """Ask a session what surrounds the content of its database."""
    with connection.cursor(row_factory=class_row(Surroundings)) as cursor:
        values = {"provisioner_functions": list(provisioner_functions)}
        found = cursor.execute(_QUERY, values).fetchone()
    if found is None:
        raise FailedError("a query that always has one row returned none")
    return found
