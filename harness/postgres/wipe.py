"""Empty the sandbox: in batches that leave the shared lock table to prod, then `DROP OWNED`."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import errors, sql

from harness.errors import FailedError, RefusedError
from harness.postgres.batches import batches
from harness.postgres.connection import connect, load_sql, one
from harness.postgres.identity import prove_sandbox
from harness.postgres.surroundings import look_around

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.deadlines import Deadlines
    from harness.postgres.connection import Connection, Run
    from harness.postgres.fence import Fence
    from harness.sides import Sandbox

_OWNED_TABLES = load_sql(__package__, "wipe_tables.sql")
_SHARED_GRANTS = load_sql(__package__, "shared_grants.sql")
_LOCKS_HELD = "SELECT count(*) FROM pg_catalog.pg_locks WHERE pid = pg_catalog.pg_backend_pid()"


@dataclass(frozen=True, slots=True)
class Wiped:
    """What a wipe took.

    Args:
        tables: How many tables were dropped.
        batches: In how many transactions.
        peak_locks: Most entries of the shared lock table held at once.
        lock_table: Entries that the server's lock table has at least.
    """

    tables: int
    batches: int
    peak_locks: int
    lock_table: int


def refuse_locked(sandbox: Sandbox, run: Run, deadlines: Deadlines) -> None:
    """Lock each table for a moment, so that a wipe is not begun that could not be ended.

    Raises:
        RefusedError: The handshake failed, or somebody holds a lock that does not go away.
    """
    with _waiting_for_locks(sandbox, run, "locks", deadlines) as connection:
        quota = look_around(connection, ()).lock_table // 4
        tables = _owned_tables(connection, sandbox)
        for some in batches(tables, quota):
            names = [sql.Identifier(*table) for table in some]
            with connection.transaction():
                prove_sandbox(connection, sandbox)
                connection.execute(
                    sql.SQL("LOCK TABLE ONLY {} IN ACCESS EXCLUSIVE MODE").format(
                        sql.SQL(", ONLY ").join(names)
                    )
                )


def wipe(sandbox: Sandbox, run: Run, fence: Fence, deadlines: Deadlines) -> Wiped:
    """Drop everything that the sandbox's owner role owns in the sandbox database.

    Every transaction begins with the identity handshake, so no statement is sent that the session
    sending it has not just been cleared for.

    Args:
        sandbox: The only thing that can be wiped.
        run: The run that the session belongs to.
        fence: Held, or nothing is dropped.
        deadlines: The table of deadlines.

    Raises:
        RefusedError: The handshake failed, or somebody holds a lock that does not go away.
        FailedError: Something is left, or a grant on a shared object changed (then rolled back).
    """
    with _waiting_for_locks(sandbox, run, "wipe", deadlines) as connection:
        size = look_around(connection, ()).lock_table
        held = []
        tables = _owned_tables(connection, sandbox)
        dropped = len(tables)
        while tables:
            fence.assert_held()
            with connection.transaction():
                prove_sandbox(connection, sandbox)
                held.append(_drop_batch(connection, tables, quota=size // 4))
        fence.assert_held()
        with connection.transaction():
            prove_sandbox(connection, sandbox)
            held.append(_drop_owned(connection, sandbox))
        left = _owned_tables(connection, sandbox)
    if left:
        raise FailedError(
            "the sandbox is not empty after the wipe",
            found=f"{len(left)} tables, {left[0][1]} among them",
            expected="nothing that the owner role owns",
            remedy="find who creates tables there; the application must be stopped",
        )
    return Wiped(dropped, len(held), max(held), size)


@contextmanager
def _waiting_for_locks(
    sandbox: Sandbox, run: Run, part: str, deadlines: Deadlines
) -> Iterator[Connection]:
    """A session that waits for a lock as long as the table of deadlines allows."""
    with connect(sandbox, run, part, deadlines) as connection:
        connection.execute(
            sql.SQL("SET lock_timeout = {}").format(sql.Literal(deadlines.lock.milliseconds))
        )
        try:
            yield connection
        except errors.LockNotAvailable as error:
            raise RefusedError(
                "a lock on the sandbox could not be had",
                found=str(error).strip(),
                expected=f"every table free within {deadlines.lock.seconds:g} s",
                remedy="end the transaction that holds it (see pg_locks), then run again",
            ) from error


def _owned_tables(connection: Connection, sandbox: Sandbox) -> list[tuple[str, str]]:
    return connection.execute(_OWNED_TABLES, (sandbox.owner_role,)).fetchall()


def _drop_batch(connection: Connection, tables: list[tuple[str, str]], *, quota: int) -> int:
    """Drop from the end of `tables` while the quota of locks lasts; return the locks held."""
    held = costliest = 0
    # A table is taken only if one twice as costly as the costliest so far would still fit.
    while tables and held + 2 * costliest <= quota:
        schema, name = tables.pop()
        connection.execute(
            sql.SQL("DROP TABLE IF EXISTS {} CASCADE").format(sql.Identifier(schema, name))
        )
        now: int = one(connection, _LOCKS_HELD)[0]
        costliest, held = max(costliest, now - held), now
    return held


def _drop_owned(connection: Connection, sandbox: Sandbox) -> int:
    """Drop what is left, and prove that no grant on a shared object went with it."""
    before = connection.execute(_SHARED_GRANTS).fetchall()
    connection.execute(
        sql.SQL("DROP OWNED BY {} CASCADE").format(sql.Identifier(sandbox.owner_role))
    )
    after = connection.execute(_SHARED_GRANTS).fetchall()
    if before != after:
        raise FailedError(
            "the wipe changed grants on objects that prod shares, and was rolled back",
            found="; ".join(str(row) for row in sorted(set(before) ^ set(after))),
            expected="the same grants on databases, tablespaces and parameters before and after",
            remedy="a plain login cannot do that: check who the sandbox's login is",
        )
    held: int = one(connection, _LOCKS_HELD)[0]
    return held
