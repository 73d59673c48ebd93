"""The control group that every process of a stage is born in: what is in it is ours, all else not.

A process cannot leave it by forking, dying parents or starting a session, so nothing is lost when
the starter is killed: components, containers, and whatever these have started are found here.
Unlike a pid, membership is not passed on to a stranger.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from harness.deadlines import Deadline, eventually
from harness.errors import FailedError

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "sandbox-lifecycle-stage"
_COMPONENTS = "components"
_GONE = Deadline(30, "a killed process ends at once; one that writes to a slow disk, later")


def make() -> None:
    """Make the group in every hierarchy: the kubelet wants its root in each."""
    for hierarchy in _hierarchies():
        (hierarchy / NAME).mkdir(exist_ok=True)
    (_counted() / _COMPONENTS).mkdir(exist_ok=True)


def exists() -> bool:
    """Whether a stage is up, or was not ended."""
    return any((hierarchy / NAME).exists() for hierarchy in _hierarchies())


def entrance() -> Path:
    """The file that a component's process writes its own pid to, before the component begins."""
    return _counted() / _COMPONENTS / "cgroup.procs"


def writable() -> bool:
    """Whether this process may make a group in every hierarchy; makes none."""
    found = _hierarchies()
    return bool(found) and all(os.access(hierarchy, os.W_OK) for hierarchy in found)


def members(below: str = "") -> list[int]:
    """The processes in the group or in one below it."""
    found = []
    for directory, _, _ in os.walk(_counted() / below):
        with suppress(OSError):  # a group may go while it is looked at
            lines = Path(directory, "cgroup.procs").read_text(encoding="ascii").split()
            found += [int(line) for line in lines]
    return sorted(found)


def kill() -> None:
    """End every process of the group, and return when none is left.

    Raises:
        FailedError: Some do not end.
    """

    def none_left() -> None:
        left = members()
        for pid in left:
            _kill(pid)
        if left:
            raise FailedError(
                "processes of the stage do not end",
                found=", ".join(f"{pid} ({_name(pid)})" for pid in left),
                expected=f"none within {_GONE.seconds:g} s of SIGKILL",
                remedy="see what they wait for: cat /proc/PID/stack",
            )

    eventually(none_left, _GONE, on=FailedError)


def remove() -> None:
    """Remove the empty group and all below it from every hierarchy."""
    for hierarchy in _hierarchies():
        for directory, _, _ in os.walk(hierarchy / NAME, topdown=False):
            # A group whose last process has just died is busy for a moment.
            eventually(Path(directory).rmdir, _GONE, on=OSError)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError, FileNotFoundError):
        descriptor = os.pidfd_open(pid)
        try:
            # Asked after it was opened: from here on the descriptor means this very process.
            if f"/{NAME}" in Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8"):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        finally:
            os.close(descriptor)


def _name(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    return "?"


def _counted() -> Path:
    """The group in the one hierarchy that all processes are put into."""
    found = _hierarchies()
    return next((path for path in found if path.name == "pids"), found[0]) / NAME


@cache
def _hierarchies() -> tuple[Path, ...]:
    first, second = [], []
    for fields in _mounts():
        point, kind = Path(fields[4]), fields[fields.index("-") + 1]
        if kind == "cgroup":
            first.append(point)
        elif kind == "cgroup2":
            second.append(point)
    # Where both are mounted, the second is there for systemd and has no controllers.
    return tuple(first or second[:1])


def _mounts() -> Iterator[list[str]]:
    with Path("/proc/self/mountinfo").open(encoding="utf-8") as lines:
        yield from (line.split() for line in lines)
