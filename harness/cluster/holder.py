"""Who holds a Lease, told so that the same machine can see whether the holder is still alive."""

from __future__ import annotations

import os
import platform
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_SEPARATOR = "/"
_PARTS = 5


@dataclass(frozen=True, slots=True)
class Holder:
    """One process on one machine.

    Args:
        run: The run that it does.
        host: The machine's name, for whoever reads it.
        machine: What the machine was since it was started, and which processes it counts; empty
            where that cannot be known.
        pid: The process.
        born: When it was born, to tell it from a later one of the same number.
    """

    run: str
    host: str
    machine: str
    pid: int
    born: str

    @classmethod
    def here(cls, run: str) -> Self:
        """This very process, doing a run."""
        pid = os.getpid()
        return cls(run, platform.node() or "unknown", this_machine(), pid, birth(pid) or "")

    @classmethod
    def parse(cls, identity: str) -> Self | None:
        """Read what `str` wrote; None for a holder that is none of this harness's."""
        parts = identity.split(_SEPARATOR)
        if len(parts) != _PARTS or not parts[3].isdecimal():
            return None
        run, host, machine, pid, born = parts
        return cls(run, host, machine, int(pid), born)

    @property
    def lives(self) -> bool | None:
        """Whether the process still runs; None where it is another machine's, so nobody knows."""
        if not self.machine or self.machine != this_machine():
            return None
        born = birth(self.pid)
        if born is None:
            return _is_there(self.pid)
        return not self.born or born == self.born

    def __str__(self) -> str:
        return _SEPARATOR.join((self.run, self.host, self.machine, str(self.pid), self.born))


def this_machine() -> str:
    """What stays the same until the next start, and differs between containers of one machine.

    Two containers share the kernel and its boot id, but not the numbers of their processes: what is
    pid 7 here may be nothing, or something else, there.
    """
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}.{Path('/proc/self/ns/pid').stat().st_ino}"
    return _told_by(["sysctl", "-n", "kern.bootsessionuuid"]).lower()


def birth(pid: int) -> str | None:
    """When a living process was born, in a form to be compared only; None if nothing tells."""
    try:
        # The name in parentheses may itself hold spaces and parentheses.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        state, *others = fields.rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self/stat").exists():
            return None
        state, _, born = _told_by(["ps", "-o", "stat=,lstart=", "-p", str(pid)]).partition(" ")
        return None if not state or state.startswith("Z") else "-".join(born.split())
    return None if state in {"Z", "X"} else others[18]


def _is_there(pid: int) -> bool:
    """Whether a process that nothing tells about is another user's, and hidden, not dead."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return False  # ours, so it would be told of: a zombie


def _told_by(command: list[str]) -> str:
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return told.stdout.strip()
