"""Watch what a run does in a database that it only reads: it writes nothing, and hinders nobody.

A read-only transaction may still LOCK a table, and so stop prod: that it cannot write is not all.
The transactions of this project are asked before they end (`harness.postgres.connection`). Those
of pg_dump can only be looked at from outside, now and then: a sample, and it is called one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.deadlines import eventually
from harness.errors import FailedError
from harness.postgres.connection import load_sql, one
from harness.sides import Prod

if TYPE_CHECKING:
    from harness.deadlines import Deadlines
    from harness.postgres.connection import Connection, Run
    from harness.sides import Sandbox

_LOOK = load_sql(__package__, "watch.sql")
_LEFT = """
SELECT count(*) FROM pg_catalog.pg_stat_activity
WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid()
AND pg_catalog.starts_with(application_name, %s)
"""

# In the sandbox the run holds a fence of its own meanwhile; there only the readers are looked at.
_READERS = ("snapshot", "fingerprint", "pg_dump", "watch")
_DUMP = "pg_dump"


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen of a run's sessions in a database that it only reads.

    Args:
        samples: How often pg_dump's session was looked at, with no transaction id and no lock
            beyond a reader's in any of the run's sessions.
        sessions: The most of the run's sessions at a time.
        locks: The modes of the locks that were seen.
        left_behind: How many sessions of the run were left afterwards.
    """

    samples: int
    sessions: int
    locks: tuple[str, ...]
    left_behind: int

    def __str__(self) -> str:
        return (
            f"sampled {self.samples} times: up to {self.sessions} sessions, no transaction id,"
            f" locks {', '.join(self.locks) or 'none'}; {self.left_behind} sessions left behind"
        )


@dataclass(slots=True)
class Watch:
    """Looks at the sessions of one run from one of them.

    Args:
        connection: The session that looks.
        side: The database.
        run: The run.
    """

    connection: Connection
    side: Prod | Sandbox
    run: Run
    _samples: int = 0
    _sessions: int = 0
    _modes: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        # A login sees its own sessions whole, but only as itself.
        self.connection.execute("SET ROLE NONE")

    def sample(self) -> None:
        """Look once.

        Raises:
            FailedError: A session of the run has written something, or locks more than a reader.
        """
        parts = ("",) if isinstance(self.side, Prod) else _READERS
        names = [self.run.application_name(part) for part in parts]
        dump = self.run.application_name(_DUMP)
        sessions, dumping, writing, modes, stronger = one(self.connection, _LOOK, names, dump)
        if writing:
            raise FailedError(
                "a session that should only read was assigned a transaction id",
                found=f"a write by {', '.join(writing)}",
                expected="none: it starts its transactions read-only",
                remedy="find what writes: a function with side effects in a view or a policy",
            )
        if stronger:
            raise FailedError(
                "a session that should only read locks more than a reader does",
                found="; ".join(stronger),
                expected="ACCESS SHARE and nothing above it: anything stronger can stop prod",
                remedy="find what locks: a function with a LOCK in a view or a policy",
            )
        self._samples += dumping
        self._sessions = max(self._sessions, sessions)
        self._modes |= set(modes or ())

    def end(self, deadlines: Deadlines) -> Watched:
        """See the other sessions of the run gone, where nothing else of it may go on.

        Raises:
            FailedError: Some are left.
        """
        left = 0
        if isinstance(self.side, Prod):
            left = eventually(self._nobody_left, deadlines.session_end, on=FailedError)
        return Watched(self._samples, self._sessions, tuple(sorted(self._modes)), left)

    def _nobody_left(self) -> int:
        left: int = one(self.connection, _LEFT, self.run.application_name(""))[0]
        if left:
            raise FailedError(
                f"sessions of the run are left behind in {self.side.login.database}",
                found=f"{left} besides the one that asks",
                expected="none: whatever read there has ended",
                remedy="look into pg_stat_activity for application_name"
                f" {self.run.application_name('')}, and end them",
            )
        return left
