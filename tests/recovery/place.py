"""One sandbox under test: how it stands, how it should, and the commands that are run on it."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import psycopg
from kubernetes.client.exceptions import ApiException

from harness import manifests
from harness.cluster.policy import SyncPolicy
from harness.deadlines import Deadline, eventually
from harness.lifecycle.compare import differences_from_golden, differences_from_prod, prod_now
from harness.lifecycle.recover import Recovered, recover
from harness.lifecycle.reset import reset
from harness.lifecycle.status import status
from harness.local.administrator import path
from harness.local.kubernetes.resources import APPLICATIONS, LEASES
from harness.local.workloads import ARGOCD
from harness.manifests import JOURNAL_ANNOTATION
from harness.postgres.difference import differences
from harness.progress import Silent
from harness.sides import Sandbox
from tests import forked
from tests.phases import READY, RESTORING
from tests.settings_file import write_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.local.administrator import Administrator
    from harness.local.cluster import LocalCluster
    from harness.local.platform import LocalPlatform
    from harness.postgres.fingerprint import Fingerprint
    from harness.settings import Settings
    from harness.settings.cluster import ClusterSettings
    from tests.forked import Ended, Started

REFRESH, RESET, CHECKPOINT, RECOVER = "refresh-from-prod", "reset", "checkpoint", "recover"
SOON = Deadline(30, "a second on an idle machine")
POLICY = {
    "automated": {"prune": True, "selfHeal": True},
    "retry": {"limit": 2},
    "syncOptions": ["ServerSideApply=true"],
}
"""Every field of it must be the same again after a run."""
_WAITING = "wait until the Lease may be taken"
_LONGEST_RUN = Deadline(60, "a few seconds on an idle machine")


@dataclass
class Place:
    """A platform whose sandbox holds a golden copy that differs from prod.

    Args:
        platform: The platform.
        folder: For files of the test's own.
        prod: What prod holds.
        settings: The target.
    """

    platform: LocalPlatform
    folder: Path
    prod: Fingerprint
    settings: Settings = field(init=False)
    _started: Iterator[int] = field(init=False, default_factory=count)

    def __post_init__(self) -> None:
        self.settings = self.platform.settings

    @property
    def cluster(self) -> LocalCluster:
        assert self.platform.cluster is not None
        return self.platform.cluster

    @property
    def admin(self) -> Administrator:
        return self.cluster.admin

    @property
    def names(self) -> ClusterSettings:
        assert self.settings.cluster is not None
        return self.settings.cluster

    # What stands there.

    def application(self) -> dict[str, Any]:
        return self.admin.application(ARGOCD, self.names.application)

    def policy(self) -> Any:
        """The sync policy that is stored; `...` for none."""
        return self.application()["spec"].get("syncPolicy", ...)

    def deployment(self) -> dict[str, Any]:
        return self.admin.deployment(self.names.namespace, self.names.deployment)

    def lease(self) -> dict[str, Any]:
        return self.admin.lease(self.names.namespace, self.names.lease)

    def content(self) -> str:
        """What it is marked as; the cluster is not asked."""
        alone = self.platform.settings.model_copy(update={"cluster": None})
        return status(alone, Silent()).content

    def journals(self) -> list[str | None]:
        """What the Lease and the Application carry."""
        return [journal_of(self.lease()), journal_of(self.application())]

    def outstanding(self, *, policy: Any = ..., replicas: int = 1) -> list[str]:
        """What is not as a run must leave it."""
        lease, application, deployment = self.lease(), self.application(), self.deployment()
        wanted = POLICY if policy is ... else policy
        found = []
        if lease["spec"].get("holderIdentity"):
            found.append(f"the Lease is held by {lease['spec']['holderIdentity']}")
        found += [
            f"a journal in the {where['kind']}"
            for where in (lease, application)
            if journal_of(where) is not None
        ]
        if SyncPolicy.of(application) != SyncPolicy.of({"spec": {"syncPolicy": wanted}}):
            found.append(f"syncPolicy {application['spec'].get('syncPolicy')}")
        told = (deployment["spec"]["replicas"], deployment["status"].get("readyReplicas", 0))
        if told != (replicas, replicas):
            found.append(f"{told[0]} replicas, {told[1]} Ready")
        return found

    def is_golden(self) -> bool:
        return not differences_from_golden(self.settings)

    def is_prod(self) -> bool:
        return not differences_from_prod(self.settings, self.prod)

    def assert_prod_unchanged(self) -> None:
        found = differences(self.prod, prod_now(self.settings), grants=True)
        assert list(map(str, found)) == []

    # What is done to it.

    def run(
        self, *command: str, death: str = "SIGKILL", edge: str = "never", phase: str = ""
    ) -> Ended:
        """The command in a process of its own, to its end."""
        return self.end(self.start(*command, death=death, edge=edge, phase=phase))

    def start(
        self, *command: str, death: str = "SIGKILL", edge: str = "never", phase: str = ""
    ) -> Started:
        where = ["--target=live", f"--sandbox-config={self.config()}", "--json"]
        name = f"command-{next(self._started)}"
        return forked.start(
            "tests.recovery.dying",
            [death, edge, phase, *command, *where],
            self.folder / f"{name}.out",
            self.folder / f"{name}.err",
        )

    def config(self, name: str = "sandbox.toml") -> Path:
        """The settings as a file."""
        return write_settings(self.folder / name, self.settings)

    @contextmanager
    def held(self, verb: str, phase: str) -> Iterator[Started]:
        """The command, standing still where a phase begins until it is told to go on."""
        process = self.start(verb, death="SIGSTOP", edge="begin", phase=phase)
        try:
            assert process.stands_still(SOON), "it has ended before that phase"
            yield process
        finally:
            process.kill()

    def go_on(self, process: Started) -> Ended:
        process.send(signal.SIGCONT)
        return self.end(process)

    def end(self, process: Started) -> Ended:
        return process.to_its_end(_LONGEST_RUN)

    def recover(self) -> Recovered:
        return recover(self.settings, Silent())

    def write_traffic(self) -> None:
        """Work that somebody does in the sandbox."""
        login = Sandbox.of(self.settings).application
        with psycopg.connect(login.conninfo) as connection:
            connection.execute("INSERT INTO public.llx_societe (nom) VALUES ('Rehearsed')")

    def change_application(self, patch: Any) -> None:
        where = path(APPLICATIONS, ARGOCD, self.names.application)
        self.admin.ask("PATCH", where, patch)

    def change_lease(self, patch: Any) -> None:
        self.admin.ask("PATCH", path(LEASES, self.names.namespace, self.names.lease), patch)

    def set_policy(self, policy: Any) -> None:
        """Write the sync policy; `...` removes it."""
        chosen = None if policy is ... else policy
        self.admin.set_sync_policy(ARGOCD, self.names.application, chosen)

    def scale(self, replicas: int) -> None:
        self.admin.scale(self.names.namespace, self.names.deployment, replicas)

    def delete_lease(self) -> None:
        self.admin.delete_lease(self.names.namespace, self.names.lease)

    def remake_application(self) -> None:
        """Delete the Application, and make it anew as git has it."""
        where = path(APPLICATIONS, ARGOCD, self.names.application)
        self.admin.ask("DELETE", where)
        self.admin.create(self.cluster.sandbox.application)
        self.set_policy(POLICY)

    def standing(self) -> list[Any]:
        """All that a run could change in the cluster."""
        return [
            [each["metadata"]["uid"], each["metadata"].get("annotations"), each["spec"]]
            for each in (self.lease(), self.application(), self.deployment())
        ]

    def make_lease(self) -> None:
        """As `sandbox-lifecycle manifests | kubectl apply -f -` does."""
        made = manifests.objects(manifests.Names.of(self.names))
        (lease,) = [each for each in made if each["kind"] == "Lease"]
        self.admin.create(lease)

    def await_ready(self, replicas: int = 1) -> None:
        def ready() -> None:
            found = self.deployment()
            state = (found["status"].get("readyReplicas", 0), found["spec"]["replicas"])
            assert state == (replicas, replicas), found

        eventually(ready, SOON)

    def mend(self) -> None:
        """Bring everything back to what tests begin with, past the harness."""
        self.settings = self.platform.settings
        self.cluster.control.order("faults")
        self.cluster.control.order("git", reachable=True)
        self._mend_objects()
        if self.content() != "complete":
            reset(self.settings, Silent())
        if self.outstanding():
            self.scale(1)
            self.await_ready()

    def _mend_objects(self) -> None:
        off: Any = {"metadata": {"annotations": {JOURNAL_ANNOTATION: None}}}
        try:
            if self.outstanding() == []:
                return
        except ApiException:
            self.make_lease()
        fields = ("holderIdentity", "leaseDurationSeconds", "acquireTime", "renewTime")
        self.change_lease({**off, "spec": dict.fromkeys(fields)})
        self.change_application(off)
        self.set_policy(POLICY)


def journal_of(obj: dict[str, Any]) -> str | None:
    """The journal that an object carries."""
    found: str | None = (obj["metadata"].get("annotations") or {}).get(JOURNAL_ANNOTATION)
    return found


def undo_seconds(done: Recovered) -> float:
    """How long a recovery took from when the Lease could be taken.

    Restoring is left out, and how long a pod takes to start: that is the machine's business.
    """
    left_out = {_WAITING, READY, *RESTORING}
    return sum(took for phase, took in done.seconds.items() if phase not in left_out)
