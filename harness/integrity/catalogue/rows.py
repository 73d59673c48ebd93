"""The rows of a statement as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from psycopg.rows import class_row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg import sql

    from harness.postgres.connection import Connection

Row = TypeVar("Row")


def rows(
    connection: Connection, kind: type[Row], query: sql.SQL, values: Mapping[str, object] = {}
) -> list[Row]:
    """Every row of a query, each as an object whose fields are its columns."""
    with connection.cursor(row_factory=class_row(kind)) as cursor:
        # With parameters always, so that a literal % is written the same in every file.
        return cursor.execute(query, dict(values)).fetchall()
