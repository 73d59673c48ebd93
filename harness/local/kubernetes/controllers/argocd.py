"""Argo CD's application controller: one pair of workers for each Application.

As in life it looks at the Applications of its own namespace only.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from harness.local.kubernetes.controllers.application import Worker
from harness.local.kubernetes.resources import APPLICATIONS
from harness.local.kubernetes.status import StatusError

if TYPE_CHECKING:
    from harness.local.kubernetes.git import Git
    from harness.local.kubernetes.registry import Registry
    from harness.local.kubernetes.resources import Obj
    from harness.local.kubernetes.store import Event


class ArgoCd:
    """The controller of all Applications.

    Args:
        registry: The objects.
        git: The desired state.
        speed: How much faster than in life time runs.
        namespace: Argo CD's own.
    """

    def __init__(self, registry: Registry, git: Git, speed: float, namespace: str) -> None:
        self._namespace = namespace
        self._registry = registry
        self._git = git
        self._speed = speed
        self._workers: dict[str, Worker] = {}

    async def run(self) -> None:
        """Work on the Applications that are there, and on each that comes, until cancelled."""
        self._registry.store.subscribe(self._notice)
        self._git.subscribe(self._wake_all)
        for application in self._registry.store.find(APPLICATIONS, self._namespace):
            self._take(application)
        await asyncio.Event().wait()

    def race(self, name: str) -> None:
        """Hold the next pass of an Application until it has been paused."""
        worker = self._workers.get(name)
        if worker is None:
            raise StatusError(404, "NotFound", f"Argo CD knows no Application {name}")
        worker.hold_next_pass()

    def _take(self, application: Obj) -> None:
        metadata = application["metadata"]
        place = metadata["namespace"], metadata["name"]
        self._workers[metadata["name"]] = Worker(self._registry, self._git, self._speed, place)

    def _notice(self, event: Event) -> None:
        metadata = event.new["metadata"]
        for worker in self._workers.values():
            worker.notice_resource(event)  # which may be another Application
        if event.resource is not APPLICATIONS or metadata["namespace"] != self._namespace:
            return
        if event.old is None:
            self._take(event.new)
        elif event.change == "DELETED":
            self._workers.pop(metadata["name"]).stop()
        else:
            self._workers[metadata["name"]].notice(event.old, event.new)

    def _wake_all(self) -> None:
        for worker in self._workers.values():
            worker.refresh()
