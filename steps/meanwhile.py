"""What happens while a run is at work: a listener that acts when one of its phases begins."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from harness.progress import Advance


class Meanwhile:
    """Does something at the beginning of some phases; the run waits for it.

    Args:
        titles: Which phases.
        act: What is done; it is told the phase.
    """

    def __init__(self, titles: Collection[str], act: Callable[[str], None]) -> None:
        self._left = set(titles)
        self._act = act

    @contextmanager
    def phase(self, title: str, total: int | None = None) -> Iterator[Advance]:
        """Act if it is one of the phases."""
        del total
        if title in self._left:
            self._left.discard(title)
            self._act(title)
        yield lambda _steps: None

    def assert_all_began(self) -> None:
        """Look whether each of the phases was there: a title may have been changed.

        Raises:
            AssertionError: Some were not.
        """
        assert not self._left, f"no such phases: {sorted(self._left)}"
