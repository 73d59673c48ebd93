"""The command in a process of its own, held at a chosen place of its work until it is let go.

What holds it is outside of it: a lock, a session, or a client tool that waits at a gate.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from harness.deadlines import eventually
from harness.local.marks import PROD_DATABASE, SANDBOX_DATABASE
from harness.postgres.connection import APPLICATION
from harness.sides import Sandbox
from steps.faulty_tools import (
    DUMPS_PROD,
    DUMPS_SANDBOX,
    FIND_LIST,
    LOADS_GOLDEN,
    LOADS_PROD,
    with_faulty_tool,
)
from tests import forked
from tests.settings_file import write_settings

from .evidence import SOON
from .tools import and_then

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import LiteralString

    from harness.local.platform import LocalPlatform
    from harness.settings import Settings

_SESSIONS = "SELECT application_name FROM pg_stat_activity WHERE application_name LIKE %s"
_WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE %s AND wait_event_type = %s
"""
_TABLE = "LOCK TABLE public.llx_const IN ACCESS EXCLUSIVE MODE"
# Reading a sequence keeps the table that it belongs to from being dropped, and nothing else.
_SEQUENCE = "SELECT last_value FROM public.llx_const_rowid_seq"

# What a tool does that waits at a gate.
GATE_FIRST = 'gate; exec "$real" "$@"'
GATE_LAST = '"$real" "$@"; gate'
GATE_HALF_WAY = f"""{FIND_LIST}
cp "$list" "$list.all"
half=$(($(wc -l < "$list.all") / 2))
head -n "$half" "$list.all" > "$list"; "$real" "$@"
gate
tail -n "+$((half + 1))" "$list.all" > "$list"; exec "$real" "$@"
"""


class Command:
    """`sandbox-lifecycle VERB` on a live target, its phases and its answer in files."""

    def __init__(self, verb: str, settings: Settings, folder: Path) -> None:
        config = write_settings(folder / "sandbox.toml", settings)
        where = ["--target=live", f"--sandbox-config={config}", "--json"]
        self._process = forked.start(
            "harness.__main__", [verb, *where], folder / "answer", folder / "phases"
        )

    def send(self, number: signal.Signals) -> None:
        self._process.send(number)

    def kill(self) -> None:
        self._process.kill()

    def ends(self) -> int:
        """Its exit code."""
        return self._process.ends(SOON)

    def answer(self) -> dict[str, Any]:
        """What it printed."""
        text = self._process.printed()
        assert text, self._process.said()
        told: dict[str, Any] = json.loads(text)
        return told

    def reaches(self, phase: str) -> None:
        """Wait until it tells of a phase."""

        def told() -> None:
            lines = self._process.said()
            assert any(line.startswith(phase) for line in lines.splitlines()), lines

        eventually(told, SOON)


class Gate:
    """Where a client tool waits, once, until it is opened."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self._path = path
        self._held: int | None = None

    @property
    def shell(self) -> str:
        """The function `gate` for the tool's script."""
        path = shlex.quote(str(self._path))
        return f"gate() {{ if [ -p {path} ]; then read -r _ < {path}; fi; }}"

    def meet(self) -> None:
        """Wait until the tool is there; whoever comes later passes."""
        flags = os.O_WRONLY | os.O_NONBLOCK  # cannot be opened so while nobody reads
        self._held = eventually(lambda: os.open(self._path, flags), SOON)
        self._path.unlink()

    def open(self) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None


@dataclass
class HeldRun:
    """A run that stands still.

    Args:
        command: Its process.
        run: Its id.
        let_go: Removes what holds it.
    """

    command: Command
    run: str
    let_go: Callable[[], None]


class Place:
    """A place of a run's work at which it can be held."""

    def __init__(self, platform: LocalPlatform, settings: Settings, folder: Path) -> None:
        self.platform, self.settings, self.folder = platform, settings, folder
        self.undo = ExitStack()
        self.lay()

    def lay(self) -> None:
        """Put the obstacle in the way; `settings` are the ones to start the command with."""

    def meet(self, command: Command) -> None:
        """Wait until the command stands before it."""
        raise NotImplementedError

    def gate(self, program: str, fault: str, where: str) -> Gate:
        """Put a tool in the place of the real one that waits at a gate."""
        gate = Gate(self.folder / "gate")
        self.undo.callback(gate.open)
        tools = self.folder / "tools"
        tools.mkdir()
        self.settings = with_faulty_tool(
            self.settings, program, f"{gate.shell}\n{fault}", tools, where=where
        )
        return gate

    def lock(self, statement: LiteralString, database: str = SANDBOX_DATABASE) -> None:
        """Take a lock in a superuser's transaction, which stays open."""
        self._superuser(database).execute(statement)

    def queue_for_lock(self, statement: LiteralString) -> None:
        """The same where others hold the lock still: return once it is next in the queue."""
        connection = self._superuser(SANDBOX_DATABASE)
        connection.execute("SELECT 1")  # opens the transaction
        connection.pgconn.send_query(statement.encode())
        self.meet_lock("obstacle")

    def meet_lock(self, name: str = f"{APPLICATION}/%") -> None:
        """Wait until a session of this name, or one of the run, waits for a lock."""
        self.meet_wait("Lock", name)

    def meet_wait(self, event: str, name: str = f"{APPLICATION}/%") -> None:
        """Wait until such a session waits for an event of this type."""

        def waits() -> None:
            with psycopg.connect(self.platform.superuser.conninfo) as connection:
                row = connection.execute(_WAITING, (name, event)).fetchone()
            assert row
            assert row[0], f"no session {name} waits for {event}"

        eventually(waits, SOON)

    def _superuser(self, database: str) -> psycopg.Connection[Any]:
        connection = psycopg.connect(
            self.platform.superuser.conninfo,
            dbname=database,
            application_name="obstacle",
            options=f"-c lock_timeout={SOON.milliseconds}",
        )
        self.undo.callback(connection.close)
        return connection


class WaitingForTheApplication(Place):
    def lay(self) -> None:
        application = Sandbox.of(self.settings).application
        self.undo.callback(psycopg.connect(application.conninfo).close)

    def meet(self, command: Command) -> None:
        command.reaches("wait until nobody writes")


class InPreflight(Place):
    def lay(self) -> None:
        self.lock(_TABLE, PROD_DATABASE)

    def meet(self, command: Command) -> None:
        command.reaches("preflight")
        self.meet_lock()


class InDump(Place):
    def lay(self) -> None:
        self.barrier = self.gate("pg_dump", GATE_FIRST, DUMPS_PROD)

    def meet(self, command: Command) -> None:
        command.reaches("dump prod")
        self.barrier.meet()


class InCheckpointDump(InDump):
    def lay(self) -> None:
        self.barrier = self.gate("pg_dump", GATE_FIRST, DUMPS_SANDBOX)

    def meet(self, command: Command) -> None:
        command.reaches("dump the sandbox")
        self.barrier.meet()


class BeforeSeal(Place):
    def lay(self) -> None:
        self.barrier = self.gate("pg_dump", GATE_LAST, DUMPS_SANDBOX)

    def meet(self, command: Command) -> None:
        command.reaches("dump the sandbox")
        self.barrier.meet()
        self.queue_for_lock(_TABLE)  # the fingerprint has read the table in an open transaction
        self.barrier.open()
        self.meet_lock()


class InWipe(Place):
    def lay(self) -> None:
        self.lock(_SEQUENCE)

    def meet(self, command: Command) -> None:
        command.reaches("wipe the sandbox")
        self.meet_lock()


class InRestore(Place):
    """Half of the content is loaded, and the tool that loads the rest is alive."""

    fault = GATE_HALF_WAY

    def lay(self) -> None:
        # One of the two is loaded, as the verb is.
        self.barrier = self.gate("pg_restore", self.fault, f"{LOADS_PROD}*|*{LOADS_GOLDEN}")

    def meet(self, command: Command) -> None:
        command.reaches("restore")
        self.barrier.meet()


class InStatementOfRestore(InRestore):
    """Half of the content is loaded, and a session of pg_restore is in a statement of its own."""

    def meet(self, command: Command) -> None:
        super().meet(command)
        self.lock(_TABLE)
        self.barrier.open()
        self.meet_lock()


class InLateWrite(Place):
    """A session of pg_restore is about to write, and would not notice the death of its client."""

    def lay(self) -> None:
        late = (
            "SET client_connection_check_interval = 0;"
            " DO $late$ BEGIN PERFORM pg_catalog.pg_sleep(5);"
            " CREATE TABLE public.llx_late (); END $late$"
        )
        tools = self.folder / "tools"
        tools.mkdir()
        self.settings = with_faulty_tool(
            self.settings, "pg_restore", and_then(late), tools, where=LOADS_PROD
        )

    def meet(self, command: Command) -> None:
        command.reaches("restore")
        self.meet_wait("Timeout")


class InVerify(InRestore):
    fault = GATE_LAST

    def meet(self, command: Command) -> None:
        super().meet(command)
        self.lock(_TABLE)
        self.barrier.open()
        command.reaches("verify")
        self.meet_lock()


PLACES: dict[str, type[Place]] = {
    "waiting for the application": WaitingForTheApplication,
    "preflight": InPreflight,
    "dump": InDump,
    "wipe": InWipe,
    "restore": InRestore,
    "a statement of pg_restore": InStatementOfRestore,
    "a late write of pg_restore": InLateWrite,
    "verify": InVerify,
    "dump of a checkpoint": InCheckpointDump,
    "before the seal": BeforeSeal,
}


@contextmanager
def hold(
    platform: LocalPlatform, settings: Settings, verb: str, place: str, folder: Path
) -> Iterator[HeldRun]:
    """A run that stands at one place; at the end of the block its process is gone.

    Args:
        platform: The platform.
        settings: The target as the test wants it.
        verb: The command.
        place: One of `PLACES`.
        folder: An empty folder.
    """
    obstacle = PLACES[place](platform, settings, folder)
    with obstacle.undo:
        command = Command(verb, obstacle.settings, folder)
        try:
            obstacle.meet(command)
            yield HeldRun(command, _run_of(platform), obstacle.undo.close)
        finally:
            with suppress(ProcessLookupError):
                command.send(signal.SIGCONT)
            command.kill()


def _run_of(platform: LocalPlatform) -> str:
    with psycopg.connect(platform.superuser.conninfo) as connection:
        rows = connection.execute(_SESSIONS, (f"{APPLICATION}/%",)).fetchall()
    (run,) = {str(name).split("/")[1] for (name,) in rows}
    return run
