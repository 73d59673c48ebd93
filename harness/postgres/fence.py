"""The fence: one writer at a time, kept by PostgreSQL itself.

A session advisory lock on the sandbox database belongs to the run's session and goes with it,
whatever kills the run. Whoever holds the lock ends what dead runs have left before it writes.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg

from harness.deadlines import eventually
from harness.errors import FailedError, RefusedError
from harness.postgres.connection import APPLICATION, connect, load_sql, one

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from harness.deadlines import Deadlines
    from harness.postgres.connection import Connection, Run
    from harness.sides import Sandbox

# Any two constants that nobody else uses in this database.
_KEY = (0x5ABD, 0xFE4CE)
_RELEASE = "SELECT pg_catalog.pg_advisory_unlock(%s, %s)"
_END_TOOLS = """
SELECT pid, pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
WHERE datname = pg_catalog.current_database() AND usename = SESSION_USER AND application_name = %s
"""
_HOLDER = load_sql(__package__, "fence_holder.sql")
_SESSIONS = load_sql(__package__, "fence_sessions.sql")


class Fence:
    """The held lock.

    Args:
        connection: The session that holds it.
        also: Asserts whatever else gives the right to write.
    """

    def __init__(self, connection: Connection, also: Callable[[], None]) -> None:
        self._connection = connection
        self._also = also

    @property
    def session(self) -> Connection:
        """The session that holds the lock: what it writes is written while the lock is held."""
        return self._connection

    def assert_held(self) -> None:
        """To be called before every write.

        Raises:
            FailedError: The right to write is gone.
        """
        self._also()
        self.watch()

    def watch(self) -> None:
        """Ask the server through the session that holds the lock; cheap enough to repeat.

        Raises:
            FailedError: The session is gone, and with it the right to write.
        """
        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error as error:
            raise FailedError(
                "the session that keeps other writers out of the sandbox was lost",
                found=" ".join(str(error).split()),
                expected="one session for the whole run",
                remedy="run the command again; the content stays marked incomplete until then",
            ) from error


@contextmanager
def fence(connection: Connection, *, also: Callable[[], None]) -> Iterator[Fence]:
    """Keep every other run out of the sandbox for the length of the block.

    Args:
        connection: A session on the sandbox, which holds the lock meanwhile.
        also: Asserts whatever else gives the right to write.

    Raises:
        RefusedError: Another run is in there; it is named, with the time since when.
    """
    if not one(connection, "SELECT pg_catalog.pg_try_advisory_lock(%s, %s)", *_KEY)[0]:
        raise RefusedError(
            "another run is working on the sandbox",
            found=_holder(connection) or "it has ended in this moment",
            expected="one writer at a time",
            remedy="wait until it has ended, or end it; nothing has been changed",
        )
    try:
        yield Fence(connection, also)
    finally:
        # Where the session is lost, the lock is.
        with suppress(psycopg.Error):
            connection.execute(_RELEASE, _KEY)


def drain(sandbox: Sandbox, run: Run, deadlines: Deadlines) -> None:
    """Wait until no session but this run's could write to the sandbox; end what dead runs left.

    To be called while the fence is held: only then is a session of another run a dead run's.

    Raises:
        RefusedError: Sessions of the application, or of others with its rights, do not go.
    """
    with connect(sandbox, run, "drain", deadlines) as connection:
        # Only the very same login may end a session, and only as itself.
        connection.execute("SET ROLE NONE")
        eventually(lambda: _end_leftovers(connection, sandbox, run), deadlines.leftover)
        eventually(lambda: _refuse_writers(connection, sandbox, run), deadlines.drain)


def end_own_tools(sandbox: Sandbox, run: Run, deadlines: Deadlines) -> None:
    """End what this very run's pg_restore left on the server, and wait until it is gone.

    A tool that was killed leaves sessions that first end their present statement, and would go on
    writing beside whatever is put in the place of its work.

    Raises:
        FailedError: They do not go.
    """

    def end() -> None:
        ended = connection.execute(_END_TOOLS, (run.application_name("pg_restore"),)).fetchall()
        if ended:
            raise FailedError(
                "sessions of this run's own pg_restore do not end",
                found=f"pid {', '.join(str(pid) for pid, _ in ended)}",
                expected="none once the tool is gone",
                remedy="let the provisioner end them, then run the command again",
            )

    with connect(sandbox, run, "drain", deadlines) as connection:
        connection.execute("SET ROLE NONE")
        eventually(end, deadlines.leftover)


def _sessions(connection: Connection, sandbox: Sandbox, run: Run) -> list[tuple[Any, ...]]:
    values = {
        "owner": sandbox.owner_role,
        "harness": f"{APPLICATION}/%",
        "own": f"{APPLICATION}/{run.id}/%",
    }
    return connection.execute(_SESSIONS, values).fetchall()


def _end_leftovers(connection: Connection, sandbox: Sandbox, run: Run) -> None:
    leftovers = [row for row in _sessions(connection, sandbox, run) if row[-1]]
    for pid, login, *_ in leftovers:
        if login == sandbox.login.user:
            connection.execute("SELECT pg_catalog.pg_terminate_backend(%s)", (pid,))
    if leftovers:
        raise _in_the_way("a dead run's sessions are still on the sandbox", leftovers)


def _refuse_writers(connection: Connection, sandbox: Sandbox, run: Run) -> None:
    writers = [row for row in _sessions(connection, sandbox, run) if not row[-1]]
    if writers:
        raise _in_the_way("other sessions can still write to the sandbox", writers)


def _in_the_way(what: str, sessions: list[tuple[Any, ...]]) -> RefusedError:
    return RefusedError(
        what,
        found="; ".join(
            f"pid {pid} of {login} ({name or 'no application_name'}){_told(since)}"
            for pid, login, name, since, _ in sessions
        ),
        expected="nobody but this run while the content is replaced",
        remedy="stop the application (and its pooler's idle sessions), then run the command again;"
        " nothing has been changed",
    )


def writers(sandbox: Sandbox, run: Run, deadlines: Deadlines) -> list[str]:
    """Who else than the harness could write to the sandbox now."""
    with connect(sandbox, run, "status", deadlines, read_only=True) as connection:
        rows = _sessions(connection, sandbox, run)
    return [f"{login} ({name})" for _, login, name, _, is_ours in rows if not is_ours]


def holder(sandbox: Sandbox, run: Run, deadlines: Deadlines) -> str | None:
    """Who is working on the sandbox now, and since when; None if nobody is."""
    with connect(sandbox, run, "status", deadlines, read_only=True) as connection:
        return _holder(connection)


def _holder(connection: Connection) -> str | None:
    with connection.transaction():
        # Since when, is told to the very same login only, and only as itself.
        connection.execute("SET LOCAL ROLE NONE")
        row = connection.execute(_HOLDER, _KEY).fetchone()
    if row is None:
        return None
    name, login, since = row
    return f"{name} of {login}{_told(since)}"


def _told(since: datetime | None) -> str:
    """Since when a session is there; nothing where the server tells another login only."""
    return "" if since is None else f", since {since:%Y-%m-%d %H:%M:%S}Z"
