"""Others than the harness: a person who may change anything, and whoever works on prod.

They know nothing of the local target; `conftest.py` gives them its administrator and addresses.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, Protocol, Self
from urllib.request import ProxyHandler, Request, build_opener

from harness.manifests import JOURNAL_ANNOTATION

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    from harness.settings.cluster import ClusterSettings

    Obj = dict[str, Any]

_TIMEOUT = 10.0
_PAUSE = 0.05


class Administrator(Protocol):
    """What a person needs of whoever may do anything in the cluster."""

    def application(self, namespace: str, name: str) -> Obj:
        """An Application of Argo CD."""
        ...

    def set_sync_policy(self, namespace: str, name: str, policy: Obj | None) -> None:
        """Give an Application another sync policy."""
        ...

    def lease(self, namespace: str, name: str) -> Obj:
        """A Lease."""
        ...

    def ask(self, method: str, where: str, body: Any = None) -> Obj:
        """One request."""
        ...


class Person:
    """Somebody with every right in the cluster, at a bad moment; undone when `undo` is.

    Args:
        admin: Does what the person wants.
        cluster: Which Application and which Lease.
        hang_up: Lets the sandbox's pods hang.
        undo: Where the undo is registered.
    """

    def __init__(
        self,
        admin: Administrator,
        cluster: ClusterSettings,
        hang_up: Callable[[], None],
        undo: ExitStack,
    ) -> None:
        self._admin = admin
        self._application = (cluster.argocd_namespace, cluster.application)
        self._lease = (cluster.namespace, cluster.lease)
        self._hang_up = hang_up
        self._undo = undo
        self._original = self._policy()
        self._journal: str | None = None

    def pause(self) -> None:
        """Switch self-heal off, as the button of Argo CD does."""
        self._set_policy({key: v for key, v in self._original.items() if key != "automated"})

    def rearm_without_pruning(self) -> None:
        """Switch self-heal on by hand, and not quite as it was."""
        self._set_policy({"automated": {"selfHeal": True}})

    def tamper(self) -> None:
        """Change one number in the journal of the Lease."""
        lease = self._admin.lease(*self._lease)
        self._journal = lease["metadata"]["annotations"][JOURNAL_ANNOTATION]
        self._undo.callback(self.mend)
        journal = json.loads(self._journal)
        journal["workload"]["replicas"] += 4
        self._write_journal(json.dumps(journal))

    def mend(self) -> None:
        """Put the journal back as it was, once."""
        if self._journal is not None:
            self._write_journal(self._journal)
            self._journal = None

    def hang_up_pods(self) -> None:
        """Let the sandbox's pods hang: they answer to nothing any more, and keep what they hold."""
        self._hang_up()

    def _policy(self) -> Obj:
        policy: Obj = self._admin.application(*self._application)["spec"]["syncPolicy"]
        return policy

    def _set_policy(self, policy: Obj) -> None:
        self._undo.callback(self._admin.set_sync_policy, *self._application, self._original)
        self._admin.set_sync_policy(*self._application, policy)

    def _write_journal(self, text: str) -> None:
        namespace, name = self._lease
        where = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{name}"
        self._admin.ask("PATCH", where, {"metadata": {"annotations": {JOURNAL_ANNOTATION: text}}})


class Traffic:
    """Ordinary work on prod for the length of the block, through prod's own application.

    Args:
        url: Where that writes one event each time it is asked to.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="traffic")
        self.events: list[int] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        # Straight to the application: a proxy of the shell's has no business here.
        opener = build_opener(ProxyHandler({}))
        while not self._over.wait(_PAUSE):
            request = Request(self._url, method="POST")  # noqa: S310  the target's own address
            with opener.open(request, timeout=_TIMEOUT) as answer:
                self.events.append(json.load(answer)["event"])
