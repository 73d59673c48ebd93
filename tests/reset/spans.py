"""What may be seen of a write when resets come in between.

Neither a request nor a reset tells when it took effect, but it did at one moment between its begin
and its end. So what lies wholly between two requests came between them, what touches neither did
not, and of the rest either may be.
"""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Span:
    """Begin and end, in seconds of the monotonic clock; what goes on still ends never."""

    began: float
    ended: float = math.inf


class Resets:
    """Every reset so far; read by all clients while one thread resets."""

    def __init__(self) -> None:
        self._spans: list[Span] = []

    def __len__(self) -> int:
        return len(self._spans)

    @property
    def seconds(self) -> float:
        """How long they took together."""
        return sum(each.ended - each.began for each in self._spans)

    @contextmanager
    def one(self) -> Iterator[None]:
        """A reset is what happens in the block."""
        span = Span(time.monotonic())
        self._spans.append(span)
        yield
        span.ended = time.monotonic()

    def surely_between(self, first: Span, then: Span) -> bool:
        """Whether a reset began after the first request, and ended before the other."""
        return any(
            first.ended <= each.began and each.ended <= then.began for each in list(self._spans)
        )

    def maybe_between(self, first: Span, then: Span) -> bool:
        """Whether a reset may have taken effect after the first request, and before the other."""
        return any(
            first.began <= each.ended and each.began <= then.ended for each in list(self._spans)
        )


class Register:
    """Something that one client alone writes: golden, or as that client has written it.

    Args:
        golden: How it is after a reset.
    """

    def __init__(self, golden: Any) -> None:
        self.golden = golden
        self.written: tuple[Any, Span] | None = None

    def write(self, value: Any, span: Span) -> None:
        """It was written, or seen as it was written: at some moment of the span."""
        self.written = (value, span)

    def explains(self, value: Any, read: Span, resets: Resets) -> bool:
        """Whether it may be read so; what was read says how it stood at that moment."""
        if self.written is None:
            return bool(value == self.golden)
        written, span = self.written
        if value == written and not resets.surely_between(span, read):
            self.written = (written, read)
            return True
        if value == self.golden and resets.maybe_between(span, read):
            self.written = None
            return True
        return False
