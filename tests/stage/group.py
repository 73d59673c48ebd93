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

from harness.deadlines import Deadline, eventually
from harness.errors import FailedError

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
    return any((hierarchy / NAME).exists() for hierarchy in _everywhere())


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
    """End every process of the group, and return when none is left and none can enter any more.

    One that its killed starter had just begun may still be on its way in. It finds the door gone,
    and ends.

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

        with suppress(FileNotFoundError):
            entrance().parent.rmdir()

    # A group whose last process has just died, or entered, is busy.
    eventually(none_left, _GONE)


def remove() -> None:
    """Remove the empty group and all below it from every hierarchy."""
    for hierarchy in _everywhere():
        for directory, _, _ in os.walk(hierarchy / NAME, topdown=False):
            # One whose last process has just died is busy for a moment.
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
    """Those with controllers: all of the first version, or the one of the second."""
    first = _mounted("cgroup")
    return first or _mounted("cgroup2")[:1]


def _everywhere() -> tuple[Path, ...]:
    """Where runc makes groups: beside the first version, in the second without controllers too."""
    return _mounted("cgroup") + _mounted("cgroup2")


def _mounted(kind: str) -> tuple[Path, ...]:
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    mounts = [line.split() for line in lines]
    return tuple(Path(fields[4]) for fields in mounts if fields[fields.index("-") + 1] == kind)
