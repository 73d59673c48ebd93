"""The local cluster is whole, heals itself, gives the harness its rights only, and ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config.kube_config import load_kube_config

from harness import manifests
from harness.cluster.holder import birth
from harness.deadlines import Deadline, Deadlines, eventually
from harness.local import layout, marks
from harness.local.administrator import Administrator, path
from harness.local.cluster import PROD, SANDBOX, local_cluster
from harness.local.kubernetes.resources import (
    APPLICATIONS,
    BY_KIND,
    DEPLOYMENTS,
    LEASES,
    PODS,
    SECRETS,
)
from harness.local.runs import local_run, reap
from harness.local.workloads import ARGOCD, DEPLOYMENT
from harness.manifests.pods import Pods
from harness.progress import Silent
from harness.settings import Settings

from .test_runs import REPOSITORY, SOON, read_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.local.cluster import LocalCluster
    from harness.local.runs import LocalRun
    from harness.local.servers import LocalServer

AT_ONCE = Deadline(1, "ten times as fast as in life, Argo CD heals in a tenth of a second")
PHASE = "start the local cluster"


@pytest.fixture(scope="module")
def logins(server: LocalServer, run: LocalRun) -> Iterator[layout.Layout]:
    """Both databases, empty."""
    with ExitStack() as undo:
        connection = undo.enter_context(server.connect())
        undo.callback(marks.remove, connection, run.id)
        yield layout.lay_out(server, run)


@pytest.fixture(scope="module")
def cluster(logins: layout.Layout) -> Iterator[LocalCluster]:
    """A cluster that is up; a test leaves it as it found it."""
    applications = logins.prod_application, logins.sandbox_application
    with (
        local_run() as run,
        local_cluster(run, *applications, Deadlines(), Silent(), lease_seconds=7) as cluster,
    ):
        yield cluster


@pytest.fixture(scope="module")
def harness(cluster: LocalCluster) -> Iterator[Administrator]:
    """The harness's own identity: the same questions, fewer rights."""
    configuration = Configuration()
    load_kube_config(cluster.settings["kubeconfig"], client_configuration=configuration)
    client = Administrator(ApiClient(configuration), Deadlines())
    yield client
    client.close()


def replicas(cluster: LocalCluster) -> int:
    found: int = cluster.admin.deployment(SANDBOX, DEPLOYMENT)["spec"]["replicas"]
    return found


def must_be_healed(cluster: LocalCluster) -> None:
    assert replicas(cluster) == 1


def must_be_ready(cluster: LocalCluster) -> None:
    assert cluster.admin.deployment(SANDBOX, DEPLOYMENT)["status"].get("readyReplicas") == 1


def must_be_gone(cluster: LocalCluster) -> None:
    assert cluster.admin.pods(SANDBOX) == []


def status_of(url: str) -> int:
    try:
        with urlopen(url, timeout=SOON.seconds) as answer:  # noqa: S310  our own address
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


def sessions(server: LocalServer, user: str) -> int:
    with server.connect() as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = %s", (user,)
        ).fetchone()
    assert row is not None
    return int(row[0])


def test_everything_in_it_is_ready(cluster: LocalCluster) -> None:
    for name, url in ((PROD, cluster.prod.url), (SANDBOX, cluster.sandbox.url)):
        deployment = cluster.admin.deployment(name, DEPLOYMENT)
        assert deployment["status"]["readyReplicas"] == 1
        application = cluster.admin.application(ARGOCD, name)
        assert application["status"]["sync"]["status"] == "Synced"
        assert application["status"]["health"]["status"] == "Healthy"
        assert application["spec"]["syncPolicy"] == {"automated": {"prune": True, "selfHeal": True}}
        assert status_of(url) == 200
        assert status_of(f"{url}/api/index.php/setup/company") == 503
    assert cluster.description.endswith(cluster.control.url)


def test_the_settings_say_where_everything_is(cluster: LocalCluster) -> None:
    settings = dict(cluster.settings)
    kubeconfig = Path(settings.pop("kubeconfig"))
    assert kubeconfig.stat().st_mode & 0o777 == 0o600
    assert kubeconfig.parent.stat().st_mode & 0o777 == 0o700
    assert settings == {
        "context": None,
        "job_context": "jobs",
        "in_cluster": False,
        "argocd_namespace": "argocd",
        "application": "erp-sandbox",
        "namespace": "erp-sandbox",
        "deployment": "dolibarr",
        "lease": "sandbox-lifecycle",
        "lease_seconds": 7,
        "application_url": cluster.sandbox.url,
        "prod_namespace": "erp",
        "prod_application": "erp",
    }


def test_it_holds_the_very_manifests_that_a_live_cluster_is_given(
    cluster: LocalCluster, logins: layout.Layout, tmp_path: Path
) -> None:
    settings = Settings.of(
        {
            "prod": {"dsn": logins.prod.conninfo, "owner_role": "erp_role"},
            "sandbox": {"dsn": logins.sandbox.conninfo, "owner_role": "erp_sandbox_role"},
            "golden": {"directory": tmp_path},
            "tools": {"work_directory": tmp_path},
            "cluster": cluster.settings,
            "in_cluster": {"watchdog": False},
        },
        origin="a test",
    )
    assert settings.cluster is not None
    cluster.install(settings)
    names, pods = manifests.Names.of(settings.cluster), cluster.pods(settings)
    for manifest in manifests.objects(names, pods):
        if manifest["kind"] == "Deployment":  # the server adds what is left out
            manifest["spec"]["template"]["spec"]["restartPolicy"] = "Always"
        resource = BY_KIND[manifest["apiVersion"], manifest["kind"]]
        metadata = manifest.pop("metadata")
        where = path(resource, metadata.get("namespace", ""), metadata["name"])
        found = cluster.admin.ask("GET", where)
        assert {key: found[key] for key in manifest} == manifest
    # What the pods are told differs from a live cluster's in the way into the cluster alone.
    way_in = f'kubeconfig = "{cluster.settings["kubeconfig"]}"'
    assert pods.told.replace(way_in, "in_cluster = true") == Pods.of(settings).told


def test_self_heal_reverts_a_manual_scale_within_a_second(cluster: LocalCluster) -> None:
    cluster.admin.scale(SANDBOX, DEPLOYMENT, 0)
    eventually(lambda: must_be_healed(cluster), AT_ONCE)
    eventually(lambda: must_be_ready(cluster), SOON)


def test_a_human_can_pause_and_re_arm(
    cluster: LocalCluster, server: LocalServer, logins: layout.Layout
) -> None:
    armed = cluster.admin.application(ARGOCD, SANDBOX)["spec"]["syncPolicy"]
    user = logins.sandbox_application.user
    assert sessions(server, user) >= 1
    cluster.admin.set_sync_policy(ARGOCD, SANDBOX, None)
    assert "syncPolicy" not in cluster.admin.application(ARGOCD, SANDBOX)["spec"]
    cluster.admin.scale(SANDBOX, DEPLOYMENT, 0)
    eventually(lambda: must_be_gone(cluster), SOON)
    assert replicas(cluster) == 0
    assert sessions(server, user) == 0
    cluster.admin.set_sync_policy(ARGOCD, SANDBOX, armed)
    eventually(lambda: must_be_ready(cluster), SOON)
    assert cluster.admin.application(ARGOCD, SANDBOX)["spec"]["syncPolicy"] == armed


def test_a_lease_can_be_deleted(cluster: LocalCluster) -> None:
    name = cluster.settings["lease"]
    lease = cluster.admin.lease(SANDBOX, name)
    cluster.admin.delete_lease(SANDBOX, name)
    with pytest.raises(ApiException, match="404"):
        cluster.admin.lease(SANDBOX, name)
    del lease["metadata"]["resourceVersion"]
    cluster.admin.create(lease)


def test_the_harness_may_do_its_work(cluster: LocalCluster, harness: Administrator) -> None:
    assert harness.deployment(SANDBOX, DEPLOYMENT)["spec"]["replicas"] == 1
    harness.scale(SANDBOX, DEPLOYMENT, 1)
    assert len(harness.pods(SANDBOX)) == 1
    assert harness.application(ARGOCD, SANDBOX)
    assert harness.lease(SANDBOX, cluster.settings["lease"])


FORBIDDEN = {
    "read prod's Deployment": ("GET", path(DEPLOYMENTS, PROD, DEPLOYMENT), None),
    "scale prod": ("PATCH", path(DEPLOYMENTS, PROD, DEPLOYMENT, "scale"), {"spec": {}}),
    "delete prod's Deployment": ("DELETE", path(DEPLOYMENTS, PROD, DEPLOYMENT), None),
    "list prod's pods": ("GET", path(PODS, PROD), None),
    "run a pod in prod": ("POST", path(PODS, PROD), {"metadata": {"name": "any"}}),
    "exec in prod": ("POST", path(PODS, PROD, "any", "exec"), None),
    "read prod's Secrets": ("GET", path(SECRETS, PROD), None),
    "hold a Lease in prod": ("GET", path(LEASES, PROD, "any"), None),
    "patch prod's Application": ("PATCH", path(APPLICATIONS, ARGOCD, PROD), {"spec": {}}),
    "list Applications": ("GET", path(APPLICATIONS, ARGOCD), None),
    "read the sandbox's Secrets": ("GET", path(SECRETS, SANDBOX), None),
    "read every Secret": ("GET", path(SECRETS), None),
    "change the sandbox's pod template": (
        "PATCH",
        path(DEPLOYMENTS, SANDBOX, DEPLOYMENT),
        {"spec": {}},
    ),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_harness_may_do_nothing_else(harness: Administrator, what: str) -> None:
    with pytest.raises(ApiException) as refused:
        harness.ask(*FORBIDDEN[what])
    assert refused.value.status == 403


def test_its_pods_outlive_the_api_and_are_found_again(cluster: LocalCluster) -> None:
    pods = [pod["metadata"]["uid"] for pod in cluster.admin.pods(SANDBOX)]
    url = cluster.control.url
    cluster.control.kill()
    assert status_of(cluster.sandbox.url) == 200
    cluster.revive()
    assert cluster.control.url == url
    assert [pod["metadata"]["uid"] for pod in cluster.admin.pods(SANDBOX)] == pods
    eventually(lambda: must_be_ready(cluster), SOON)


def test_no_secret_is_told(cluster: LocalCluster, logins: layout.Layout) -> None:
    arguments = subprocess.run(
        ["/bin/ps", "-ewwo", "args"], capture_output=True, text=True, check=True
    ).stdout
    logs = "".join(log.read_text() for log in cluster.control.state.rglob("*.log"))
    for secret in (
        logins.prod_application.password,
        logins.sandbox_application.password,
        cluster.control.token,
    ):
        assert secret is not None
        assert secret not in arguments + logs + repr(cluster)


@contextmanager
def child(logins: layout.Layout) -> Iterator[subprocess.Popen[str]]:
    """A local cluster in a process of its own, its phases on standard output."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.local.cluster_child"],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdin is not None
            for login in (logins.prod_application, logins.sandbox_application):
                process.stdin.write(json.dumps(asdict(login)) + "\n")
            process.stdin.flush()
            yield process
        finally:
            process.kill()


def processes_of(temporary: Path) -> dict[int, str | None]:
    """Stand-in and pods of the runs below: pid and time of birth."""
    records = [json.loads(found.read_text()) for found in temporary.rglob("*.process")]
    return {record["pid"]: record["born"] for record in records}


def assert_nothing_is_left(temporary: Path, seen: dict[int, str | None]) -> None:
    assert list(temporary.iterdir()) == []
    assert [pid for pid, born in seen.items() if birth(pid) == born] == []


def assert_closed(urls: list[str]) -> None:
    for url in urls:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", urlsplit(url).port or 0)) != 0


@pytest.mark.parametrize("number", [None, signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_when_its_run_has_ended_nothing_is_left(
    temporary: Path, logins: layout.Layout, number: signal.Signals | None
) -> None:
    with child(logins) as process:
        urls = read_until("up", process.stdout).split()[1:]
        seen = processes_of(temporary)
        assert len(seen) == 3
        if number is None:
            process.communicate()
            assert process.returncode == 0
        else:
            process.send_signal(number)
            process.wait(SOON.seconds)
            assert process.returncode != 0
        if number is signal.SIGKILL:
            assert [pid for pid, born in seen.items() if birth(pid) != born] == []
            reap()
    assert_nothing_is_left(temporary, seen)
    assert_closed(urls)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_when_its_run_ends_while_it_starts_nothing_is_left(
    temporary: Path, logins: layout.Layout, number: signal.Signals
) -> None:
    with child(logins) as process:
        read_until(PHASE, process.stdout)
        # Killed as soon as the stand-in is known, before it has announced itself.
        seen: dict[int, Any] = eventually(lambda: started(temporary), SOON, every=0.01)
        process.send_signal(number)
        process.wait(SOON.seconds)
    reap()
    assert_nothing_is_left(temporary, seen)


def started(temporary: Path) -> dict[int, str | None]:
    seen = processes_of(temporary)
    assert seen
    return seen
