"""Run a command to its end, and see how long it takes and how much memory it needs.

Linux only: memory is read from /proc. `getrusage` would not do: what it tells of a child starts
with the memory of the process that forked it.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_PROC = Path("/proc")
_EVERY = 0.05
_FIELD = re.compile(r"^(VmHWM|VmRSS):\s+(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Watched:
    """A command that ended.

    Args:
        exit_code: Its exit code.
        output: What it wrote to standard output.
        errors: What it wrote to standard error.
        seconds: From its start to its end.
        own_peak: Most memory that the process itself had resident, in bytes; the kernel's figure.
        tree_peak: Most that it and all programs below it had at one time, in bytes; sampled, and
            pages that two of them share are counted twice.
    """

    exit_code: int
    output: str
    errors: str
    seconds: float
    own_peak: int
    tree_peak: int


def run_watched(
    command: Sequence[str | Path], environment: Mapping[str, str] | None = None
) -> Watched:
    """Run a command, looking at its memory twenty times a second."""
    own_peak = tree_peak = 0
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        started = time.monotonic()
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=environment
        ) as process:
            while process.poll() is None:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_EVERY)
                own_peak = max(own_peak, _memory(process.pid).get("VmHWM", 0))
                tree_peak = max(tree_peak, _tree_memory(process.pid))
            seconds = time.monotonic() - started
        output.seek(0)
        errors.seek(0)
        return Watched(
            process.returncode, output.read(), errors.read(), seconds, own_peak, tree_peak
        )


def _tree_memory(pid: int) -> int:
    own = _command_line(pid)
    return _memory(pid).get("VmRSS", 0) + sum(
        _memory(child).get("VmRSS", 0)
        for child in _tree(pid)
        # For the moment between fork and exec a child is its parent's memory over again.
        if _command_line(child) != own
    )


def _command_line(pid: int) -> bytes:
    with suppress(OSError):
        return (_PROC / str(pid) / "cmdline").read_bytes()
    return b""


def _tree(pid: int) -> Iterator[int]:
    """A process and all below it, as far as they still live."""
    yield pid
    with suppress(OSError):
        for thread in (_PROC / str(pid) / "task").iterdir():
            for child in (thread / "children").read_text(encoding="ascii").split():
                yield from _tree(int(child))


def _memory(pid: int) -> dict[str, int]:
    """The resident memory of a process now and at its peak, in bytes; empty if it has ended."""
    try:
        status = (_PROC / str(pid) / "status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    return {name: int(kilobytes) * 1024 for name, kilobytes in _FIELD.findall(status)}
