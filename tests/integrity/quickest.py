"""How long something takes where nothing else is in its way: a busy machine only ever adds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")
_TRIES = 5


def quickest(ask: Callable[[], Answer]) -> tuple[Answer, float]:
    """The answer, and the seconds that the quickest of a few tries took."""
    taken = []
    for _ in range(_TRIES):
        started = time.monotonic()
        answer = ask()
        taken.append(time.monotonic() - started)
    return answer, min(taken)
