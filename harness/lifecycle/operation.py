"""What every verb needs: both sides, tools for the server, one run's id, the fence, and a clock."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import RefusedError
from harness.golden.store import GoldenStore
from harness.lifecycle.interrupts import Interrupts
from harness.postgres.connection import Run, connect
from harness.postgres.fence import drain, fence
from harness.postgres.identity import Identity, prove_sandbox
from harness.postgres.tools import find_tools
from harness.sides import Prod, Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from harness.deadlines import Deadlines
    from harness.postgres.fence import Fence
    from harness.postgres.tools import ClientTools
    from harness.progress import Advance, Progress
    from harness.settings import Settings

_PRIVATE_FOLDER = 0o700
_PRIVATE = 0o077


@dataclass(frozen=True, slots=True)
class Operation:
    """One run of one verb.

    Args:
        settings: The target.
        prod: What is read.
        sandbox: What is written.
        identity: What the sandbox's session proved to be.
        run: The run.
        tools: Client tools of the server's version.
        golden: Where golden copies are kept.
        interrupts: Holds signals off while something is put back.
        progress: Is told of every phase.
        seconds: How long each phase took so far.
    """

    settings: Settings
    prod: Prod
    sandbox: Sandbox
    identity: Identity
    run: Run
    tools: ClientTools
    golden: GoldenStore
    interrupts: Interrupts
    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def deadlines(self) -> Deadlines:
        """The table of deadlines."""
        return self.settings.deadlines

    @contextmanager
    def phase(self, title: str, total: int | None = None) -> Iterator[Advance]:
        """Tell the listener of a phase, and note how long it took."""
        started = time.monotonic()
        try:
            with self.progress.phase(title, total) as advance:
                yield advance
        finally:
            self.seconds[title] = round(time.monotonic() - started, 3)

    def fenced(self) -> AbstractContextManager[Fence]:
        """Keep other runs out; the application may go on."""
        return fence(self.sandbox, self.run, self.deadlines)

    @contextmanager
    def alone(self) -> Iterator[Fence]:
        """Hold the fence, with nobody left who could write to the sandbox."""
        with self.fenced() as held:
            with self.phase("wait until nobody writes to the sandbox"):
                drain(self.sandbox, self.run, self.deadlines)
            yield held

    @contextmanager
    def work_folder(self) -> Iterator[Path]:
        """A private folder for transient files, empty at first and gone at the end.

        Its name is the sandbox's, and the fence is held: what lies there already was left by a run
        that was killed, and holds prod's rows, so it is removed first.
        """
        root = self.settings.tools.work_directory or Path(tempfile.gettempdir())
        own = f"{self.identity.system_identifier}-{self.identity.database_oid}"
        folder = root / f"sandbox-lifecycle-work-{os.getuid()}-{own}"
        with ExitStack() as stack:
            _remove_own(folder)
            folder.mkdir(mode=_PRIVATE_FOLDER, parents=True)
            stack.callback(_remove_own, folder)
            yield folder


@contextmanager
def operation(
    settings: Settings, progress: Progress, run: Run | None = None
) -> Iterator[Operation]:
    """Open a run: prove who it is and find its tools. Nothing is changed.

    Args:
        settings: The target.
        progress: Is told of every phase.
        run: The run, where the caller wants to know its id beforehand.

    Raises:
        ConfigurationError: The sandbox cannot be reached, or there are no tools for it.
        RefusedError: The handshake failed.
    """
    run = run or Run()
    prod, sandbox = Prod.of(settings), Sandbox.of(settings)
    deadlines = settings.deadlines
    with Interrupts() as interrupts, _private_files():
        with connect(sandbox, run, "preflight", deadlines, read_only=True) as session:
            with session.transaction():
                identity = prove_sandbox(session, sandbox)
            major = session.info.server_version // 10000
        yield Operation(
            settings=settings,
            prod=prod,
            sandbox=sandbox,
            identity=identity,
            run=run,
            tools=find_tools(settings.tools, major, deadlines),
            golden=GoldenStore(settings.golden.directory, settings.golden.generations),
            interrupts=interrupts,
            progress=progress,
        )


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
