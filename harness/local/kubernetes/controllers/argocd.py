"""Argo CD's application controller: one pair of workers for each Application.

As in life it looks at the Applications of its own namespace only, unless it is told of others.
"""

from __future__ import annotations

import asyncio
from fnmatch import fnmatchcase
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
        namespaces: Pattern of the namespaces whose Applications are its.
    """

    def __init__(self, registry: Registry, git: Git, speed: float, namespaces: str) -> None:
        self._namespaces = namespaces
        self._registry = registry
        self._git = git
        self._speed = speed
        self._workers: dict[tuple[str, str], Worker] = {}

    async def run(self) -> None:
        """Work on the Applications that are there, and on each that comes, until cancelled."""
        self._registry.store.subscribe(self._notice)
        self._git.subscribe(self._wake_all)
        for application in self._registry.store.find(APPLICATIONS):
            if self._is_ours(application):
                self._take(application)
        await asyncio.Event().wait()

    def race(self, key: str) -> None:
        """Hold the next pass of an Application, `namespace/name`, until it has been paused."""
        namespace, _, name = key.partition("/")
        worker = self._workers.get((namespace, name))
        if worker is None:
            raise StatusError(404, "NotFound", f"Argo CD knows no Application {key}")
        worker.hold_next_pass()

    def _take(self, application: Obj) -> None:
        metadata = application["metadata"]
        place = metadata["namespace"], metadata["name"]
        self._workers[place] = Worker(self._registry, self._git, self._speed, place)

    def _is_ours(self, application: Obj) -> bool:
        return fnmatchcase(application["metadata"]["namespace"], self._namespaces)

    def _notice(self, event: Event) -> None:
        metadata = event.new["metadata"]
        for worker in self._workers.values():
            worker.notice_resource(event)  # which may be another Application
        if event.resource is not APPLICATIONS or not self._is_ours(event.new):
            return
        place = metadata["namespace"], metadata["name"]
        if event.old is None:
            self._take(event.new)
        elif event.change == "DELETED":
            self._workers.pop(place).stop()
        else:
            self._workers[place].notice(event.old, event.new)

    def _wake_all(self) -> None:
        for worker in self._workers.values():
            worker.refresh()
