"""What a target lends to scenarios with others in them than the harness, each thing by itself."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubernetes.client.api.core_v1_api import CoreV1Api
from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration
from kubernetes.config.config_exception import ConfigException
from kubernetes.config.kube_config import load_kube_config
from kubernetes.stream import stream

from harness.errors import ConfigurationError, FailedError
from harness.local.administrator import Administrator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.deadlines import Deadlines
    from harness.local.cluster import LocalCluster
    from harness.settings.cluster import ClusterSettings

# From within, whatever is there but the first process of the pod and the shell itself.
_HANG_UP = ["/bin/sh", "-c", "kill -s STOP -- -1"]


@dataclass(frozen=True, slots=True)
class Lent:
    """Others than the harness, as far as the target lends them.

    Args:
        admin: Somebody who may do anything in the cluster.
        hang_up: Lets the sandbox's pods answer to nothing any more, and keep what they hold.
        traffic: Where prod's application writes one event each time it is asked to.
    """

    admin: Administrator | None = None
    hang_up: Callable[[], None] | None = None
    traffic: str | None = None

    @classmethod
    def by_local(cls, cluster: LocalCluster) -> Lent:
        """The local target lends everything."""
        return cls(cluster.admin, cluster.hang_up_sandbox, cluster.traffic)


@contextmanager
def lent_by_live(
    cluster: ClusterSettings | None,
    kubeconfig: Path | None,
    traffic: str | None,
    deadlines: Deadlines,
) -> Iterator[Lent]:
    """What the owner of a live target lends.

    Args:
        cluster: Its cluster, or None where nobody runs an application.
        kubeconfig: The way into it of somebody who may do anything there, or None.
        traffic: Where prod's application can be told to write, or None.
        deadlines: The table of deadlines.

    Raises:
        ConfigurationError: The kubeconfig cannot be used.
    """
    if kubeconfig is None or cluster is None:
        yield Lent(traffic=traffic)
        return
    client = _client(kubeconfig)
    try:
        admin = Administrator(client, deadlines)
        yield Lent(admin, lambda: _hang_up(client, admin, cluster, deadlines), traffic)
    finally:
        client.close()


def _client(kubeconfig: Path) -> ApiClient:
    configuration = Configuration()
    try:
        load_kube_config(str(kubeconfig), client_configuration=configuration, persist_config=False)
    except (OSError, ConfigException, KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(
            "the cluster's administrator cannot be lent",
            found=" ".join(str(error).split()),
            expected=f"a kubeconfig in {kubeconfig}, with a current-context",
            remedy="correct --cluster-admin, or leave it out: scenarios that need it are skipped",
        ) from error
    return ApiClient(configuration)


def _hang_up(
    client: ApiClient, admin: Administrator, cluster: ClusterSettings, deadlines: Deadlines
) -> None:
    selector = admin.deployment(cluster.namespace, cluster.deployment)["spec"]["selector"]
    wanted = selector["matchLabels"].items()
    for pod in admin.pods(cluster.namespace):
        metadata = pod["metadata"]
        if wanted <= (metadata.get("labels") or {}).items():
            _exec(client, cluster.namespace, metadata["name"], deadlines)


def _exec(client: ApiClient, namespace: str, pod: str, deadlines: Deadlines) -> None:
    running = stream(
        CoreV1Api(client).connect_get_namespaced_pod_exec,
        pod,
        namespace,
        command=_HANG_UP,
        stdout=True,
        stderr=True,
        _preload_content=False,
    )
    try:
        running.run_forever(timeout=deadlines.api_answer.seconds)
        failed = running.is_open() or running.returncode != 0
    finally:
        running.sock.shutdown()  # its `close` leaves the socket where the server has closed first
    if failed:
        raise FailedError(
            f"the processes of pod {pod} could not be stopped",
            found=" ".join(running.read_all().split()) or "no answer",
            expected="a shell in the pod that may signal its processes",
            remedy="run the scenario on the local target",
        )
