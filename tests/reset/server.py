"""The server beneath the sandbox: killed in any way, stopped, and started again as it was."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from harness.deadlines import Deadline, eventually
from harness.postgres import postmaster

if TYPE_CHECKING:
    from harness.local.platform import LocalPlatform

SOON = Deadline(30, "whatever is waited for takes a second on an idle machine")


class Server:
    """The processes of a platform's server.

    Args:
        platform: The platform.
    """

    def __init__(self, platform: LocalPlatform) -> None:
        self.data = platform.run.path / "server" / "data"
        self._superuser = platform.superuser.conninfo
        pid = self._postmaster()
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        self._command = [word.decode() for word in words if word]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def programs(self) -> Path:
        """Where the server's programs are."""
        return Path(self._command[0]).parent

    def kill_postmaster(self) -> None:
        """Kill the first process alone; the others notice."""
        first = self._postmaster()
        os.kill(first, signal.SIGKILL)
        eventually(self._assert_gone, SOON)
        self._reap(first)

    def stop(self, number: signal.Signals) -> None:
        """End it: SIGINT in good order, SIGQUIT without, SIGKILL with every process of it."""
        first = self._postmaster()
        postmaster.end(self.data, SOON, [number])
        self._reap(first)

    def start(self) -> None:
        """Start it as it was started first, and wait until it answers."""

        def answers() -> None:
            # It refuses to start while a session of the one before is still there.
            if self._process is None or self._process.poll() is not None:
                self._process = self.run(self._command)
            psycopg.connect(self._superuser, connect_timeout=2).close()

        eventually(answers, SOON)

    def run(self, command: list[str]) -> subprocess.Popen[bytes]:
        """Run a program as the server's own user."""
        return subprocess.Popen(
            command,
            cwd=self.data,
            user="nobody" if os.geteuid() == 0 else None,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def close(self) -> None:
        """End what was started here; what the platform has started is its own affair."""
        if self._process is not None:
            self.stop(signal.SIGQUIT)

    def _postmaster(self) -> int:
        return int((self.data / "postmaster.pid").read_text().partition("\n")[0])

    def _assert_gone(self) -> None:
        assert postmaster.processes(self.data) == []

    def _reap(self, first: int) -> None:
        if self._process is not None:
            self._process.wait()
            self._process = None
        else:
            # The platform has started it, in this very process: unless it is waited for it stays a
            # zombie, and the next server takes that for one that still runs.
            with suppress(ChildProcessError):
                os.waitpid(first, 0)
