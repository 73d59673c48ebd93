"""The command's way in: it hears a signal before it is loaded."""

from __future__ import annotations

import gc
import signal
import sys

from harness.errors import INTERRUPTED


def main() -> None:
    """Load the command, which takes a second, and run it.

    A container's first process does not get a signal that it has no handler for: told to end in
    that second, it would begin its work instead, and be killed in the middle of it.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    gc.disable()  # what is loaded stays: looking through it for garbage is a tenth of that second
    try:
        from harness.cli import app  # noqa: PLC0415  what is loaded here is what takes the time
    except KeyboardInterrupt:
        sys.stderr.write("interrupted before anything was begun; nothing has been changed\n")
        sys.exit(INTERRUPTED)
    gc.enable()
    app()


if __name__ == "__main__":
    main()
