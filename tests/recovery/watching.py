"""Looks at every state that the Application is ever in, so that no moment is missed."""

from __future__ import annotations

import json
import ssl
import urllib.request
from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

from harness.cluster.appstate import AppState
from harness.deadlines import eventually
from harness.local.administrator import path
from harness.local.kubernetes.resources import APPLICATIONS
from harness.local.workloads import ARGOCD

from .place import SOON

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from harness.local.cluster import LocalCluster


class Watcher:
    """A watch on one Application, for the length of the block."""

    def __init__(self, cluster: LocalCluster) -> None:
        self._control = cluster.control
        self._admin = cluster.admin
        self._application = cluster.sandbox.name
        self._seen: list[AppState] = []
        self._last = 0
        self._is_over = Event()
        self._thread = Thread(target=self._watch, name="watcher", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over.set()

    def begin(self) -> None:
        """Forget what was seen before."""
        self._catch_up()
        self._seen.clear()

    def off(self) -> list[AppState]:
        """States in which self-heal was off."""
        self._catch_up()
        return [state for state in self._seen if not state.policy.automated_on]

    def off_without_a_journal(self) -> list[str]:
        """States in which self-heal was off and nothing said who had to put it back."""
        return [
            f"{state.resource_version}: {state.policy}"
            for state in self.off()
            if state.journal is None
        ]

    def automated_on(self) -> list[str]:
        """States in which self-heal was on."""
        self._catch_up()
        return [f"{each.policy}" for each in self._seen if each.policy.automated_on]

    def _catch_up(self) -> None:
        """Wait until the Application was seen as it is now."""
        found = self._admin.application(ARGOCD, self._application)

        def seen() -> None:
            assert self._last >= int(found["metadata"]["resourceVersion"])

        eventually(seen, SOON, every=0.01)

    def _watch(self) -> None:
        since = ""
        while not self._is_over.is_set():
            with suppress(OSError):
                since = self._follow(since)

    def _follow(self, since: str) -> str:
        query = f"watch=true&fieldSelector=metadata.name={self._application}"
        where = f"{self._control.url}{path(APPLICATIONS, ARGOCD)}?{query}&resourceVersion={since}"
        request = urllib.request.Request(  # noqa: S310  our own address
            where, headers={"Authorization": f"Bearer {self._control.token}"}
        )
        context = ssl.create_default_context(cafile=str(self._control.authority))
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        with opener.open(request) as answer:
            for line in answer:
                event = json.loads(line)
                if event["type"] in {"ADDED", "MODIFIED"}:
                    self._seen.append(AppState.of(event["object"]))
                    since = event["object"]["metadata"]["resourceVersion"]
                    self._last = int(since)
        return since
