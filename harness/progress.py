"""How the engine tells what it is doing, without knowing who listens."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    Advance = Callable[[int], None]


class Progress(Protocol):
    """A listener: told when a phase begins, moves on and ends."""

    def phase(self, title: str, total: int | None = None) -> AbstractContextManager[Advance]:
        """Open a phase; the value entered is called with the number of steps done since.

        Args:
            title: What is being done, in a few words.
            total: How many steps there are, or None where nobody can know.
        """
        ...


class Silent:
    """The listener for whoever wants no progress."""

    @contextmanager
    def phase(self, title: str, total: int | None = None) -> Iterator[Advance]:  # noqa: ARG002  the protocol's shape
        """Tell nobody."""
        yield lambda _steps: None
