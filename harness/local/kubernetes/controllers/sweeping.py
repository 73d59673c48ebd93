"""The simplest controller there is: after any change of interest, look at everything again."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.local.kubernetes.registry import Registry
    from harness.local.kubernetes.store import Event

logger = logging.getLogger(__name__)

_RETRY_SECONDS = 0.5


class Sweeper:
    """Calls `sweep` soon after each change that `concerns` it.

    A sweep never waits, so it sees and writes one consistent state.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._wake = asyncio.Event()
        self._wake.set()
        registry.store.subscribe(self._notice)

    def concerns(self, event: Event) -> bool:
        """Whether the change may call for work."""
        raise NotImplementedError

    def sweep(self) -> None:
        """Bring everything nearer to what it should be."""
        raise NotImplementedError

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                self.sweep()
            except Exception:
                logger.exception("%s", type(self).__name__)
                await asyncio.sleep(_RETRY_SECONDS)
                self._wake.set()

    def _notice(self, event: Event) -> None:
        if self.concerns(event):
            self._wake.set()
