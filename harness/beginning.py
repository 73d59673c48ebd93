"""A signal that comes before the work of a command begins: it ends the command there and then."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, NoReturn

from harness.errors import INTERRUPTED

if TYPE_CHECKING:
    from types import FrameType

_TOLD = b"interrupted before anything was begun; nothing has been changed\n"
_ENDING = (signal.SIGINT, signal.SIGTERM)


def hear() -> None:
    """Let Ctrl-C and SIGTERM end this process until `begin`.

    A container's first process does not get a signal that it has no handler for: told to end while
    it is loaded, it would begin its work instead, and be killed in the middle of it.
    """
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def begin() -> None:
    """From here on both raise KeyboardInterrupt: there may be something to put back."""
    for number in _ENDING:
        if signal.getsignal(number) is _end:
            signal.signal(number, signal.default_int_handler)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    # No exception: whatever is being imported, or reads the options, might take it for its own.
    os.write(2, _TOLD)
    os._exit(INTERRUPTED)
