"""The sandbox's mark: that this database is one, and whether its content can be relied on.

It is the comment of the database, which lives in the shared catalogue: no copy of prod overwrites
it, `DROP OWNED` leaves it alone, and the owner may write it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from psycopg import sql

from harness.errors import RefusedError
from harness.postgres.connection import APPLICATION, one

if TYPE_CHECKING:
    from harness.postgres.connection import Connection, Run

Content = Literal["empty", "incomplete", "complete"]

_COMMENT = """
SELECT pg_catalog.shobj_description(oid, 'pg_database'), datname
FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """What the comment of the sandbox's database says.

    Args:
        content: `empty` after the layout, `incomplete` while content is being replaced or after
            that failed, `complete` after a verified refresh or reset.
        source: What the content is: `prod`, or a golden generation; empty before the first.
        run: Id of the run that wrote the mark.
        since: When, in ISO 8601, UTC.
        laid_out_by: Id of the run that made the database, where the harness did.
    """

    content: Content
    source: str = ""
    run: str = ""
    since: str = ""
    laid_out_by: str = ""


def read(connection: Connection) -> Mark | None:
    """The mark of the session's database, or None where it has no comment.

    Raises:
        RefusedError: The database has a comment that is somebody else's.
    """
    return told(*one(connection, _COMMENT))


def told(comment: str | None, database: str) -> Mark | None:
    """The mark that the comment of a database is, or None where it has none.

    Raises:
        RefusedError: It is somebody else's.
    """
    if comment is None:
        return None
    try:
        return Mark(**json.loads(comment)[APPLICATION])
    except (ValueError, KeyError, TypeError) as error:
        raise RefusedError(
            f"database {database} has a comment that is not the sandbox's mark",
            found=comment[:200],
            expected="no comment, or the mark that the harness keeps there",
            remedy=f'if this is the sandbox: COMMENT ON DATABASE "{database}" IS NULL',
        ) from error


def write(
    connection: Connection, run: Run, before: Mark | None, content: Content, source: str = ""
) -> None:
    """Replace the mark, keeping who laid the database out; inside a transaction, durably."""
    mark = Mark(
        content=content,
        source=source,
        run=run.id,
        since=datetime.now(UTC).isoformat(timespec="seconds"),
        laid_out_by=before.laid_out_by if before else "",
    )
    connection.execute(
        # What the mark vouches for was committed without waiting for the disk.
        sql.SQL("SET LOCAL synchronous_commit = on; COMMENT ON DATABASE {} IS {}").format(
            sql.Identifier(connection.info.dbname),
            sql.Literal(json.dumps({APPLICATION: asdict(mark)})),
        )
    )
