"""The processes of a server, found by its data directory: what a pid file says is never trusted.

A pid file may be missing, because the run was killed between two lines, and its number may by now
belong to somebody else's process. The data directory in the command line is neither.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from harness.deadlines import eventually
from harness.errors import FailedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.deadlines import Deadline

FAST_THEN_IMMEDIATE = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)
# Where the data is thrown away with the server, its closing checkpoint would be time lost.
IMMEDIATE = (signal.SIGQUIT, signal.SIGKILL)


def end(data: Path, deadline: Deadline, signals: Sequence[signal.Signals]) -> None:
    """End every process of the server on `data`; return when none is left.

    Args:
        data: The data directory, as the server was started with it.
        deadline: How long to wait after each signal.
        signals: What to send, one after the other, until they are gone.

    Raises:
        FailedError: Some are still there after the last signal.
    """
    remaining: list[int] = []

    def gone() -> None:
        nonlocal remaining
        remaining = processes(data)
        if remaining:
            raise FailedError(
                "a local PostgreSQL server does not end",
                found=f"processes {', '.join(map(str, remaining))} on {data}",
                expected=f"none, within {deadline.seconds:g} s of {signals[-1].name}",
                remedy=f"end them by hand (kill -9), then remove {data.parent}",
            )

    for number in signals:
        # A postmaster ends its children in good order, but not if it is killed.
        everyone = processes(data)
        orderly = [] if number == signal.SIGKILL else _postmasters(data)
        for pid in orderly or everyone:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        with suppress(FailedError):
            eventually(gone, deadline)
        for pid in orderly:
            # One that this very process has started stays a zombie until it is waited for.
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        if not remaining:
            return
    gone()


def processes(data: Path) -> list[int]:
    """Every process of the server on `data`: postmaster, backends, initdb and its children."""
    if not Path("/proc/self/cwd").exists():
        return _postmasters(data)
    return sorted({*_postmasters(data), *_working_in(data)})


def _postmasters(data: Path) -> list[int]:
    wanted = ["-D", str(data)]
    return [
        pid
        for pid, words in _command_lines()
        if pid != os.getpid() and any(words[i : i + 2] == wanted for i in range(len(words)))
    ]


def _working_in(data: Path) -> Iterator[int]:
    # Every process of a server works in its data directory; a backend whose postmaster was killed
    # has no other sign of where it belongs.
    for pid in _pids():
        with suppress(OSError):
            if Path(f"/proc/{pid}/cwd").readlink() == data:
                yield pid


def _command_lines() -> Iterator[tuple[int, list[str]]]:
    if not Path("/proc/self/cmdline").exists():
        listing = subprocess.run(
            ["/bin/ps", "-axww", "-o", "pid=,command="], capture_output=True, text=True, check=True
        )
        for line in listing.stdout.splitlines():
            number, *words = line.split()
            yield int(number), words
        return
    for pid in _pids():
        with suppress(OSError):
            raw = Path(f"/proc/{pid}/cmdline").read_bytes()
            yield pid, raw.decode(sys.getfilesystemencoding(), "surrogateescape").split("\0")


def _pids() -> Iterator[int]:
    return (int(entry) for entry in os.listdir("/proc") if entry.isdigit())  # noqa: PTH208
