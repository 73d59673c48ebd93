"""The command, dying exactly where it is told to: when a phase begins, or when it ends.

python -m tests.recovery.dying DEATH EDGE PHASE COMMAND...

DEATH is `SIGINT`, `SIGTERM`, `SIGKILL`, or `gone`: as SIGKILL, and the Lease names another machine,
so that nobody can see that its holder is dead. EDGE is `begin` or `end`.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING
from unittest.mock import patch

from harness.cli import app
from harness.cli.console import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.progress import Advance

GONE = "gone"


class Dying:
    """A listener that ends its own process, once, at one edge of one phase."""

    def __init__(self, number: signal.Signals, edge: str, title: str) -> None:
        self._number = number
        self._place = (edge, title)
        self._is_over = False

    @contextmanager
    def phase(self, title: str, total: int | None = None) -> Iterator[Advance]:
        del total
        self._at("begin", title)
        yield lambda _steps: None
        self._at("end", title)

    def _at(self, edge: str, title: str) -> None:
        if not self._is_over and (edge, title) == self._place:
            self._is_over = True
            sys.stderr.write(f"{self._number.name} at the {edge} of: {title}\n")
            sys.stderr.flush()
            os.kill(os.getpid(), self._number)


def main() -> None:
    death, edge, title, *command = sys.argv[1:]
    number = signal.SIGKILL if death == GONE else signal.Signals[death]
    # A shell lets what it starts in the background ignore Ctrl-C; this is Python's own answer.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if death == GONE:
        patch("harness.cluster.holder.this_machine", lambda: "another.1").start()
    patch.object(Terminal, "phase", Dying(number, edge, title).phase).start()
    app(command)


if __name__ == "__main__":
    main()
