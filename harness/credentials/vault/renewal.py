"""Keeping alive what a run has leased, for a short time at a time, and no longer than the run."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol, Self

from harness.credentials.vault.client import VaultError

if TYPE_CHECKING:
    from types import TracebackType


class Renewable(Protocol):
    """The token, or a lease."""

    def renew(self, seconds: int) -> float:
        """Let it live that long from now on; returns the seconds that were granted."""
        ...


class Renewal:
    """Renews in the background while the block runs, each time when a third of its life is over.

    The thread is gone when the block is, and dies with the process. What Vault refuses is tried
    again in a third of what is left, and told.

    Args:
        everything: What is kept alive; the first is what all others end with.
        seconds: For how long at a time.
        told: What went wrong is added to it.
    """

    def __init__(self, everything: tuple[Renewable, ...], seconds: int, told: list[str]) -> None:
        self._everything = everything
        self._seconds = seconds
        self._told = told
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="renewal", daemon=True)
        self._granted = 0.0

    def __enter__(self) -> Self:
        # From here on nothing that is leased outlives a killed run for longer than that.
        self._granted = min(each.renew(self._seconds) for each in self._everything)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _keep(self) -> None:
        pause = self._granted / 3
        while not self._over.wait(pause):
            try:
                pause = min(each.renew(self._seconds) for each in self._everything) / 3
            except VaultError as error:
                pause /= 3
                self._tell(f"{error.what}: {error.found}")

    def _tell(self, text: str) -> None:
        if text not in self._told:
            self._told.append(text)
