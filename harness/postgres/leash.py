"""Run a client tool that ends when the harness ends, however that happens.

A program of its own, started as `python -I -S leash.py FD PROGRAM ARGUMENT...`. It leads a process
group that holds the tool and the tool's own workers, and watches a pipe whose other end only the
harness has. `kill -9` of the harness closes the pipe, and the whole group dies at once: a
pg_restore left alive would go on writing beside the next run's.
"""

from __future__ import annotations

import _thread
import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_FIRST_OWN_DESCRIPTOR = 3
_NOT_STARTED = 127


def _die_with_parent() -> None:
    """Ask Linux to kill the tool when this very process is killed; elsewhere the pipe must do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _become(command: list[str]) -> None:
    """Go on as the tool, with nothing that is open here but its standard streams."""
    try:
        os.closerange(_FIRST_OWN_DESCRIPTOR, os.sysconf("SC_OPEN_MAX"))
        # Python ignores it, and a program inherits that.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        _die_with_parent()
        os.execv(command[0], command)  # noqa: S606  there is no shell
    except OSError as error:
        # In the form of the tools' own messages, which are read by a program.
        sys.stderr.write(f"{command[0].rpartition('/')[-1]}: error: {error}\n")
        sys.stderr.flush()
    finally:
        os._exit(_NOT_STARTED)


def _kill_group_at_end_of(pipe: int) -> None:
    while os.read(pipe, 1):
        pass
    os.killpg(0, signal.SIGKILL)


def main(arguments: list[str]) -> int:
    """Run the tool and return its exit code, 128 + N where signal N ended it."""
    pipe = int(arguments[0])
    # `subprocess` and `threading` would take longer to load than most tools to run.
    tool = os.fork()
    if tool == 0:
        _become(arguments[1:])
    _thread.start_new_thread(_kill_group_at_end_of, (pipe,))
    _, status = os.waitpid(tool, 0)
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
