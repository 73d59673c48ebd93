"""A PgBouncer whose idle server connections stay open, as an application's pool does.

Nobody can end them: they are the application's login's, and a reset has to get along with them.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from tests.pooler import pooled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.sides import Login

_IDLE = """
SELECT pid FROM pg_catalog.pg_stat_activity
WHERE usename = SESSION_USER AND state = 'idle' AND pid = ANY (%s)
"""


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool that is open.

    Args:
        login: The way through it.
        direct: The same login on the server itself.
        pids: Its connections to the server.
    """

    login: Login
    direct: Login
    pids: frozenset[int]

    def idle(self) -> set[int]:
        """Which of its connections are open and idle now."""
        with psycopg.connect(self.direct.conninfo) as session:
            session.execute("SET ROLE NONE")  # the owner role is not told what the login does
            return {pid for (pid,) in session.execute(_IDLE, (list(self.pids),))}


@contextmanager
def idle_pool(login: Login, connections: int = 5) -> Iterator[Pool]:
    """A pool in transaction mode with so many connections, all of them idle and kept open.

    Args:
        login: The application's login on the server itself.
        connections: How many; it never has more.
    """
    keep = (f"default_pool_size = {connections}", "server_idle_timeout = 0")
    with pooled(login, *keep) as through:
        yield Pool(through, login, frozenset(_fill(through, connections)))


def _fill(through: Login, connections: int) -> set[int]:
    """As many transactions at once as there may be connections: each needs one of its own."""
    with ExitStack() as stack:
        sessions = [
            stack.enter_context(psycopg.connect(through.conninfo)) for _ in range(connections)
        ]
        return {
            pid
            for session in sessions
            for (pid,) in session.execute("SELECT pg_catalog.pg_backend_pid()")
        }
