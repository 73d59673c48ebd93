"""Undo that a second Ctrl-C cannot cut short."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

_WAITING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Undo(ExitStack):
    """An ExitStack during whose unwinding signals wait.

    What it undoes is named by a path or an id, not by a result, so it can be registered on the
    line *before* the act: a signal between the two then finds it.
    """

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> bool | None:
        """Undo everything; a signal that came meanwhile takes effect afterwards."""
        with signals_wait():
            return super().__exit__(kind, error, trace)


@contextmanager
def signals_wait() -> Iterator[None]:
    """Hold back SIGINT, SIGTERM and SIGHUP until the block has ended."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python handles signals in the main thread alone
        return
    came: list[int] = []

    def note(number: int, _frame: Any) -> None:
        came.append(number)

    before = {number: signal.signal(number, note) for number in _WAITING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        for signal_number in dict.fromkeys(came):
            signal.raise_signal(signal_number)
