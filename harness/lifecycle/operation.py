"""What every verb needs: both sides, tools for the server, one run's id, the fence, and a clock."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from harness.cluster import client as cluster
from harness.credentials.sources import logins
from harness.errors import FailedError, RefusedError
from harness.golden.store import GoldenStore
from harness.lifecycle.interrupts import Interrupts
from harness.postgres.connection import Run, connect
from harness.postgres.fence import drain, fence
from harness.postgres.identity import Identity, prove_sandbox
from harness.postgres.tools import find_tools
from harness.sides import Prod, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from harness.cluster.client import Cluster
    from harness.deadlines import Deadlines
    from harness.postgres.connection import Connection
    from harness.postgres.fence import Fence
    from harness.postgres.tools import ClientTools
    from harness.progress import Advance, Progress
    from harness.settings import Settings

_PRIVATE_FOLDER = 0o700
_PRIVATE = 0o077


def _nothing() -> None:
    """Nobody runs the application, so there is no Lease to assert."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One run of one verb.

    Args:
        settings: The target.
        prod: What is read.
        sandbox: What is written.
        session: The run's own session on the sandbox, which holds the fence.
        identity: What that session proved to be.
        run: The run.
        find_tools: Finds client tools of the server's version; see `tools`.
        golden: Where golden copies are kept.
        cluster: What runs the application; None where nobody does.
        interrupts: Holds signals off while something is put back.
        progress: Is told of every phase.
        seconds: How long each phase took so far.
        told: What others have changed meanwhile, and was left as it is.
    """

    settings: Settings
    prod: Prod
    sandbox: Sandbox
    session: Connection
    identity: Identity
    run: Run
    find_tools: Callable[[], ClientTools]
    golden: GoldenStore
    cluster: Cluster | None
    interrupts: Interrupts
    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    @property
    def deadlines(self) -> Deadlines:
        """The table of deadlines."""
        return self.settings.deadlines

    @property
    def tools(self) -> ClientTools:
        """Client tools of the server's version, looked for when first asked for.

        Raises:
            ConfigurationError: There are none; every place looked at is named.
        """
        return self.find_tools()

    @contextmanager
    def phase(self, title: str, total: int | None = None, *, detail: str = "") -> Iterator[Advance]:
        """Tell the listener of a phase, and note under its title how long it took."""
        started = time.monotonic()
        told = f"{title} ({detail})" if detail else title
        try:
            with self.progress.phase(told, total) as advance:
                yield advance
        finally:
            self.seconds[title] = round(time.monotonic() - started, 3)

    @contextmanager
    def fenced(self, also: Callable[[], None] = _nothing) -> Iterator[Fence]:
        """Keep other runs out of the database; the application may go on.

        Transient files of a run that was killed hold prod's rows, and are removed first.

        Args:
            also: Asserted together with the fence: what else gives the right to write.
        """
        with self._living_session() as session, fence(session, also=also) as held:
            _remove_own(self._work)
            yield held

    @contextmanager
    def _living_session(self) -> Iterator[Connection]:
        """The run's own session; another one where the server has ended that meanwhile."""
        try:
            self.session.execute("SELECT 1")
        except psycopg.Error:
            with _session(self.sandbox, self.run, self.deadlines) as another:
                yield another
        else:
            yield self.session

    def drain(self) -> None:
        """Wait until nobody is left who could write to the sandbox; the fence is held."""
        with self.phase("wait until nobody writes to the sandbox"):
            drain(self.sandbox, self.run, self.deadlines)

    @contextmanager
    def work_folder(self) -> Iterator[Path]:
        """A private folder for transient files, empty at first and gone at the end."""
        with ExitStack() as stack:
            self._work.mkdir(mode=_PRIVATE_FOLDER, parents=True)
            stack.callback(_remove_own, self._work)
            yield self._work

    @property
    def work_root(self) -> Path:
        """Where transient files lie."""
        return self.settings.tools.work_directory or Path(tempfile.gettempdir())

    @property
    def _work(self) -> Path:
        # Its name is the sandbox's: whoever holds the fence may take what lies there for a rest.
        own = f"{self.identity.system_identifier}-{self.identity.database_oid}"
        return self.work_root / f"sandbox-lifecycle-work-{os.getuid()}-{own}"


@contextmanager
def operation(
    settings: Settings, progress: Progress, run: Run | None = None
) -> Iterator[Operation]:
    """Open a run: get its logins, prove who it is and find its tools. Nothing is changed.

    Args:
        settings: The target.
        progress: Is told of every phase.
        run: The run, where the caller wants to know its id beforehand.

    Raises:
        ConfigurationError: The sandbox cannot be reached, or there are no tools for it.
        RefusedError: The handshake failed.
        FailedError: The server ended a session, or refused a statement, in the block.
    """
    run = run or Run()
    deadlines = settings.deadlines
    with ExitStack() as stack:
        interrupts = stack.enter_context(Interrupts())
        stack.enter_context(_private_files())
        # Whatever is leased is revoked, however often somebody presses Ctrl-C meanwhile.
        stack.enter_context(interrupts.held_off())
        leased = stack.enter_context(logins(settings, run.id))
        stack.enter_context(interrupts.let_through())
        settings = leased.settings
        prod, sandbox = Prod.of(settings), Sandbox.of(settings)
        session = stack.enter_context(_session(sandbox, run, deadlines))
        identity = prove_sandbox(session, sandbox)
        major = session.info.server_version // 10000
        own = Operation(
            settings=settings,
            prod=prod,
            sandbox=sandbox,
            session=session,
            identity=identity,
            run=run,
            # A differential reset is over before three programs have told their version.
            find_tools=cache(partial(find_tools, settings.tools, major, deadlines)),
            golden=GoldenStore(settings.golden.directory, settings.golden.generations),
            cluster=stack.enter_context(cluster.connect(settings.cluster, deadlines))
            if settings.cluster is not None
            else None,
            interrupts=interrupts,
            progress=progress,
            told=leased.told,
        )
        try:
            yield own
        except psycopg.Error as error:
            raise failed(error) from error


def _session(
    sandbox: Sandbox, run: Run, deadlines: Deadlines
) -> AbstractContextManager[Connection]:
    return connect(sandbox, run, "fence", deadlines)


def failed(error: psycopg.Error) -> FailedError:
    """An error of the server's, told without the rows that its details may quote."""
    failed = FailedError(
        "PostgreSQL ended the run's work",
        found=error.diag.message_primary or str(error).partition("\n")[0],
        expected="a server that stays up, and sessions that nobody ends",
        remedy="look into the server's log, then run the command again; sandbox-lifecycle status"
        " tells what the sandbox holds",
    )
    for note in getattr(error, "__notes__", ()):
        failed.add_note(note)
    return failed


@contextmanager
def _private_files() -> Iterator[None]:
    """Whatever is written meanwhile is for this user alone."""
    before = os.umask(_PRIVATE)
    try:
        yield
    finally:
        os.umask(before)


def _remove_own(folder: Path) -> None:
    if not os.path.lexists(folder):
        return
    found = folder.lstat()
    if folder.is_symlink() or found.st_uid != os.getuid():
        raise RefusedError(
            f"{folder} is not this user's folder",
            found=f"a {'link' if folder.is_symlink() else 'folder'} of user {found.st_uid}",
            expected="nothing there, or what an earlier run of this user left",
            remedy="remove it, or set tools.work_directory; nothing has been changed",
        )
    shutil.rmtree(folder)
