"""The local cluster: the API stand-in with an ERP for prod and one for the sandbox, under Argo CD.

The harness works in it under the identity, and with the rights, that its manifests give it.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from harness import manifests
from harness.deadlines import eventually
from harness.errors import FailedError
from harness.local.administrator import Administrator, path
from harness.local.kubernetes import launch, processes
from harness.local.kubernetes.resources import CONFIG_MAPS
from harness.local.undo import Undo
from harness.local.workloads import ARGOCD, DEPLOYMENT, Erp, credentials, namespace
from harness.manifests.pods import Mounts, Pods
from harness.manifests.told import told_to_pods

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.deadlines import Deadlines
    from harness.local.kubernetes.launch import StandIn
    from harness.local.runs import LocalRun
    from harness.progress import Progress
    from harness.settings import Settings
    from harness.sides import Login

PROD = "erp"
SANDBOX = "erp-sandbox"

_NAMES = manifests.Names(
    sandbox_namespace=SANDBOX,
    deployment=DEPLOYMENT,
    argocd_namespace=ARGOCD,
    application=SANDBOX,
)
_KUBECONFIG = "harness.kubeconfig"
_CONTEXT, _JOB_CONTEXT = "harness", "jobs"
_MOUNTED = "mounted"
_HOST = "127.0.0.1"
# Below what systems give to outgoing connections: a port stays free while its pod is gone.
_PORTS = range(15_000, 32_000)
# A kept sandbox is used for weeks.
_TOKEN_SECONDS = 365 * 24 * 3600
# Often enough that a refresh beside it cannot miss it.
_SESSION_INTERVAL = "0.2"


@dataclass(slots=True)
class LocalCluster:
    """A cluster that is up, every pod of it Ready and every Application Synced.

    Args:
        control: The stand-in: what can be ordered to go wrong, and its log.
        admin: Somebody who may do anything in it.
        prod: Prod's ERP.
        sandbox: The sandbox's ERP.
        lease_seconds: How long a run that is silent keeps others out.
        options: What the stand-in is started with.
    """

    control: StandIn
    admin: Administrator = field(repr=False)
    prod: Erp
    sandbox: Erp
    lease_seconds: int
    options: tuple[str, ...]

    @property
    def description(self) -> str:
        """What it is, for the header of a run."""
        return f"Kubernetes API stand-in of this project at {self.control.url}"

    @property
    def settings(self) -> dict[str, Any]:
        """The table `cluster` of the target's settings."""
        return {
            "kubeconfig": str(self.control.state / _KUBECONFIG),
            "context": None,
            "job_context": _JOB_CONTEXT,
            "in_cluster": False,
            "argocd_namespace": _NAMES.argocd_namespace,
            "application": _NAMES.application,
            "namespace": _NAMES.sandbox_namespace,
            "deployment": _NAMES.deployment,
            "lease": _NAMES.lease,
            "lease_seconds": self.lease_seconds,
            "application_url": self.sandbox.url,
            "prod_namespace": self.prod.name,
            "prod_application": self.prod.name,
        }

    @property
    def traffic(self) -> str:
        """Where prod's application writes one event each time it is asked to."""
        return f"{self.prod.url}/traffic"

    def hang_up_sandbox(self) -> None:
        """Let the sandbox's pods hang: they answer to nothing, and keep what they hold."""
        for pod in self.admin.pods(SANDBOX):
            for log in (self.control.state / "pods" / pod["metadata"]["uid"]).glob("*.log"):
                if (process := processes.recorded(log)) is not None:
                    os.kill(process.pid, signal.SIGSTOP)

    def pods(self, settings: Settings) -> Pods:
        """The pods of the manifests, told this target, with folders of this host for volumes."""
        mounts = Mounts(
            settings=str(self.control.state / _MOUNTED),
            golden=str(settings.golden.directory),
            work=str(settings.tools.work_directory),
        )
        told = told_to_pods(settings, kubeconfig=self.control.state / _KUBECONFIG)
        return Pods(settings.in_cluster, told, mounts)

    def install(self, settings: Settings) -> None:
        """Put there what the manifests let run, and the logins that it takes."""
        for _, text in manifests.running(_NAMES, self.pods(settings)):
            for manifest in yaml.safe_load_all(text):
                self.admin.create(manifest)
        self.admin.create(credentials(settings, SANDBOX))

    def tell(self, told: str) -> None:
        """Tell pods that are made from now on other settings."""
        where = path(CONFIG_MAPS, SANDBOX, _NAMES.service_account)
        self.admin.ask("PATCH", where, {"data": {"sandbox.toml": told}})

    def revive(self) -> None:
        """Start the stand-in again on its state after it was killed; its pods went on meanwhile."""
        self.control = launch.start(self.control.state, *self.options)


@contextmanager
def local_cluster(
    run: LocalRun,
    prod: Login,
    sandbox: Login,
    deadlines: Deadlines,
    progress: Progress,
    *,
    lease_seconds: int = 60,
    speed: float = 10.0,
) -> Iterator[LocalCluster]:
    """Start the stand-in, fill it, and wait until everything in it runs; end it all at the end.

    Args:
        run: The run that it belongs to, and that ends what is left of it if this process dies.
        prod: The application's login on prod.
        sandbox: The application's login on the sandbox.
        deadlines: The table of deadlines.
        progress: Told while it starts.
        lease_seconds: For how long a run that is silent keeps others out.
        speed: How much faster than in life its controllers run.

    Raises:
        FailedError: It does not start, or its pods do not get ready.
    """
    prod_port, sandbox_port, api_port = free_ports(3)
    options = (f"--speed={speed:g}", f"--port={api_port}")
    with Undo() as undo:
        with progress.phase("start the local cluster"):
            control = launch.start(run.cluster, *options)
            cluster = LocalCluster(
                control=control,
                admin=Administrator.of(control, deadlines),
                prod=Erp(PROD, prod, prod_port, {"ERP_TRAFFIC": "on"}),
                sandbox=Erp(
                    SANDBOX, sandbox, sandbox_port, {"ERP_SESSION_INTERVAL": _SESSION_INTERVAL}
                ),
                lease_seconds=lease_seconds,
                options=options,
            )
            undo.callback(_end, cluster, run)
            _fill(cluster)
            eventually(lambda: _must_be_ready(cluster), deadlines.api_start)
        yield cluster


def _fill(cluster: LocalCluster) -> None:
    admin, erps = cluster.admin, (cluster.prod, cluster.sandbox)
    for name in (ARGOCD, *(erp.name for erp in erps)):
        admin.create(namespace(name))
    for _, text in manifests.access(_NAMES):
        for manifest in yaml.safe_load_all(text):
            admin.create(manifest)
    _write_kubeconfig(cluster)
    cluster.control.order("git", manifests={erp.name: [erp.deployment] for erp in erps})
    for erp in erps:
        admin.create(erp.secret)
        admin.create(erp.application)


def _write_kubeconfig(cluster: LocalCluster) -> None:
    """The ways in of the accounts of its own manifests, never the administrator's."""
    accounts = {_CONTEXT: _NAMES.service_account, _JOB_CONTEXT: _NAMES.starter}
    tokens = {
        account: cluster.admin.token(SANDBOX, account, _TOKEN_SECONDS)
        for account in accounts.values()
    }
    api = {"server": cluster.control.url, "certificate-authority": str(cluster.control.authority)}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "local", "cluster": api}],
        "users": [{"name": name, "user": {"token": token}} for name, token in tokens.items()],
        "contexts": [
            {"name": context, "context": {"cluster": "local", "user": account}}
            for context, account in accounts.items()
        ],
        "current-context": _CONTEXT,
    }
    file = cluster.control.state / _KUBECONFIG
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        json.dump(content, stream)  # which is YAML, too


def _must_be_ready(cluster: LocalCluster) -> None:
    for erp in (cluster.prod, cluster.sandbox):
        application = cluster.admin.application(ARGOCD, erp.name).get("status", {})
        found = tuple(application.get(part, {}).get("status") for part in ("sync", "health"))
        ready = 0
        if found[0] == "Synced":
            deployment = cluster.admin.deployment(erp.name, DEPLOYMENT)
            ready = deployment["status"].get("readyReplicas", 0)
        if (*found, ready) != ("Synced", "Healthy", 1):
            raise FailedError(
                f"the ERP of namespace {erp.name} in the local cluster is not ready",
                found=f"Application {found[0]}, {found[1]}; {ready} pods Ready"
                f"{_last_words(cluster)}",
                expected="Application Synced, Healthy; 1 pod Ready",
                remedy="mend what the pods complain of",
            )


def _last_words(cluster: LocalCluster) -> str:
    logs = sorted((cluster.control.state / "pods").glob("*/*.log"))
    lines = [line for log in logs for line in log.read_text(errors="replace").splitlines()[-5:]]
    return "".join(f"\n    {line}" for line in lines)


def _end(cluster: LocalCluster, run: LocalRun) -> None:
    cluster.admin.close()
    if run.is_kept:
        cluster.control.release()
    else:
        cluster.control.stop()


def free_ports(count: int) -> list[int]:
    """So many TCP ports that nobody listens on, and that no outgoing connection will be given."""
    ports: list[int] = []
    with ExitStack() as probes:
        while len(ports) < count:
            probe, port = probes.enter_context(socket.socket()), secrets.choice(_PORTS)
            with suppress(OSError):
                probe.bind((_HOST, port))
                ports.append(port)
    return ports
