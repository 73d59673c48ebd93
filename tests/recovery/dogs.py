"""Watchdogs as processes of their own, and a server that goes away and comes back."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.deadlines import eventually
from harness.postgres import postmaster
from tests import forked

from .place import SOON, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.forked import Started

QUICK = 0.2
"""Of all times: a round of a second, and the API is waited for six seconds."""


@dataclass
class Dog:
    """A watchdog.

    Args:
        process: Its process.
        alive: The file that it touches.
    """

    process: Started
    alive: Path

    def told(self) -> list[str]:
        return self.process.printed().splitlines()

    def tells(self, words: str, times: int = 1) -> None:
        """Wait until it has told that."""

        def must_tell() -> None:
            found = [line for line in self.told() if words in line]
            assert len(found) >= times, (self.told(), self.process.said())

        eventually(must_tell, SOON)

    def ends(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code, after a signal."""
        self.process.send(number)
        return self.process.ends(SOON)


@contextmanager
def watching(
    place: Place, name: str, *, scale: float = QUICK, dying: tuple[str, ...] = ()
) -> Iterator[Dog]:
    """A watchdog that watches.

    Args:
        place: The sandbox.
        name: Tells it from another one.
        scale: Of all times.
        dying: As `tests.recovery.dying` takes it: a signal, an edge and a phase.
    """
    settings = place.settings
    place.settings = settings.model_copy(update={"deadline_scale": scale})
    config = place.config(f"{name}.toml")
    place.settings = settings
    out, err, alive = (place.folder / f"{name}.{kind}" for kind in ("out", "err", "alive"))
    alive.unlink(missing_ok=True)
    arguments = dying or ("SIGKILL", "never", "")
    where = ["--target=live", f"--sandbox-config={config}", f"--alive={alive}"]
    process = forked.start("tests.recovery.dying", [*arguments, "watch", *where], out, err)
    dog = Dog(process, alive)
    try:
        dog.tells("watching Lease")
        yield dog
    finally:
        process.kill()


@dataclass
class Server:
    """The place's PostgreSQL, as an operator sees it."""

    place: Place
    _command: list[str] | None = None
    _owner: os.stat_result | None = None

    @property
    def _data(self) -> Path:
        (found,) = self.place.platform.run.path.glob("server/**/postmaster.pid")
        return found.parent

    def stop(self) -> None:
        """A fast shutdown: every session is ended."""
        data = self._data
        pid = int((data / "postmaster.pid").read_text().partition("\n")[0])
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        self._command = [word.decode() for word in words if word]
        self._owner = Path(f"/proc/{pid}").stat()
        os.kill(pid, signal.SIGINT)

        def gone() -> None:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            assert not postmaster.processes(data)

        eventually(gone, SOON)

    def start(self) -> None:
        """The same again, at the same port."""
        assert self._command is not None
        assert self._owner is not None
        is_root = os.getuid() == 0
        subprocess.Popen(
            self._command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            user=self._owner.st_uid if is_root else None,
            group=self._owner.st_gid if is_root else None,
            extra_groups=[] if is_root else None,
        ).returncode = 0  # it is the platform's, which ends it
        eventually(self.place.content, SOON)
