"""Run a client tool that ends when the harness ends, however that happens.

A program of its own, started as `python -I -S leash.py FD PROGRAM ARGUMENT...`. It leads a process
group that holds the tool and the tool's own workers, and watches a pipe whose other end only the
harness has. `kill -9` of the harness closes the pipe, and the whole group dies at once: a
pg_restore left alive would go on writing beside the next run's.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading

_PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    """Ask Linux to kill the tool when this very process is killed; elsewhere the pipe must do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _kill_group_at_end_of(pipe: int) -> None:
    while os.read(pipe, 1):
        pass
    os.killpg(0, signal.SIGKILL)


def main(arguments: list[str]) -> int:
    """Run the tool and return its exit code, 128 + N where signal N ended it."""
    pipe = int(arguments[0])
    # Forked while this process has one thread, so the hook between fork and exec is safe.
    tool = subprocess.Popen(arguments[1:], preexec_fn=_die_with_parent, close_fds=True)  # noqa: PLW1509
    threading.Thread(target=_kill_group_at_end_of, args=(pipe,), daemon=True).start()
    code = tool.wait()
    return 128 - code if code < 0 else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
