"""Signals: the first one unwinds, those that follow wait until everything is put back."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType, TracebackType

_UNWINDING = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """For the length of the block, Ctrl-C and SIGTERM raise KeyboardInterrupt once.

    From then on, and inside `held_off`, signals are kept for later: a second Ctrl-C must not cut
    short what the first one set in motion. Outside the main thread nothing is changed, since
    Python delivers signals there alone.
    """

    def __init__(self) -> None:
        self._unwinding = False
        self._waiting = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._arrived) for number in _UNWINDING}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._waiting and error is None:
            raise KeyboardInterrupt

    def _arrived(self, _number: int, _frame: FrameType | None) -> None:
        if self._unwinding:
            self._waiting = True
            return
        self._unwinding = True
        raise KeyboardInterrupt

    @contextmanager
    def held_off(self) -> Iterator[None]:
        """Keep signals waiting while something is put back."""
        before, self._unwinding = self._unwinding, True
        try:
            yield
        finally:
            self._unwinding = before
