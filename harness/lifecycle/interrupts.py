"""Signals: the first one unwinds, those that follow wait until everything is put back."""

from __future__ import annotations

import signal
import sys
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
    short what the first one set in motion. What has to be put back whatever comes is acquired and
    put back inside `held_off`, with the work between the two in `let_through`: so there is no
    moment at which a signal could get in between. One block may lie in another. Outside the main
    thread nothing is changed, since Python delivers signals there alone.
    """

    def __init__(self) -> None:
        self._unwinding = False
        self._held_off = False
        self._waiting = False
        self._before: dict[int, Any] = {}
        self._outer: Interrupts | None = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._arrived) for number in _UNWINDING}
            owners = (getattr(handler, "__self__", None) for handler in self._before.values())
            self._outer = next((each for each in owners if isinstance(each, Interrupts)), None)
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
        if self._waiting and self._outer is not None:
            # The error goes first; whoever catches it and goes on is interrupted then.
            self._outer._waiting = True  # noqa: SLF001  one of our own kind

    def _arrived(self, _number: int, _frame: FrameType | None) -> None:
        self._waiting = True
        self._take_effect()

    def _take_effect(self) -> None:
        if self._waiting and not self._held_off and not self._unwinding:
            self._waiting, self._unwinding = False, True
            raise KeyboardInterrupt

    @contextmanager
    def held_off(self) -> Iterator[None]:
        """Keep signals waiting; one that came takes effect at the end, unless an error does."""
        before, self._held_off = self._held_off, True
        try:
            yield
        finally:
            self._held_off = before
        if sys.exception() is None:
            self._take_effect()

    @contextmanager
    def let_through(self) -> Iterator[None]:
        """Inside `held_off`, let signals take effect for the length of the block."""
        before, self._held_off = self._held_off, False
        try:
            self._take_effect()
            yield
        finally:
            self._held_off = before
