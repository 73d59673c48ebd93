"""Processes of the host that stand for containers, and that outlive the stand-in's own death.

A process is known by pid and time of birth, written down *before* its program begins: it waits at
a gate for one line on its standard input, and ends by itself if the stand-in dies first. So none is
ever lost: a restarted stand-in adopts it, and `purge` ends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from harness.cluster.holder import birth
from harness.local.kubernetes import image

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

GATE = ("/bin/sh", "-c", 'read -r go && exec "$@" </dev/null', "sh")
"""Put before a command: it begins when a line comes, and ends where the pipe ends without one."""

_RECORD_SUFFIX = ".process"
_POLL_SECONDS = 0.05
UNKNOWN_EXIT = 137
"""The exit code of a process that ended unseen; the kubelet reports the same."""


class Child(Protocol):
    """A process that this one has started."""

    async def wait(self) -> int:
        """Its exit code, once it has ended; negative for the signal that killed it."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process in a session of its own.

    Args:
        pid: Its id, and its group's.
        born: Its time of birth.
        child: Tells of its end; None for one that an earlier stand-in started.
    """

    pid: int
    born: str
    child: Child | None = None

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return birth(self.pid) == self.born

    def terminate(self) -> None:
        """Ask the process to end, as the kubelet asks a container's first process."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End it and all of its group."""
        if self.alive:
            self._clear_group()

    async def wait(self) -> int:
        """Wait for its end, clear away what it leaves in its group, and return the exit code."""
        if self.child is not None:
            code = await self.child.wait()
            self._clear_group()
            return code if code >= 0 else 128 - code
        while self.alive:  # noqa: ASYNC110  nothing tells of another's child
            await asyncio.sleep(_POLL_SECONDS)
        return UNKNOWN_EXIT

    def _clear_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


async def start(
    command: Sequence[str], *, environment: Mapping[str, str], log: Path, directory: Path
) -> Process:
    """Start a program; its record stands beside its log.

    Args:
        command: Program and arguments.
        environment: All of its environment.
        log: Where its output is appended.
        directory: Where it runs.
    """
    if image.holds(command):
        forked = await image.fork(environment, log, directory)
        born = record(log, forked.pid)
        forked.begin()
        return Process(forked.pid, born, forked)
    with log.open("ab") as output:
        child = await asyncio.create_subprocess_exec(
            *GATE, *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=output,
            env=dict(environment),
            cwd=directory,
            start_new_session=True,
        )  # fmt: skip
    born = record(log, child.pid)
    if child.stdin is not None:
        with contextlib.suppress(ConnectionError):
            child.stdin.write(b"go\n")
            await child.stdin.drain()
        child.stdin.close()
    return Process(child.pid, born, child)


def record(log: Path, pid: int) -> str:
    """Note beside its log which process waits at the gate; returns its time of birth."""
    born = birth(pid) or ""
    fresh = log.with_suffix(".new")
    fresh.write_text(json.dumps({"pid": pid, "born": born}))
    fresh.replace(log.with_suffix(_RECORD_SUFFIX))
    return born


def recorded(log: Path) -> Process | None:
    """The process that was started for this log, dead or alive."""
    path = log.with_suffix(_RECORD_SUFFIX)
    return _read(path) if path.exists() else None


def purge(pods: Path) -> None:
    """End every process recorded below a directory: for when no stand-in will come back."""
    for path in pods.glob(f"*/*{_RECORD_SUFFIX}"):
        _read(path).kill()


def _read(path: Path) -> Process:
    record = json.loads(path.read_text())
    return Process(record["pid"], record["born"])
