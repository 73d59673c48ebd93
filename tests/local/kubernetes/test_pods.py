"""Pods: real processes, ready when they say so, gone when their process is."""

from __future__ import annotations

import secrets
import socket
import sys
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from harness.cluster.holder import birth
from harness.deadlines import eventually
from tests.contract.cluster import MERGE, SOON, deployment, refusal
from tests.local.kubernetes.conftest import Side

if TYPE_CHECKING:
    from pathlib import Path

    from harness.local.kubernetes.launch import StandIn

STUBBORN = "trap '' TERM; echo started; while :; do sleep 0.1; done"
PATIENT = "trap 'sleep 0.5; exit 0' TERM; echo started; while :; do sleep 0.05; done"


class Workload:
    """One Deployment of one container."""

    def __init__(self, side: Side, container: dict[str, Any], grace: int = 30) -> None:
        self.side, self.namespace = side, f"pods-{secrets.token_hex(4)}"
        side.make_namespace(self.namespace)
        self.body = deployment(replicas=1)
        spec = self.body["spec"]["template"]["spec"]
        spec["containers"] = [{"name": "main", "image": "none", **container}]
        spec["terminationGracePeriodSeconds"] = grace

    def create(self) -> None:
        self.side.apps.create_namespaced_deployment(self.namespace, self.body)

    def scale(self, replicas: int) -> None:
        patch = {"spec": {"replicas": replicas}}
        self.side.apps.patch_namespaced_deployment_scale(
            "web", self.namespace, patch, _content_type=MERGE
        )

    def pods(self) -> list[Any]:
        return list(self.side.core.list_namespaced_pod(self.namespace).items)

    def pod(self) -> Any:
        (pod,) = self.pods()
        return pod

    def status(self) -> Any:
        return self.side.apps.read_namespaced_deployment("web", self.namespace).status

    def log(self) -> str:
        text = self.side.core.read_namespaced_pod_log(self.pod().metadata.name, self.namespace)
        return str(text)

    def must_be_ready(self) -> None:
        read = self.side.apps.read_namespaced_deployment("web", self.namespace)
        assert read.status.observed_generation == read.metadata.generation
        assert read.status.ready_replicas == read.spec.replicas

    def must_have_started(self) -> None:
        assert "started" in self.log()

    def must_be_gone(self) -> None:
        assert self.pods() == []


@pytest.fixture
def side(shared: StandIn) -> Side:
    return Side(shared)


def pid_of(stand_in: StandIn, pod: Any) -> int:
    record = stand_in.state / "pods" / pod.metadata.uid / "main.process"
    return int(record.read_text().split('"pid": ')[1].split(",")[0])


def must_not_run(pid: int) -> None:
    assert birth(pid) is None


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def test_a_pod_is_ready_when_it_answers(side: Side, tmp_path: Path) -> None:
    (tmp_path / "healthz").write_text("ok")
    port = str(free_port())
    workload = Workload(
        side,
        {
            "command": [sys.executable, "-m", "http.server"],
            "args": ["$(PORT)", "--bind", "127.0.0.1", "--directory", str(tmp_path)],
            "env": [{"name": "PORT", "value": port}],
            "ports": [{"name": "http", "containerPort": int(port)}],
            "readinessProbe": {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 1},
        },
    )
    workload.create()
    eventually(workload.must_be_ready, SOON)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
        assert answer.read() == b"ok"
    (tmp_path / "healthz").unlink()

    def unready() -> None:
        assert workload.status().ready_replicas is None
        assert workload.status().replicas == 1

    eventually(unready, SOON)


def test_a_pod_that_ends_is_seen_until_it_is_gone(side: Side) -> None:
    workload = Workload(side, {"command": ["sh", "-c", PATIENT]})
    workload.create()
    eventually(workload.must_have_started, SOON)
    workload.scale(0)

    def ending() -> None:
        assert workload.pod().metadata.deletion_timestamp
        assert workload.status().replicas is None

    eventually(ending, SOON, every=0.01)
    eventually(workload.must_be_gone, SOON)


def test_a_process_that_will_not_end_is_killed(shared: StandIn, side: Side) -> None:
    workload = Workload(side, {"command": ["sh", "-c", STUBBORN]}, grace=4)
    workload.create()
    eventually(workload.must_have_started, SOON)
    pid = pid_of(shared, workload.pod())
    workload.scale(0)
    eventually(workload.must_be_gone, SOON)
    must_not_run(pid)


def test_a_pod_deleted_by_force_leaves_no_process(shared: StandIn, side: Side) -> None:
    workload = Workload(side, {"command": ["sh", "-c", STUBBORN]})
    workload.create()
    eventually(workload.must_have_started, SOON)
    pod = workload.pod()
    pid = pid_of(shared, pod)
    workload.scale(0)
    side.core.delete_namespaced_pod(pod.metadata.name, workload.namespace, grace_period_seconds=0)
    refusal(404, side.core.read_namespaced_pod, pod.metadata.name, workload.namespace)
    eventually(lambda: must_not_run(pid), SOON)


def test_a_deleted_pod_is_replaced(side: Side) -> None:
    workload = Workload(side, {"command": ["sleep", "60"]})
    workload.create()
    eventually(workload.must_be_ready, SOON)
    first = workload.pod().metadata
    side.core.delete_namespaced_pod(first.name, workload.namespace)

    def replaced() -> None:
        assert workload.pod().metadata.uid != first.uid
        workload.must_be_ready()

    eventually(replaced, SOON)


def test_a_container_that_ends_is_started_again(side: Side) -> None:
    workload = Workload(side, {"command": ["sh", "-c", "echo once; exit 3"]})
    workload.create()

    def restarted() -> None:
        assert workload.pod().status.container_statuses[0].restart_count >= 2
        assert workload.log().count("once") >= 2

    eventually(restarted, SOON)


def test_a_new_template_replaces_the_pods(side: Side) -> None:
    workload = Workload(side, {"command": ["sleep", "60"]})
    workload.create()
    eventually(workload.must_be_ready, SOON)
    before = workload.pod().metadata.uid
    patch = {"spec": {"template": {"metadata": {"annotations": {"restarted": "now"}}}}}
    side.apps.patch_namespaced_deployment("web", workload.namespace, patch, _content_type=MERGE)

    def replaced() -> None:
        assert workload.pod().metadata.uid != before
        workload.must_be_ready()

    eventually(replaced, SOON)


def test_a_container_waits_for_its_secret(side: Side) -> None:
    source = {"secretKeyRef": {"name": "login", "key": "password"}}
    workload = Workload(
        side,
        {
            "command": ["sh", "-c", 'echo "$PASSWORD at $POD ${HOSTS_OWN:-nothing}"; sleep 60'],
            "env": [
                {"name": "PASSWORD", "valueFrom": source},
                {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
            ],
        },
    )
    workload.create()

    def waits() -> None:
        (state,) = workload.pod().status.container_statuses
        assert state.state.waiting.reason == "CreateContainerConfigError"

    eventually(waits, SOON)
    secret = {"metadata": {"name": "login"}, "stringData": {"password": "sesame"}}
    side.core.create_namespaced_secret(workload.namespace, secret)

    def printed() -> None:
        assert workload.log() == f"sesame at {workload.namespace} nothing\n"

    eventually(printed, SOON)


def test_a_command_can_be_the_probe(side: Side, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    probe = {"exec": {"command": ["test", "-e", str(flag)]}, "periodSeconds": 1}
    workload = Workload(side, {"command": ["sleep", "60"], "readinessProbe": probe})
    workload.create()

    def running() -> None:
        assert workload.pod().status.phase == "Running"

    eventually(running, SOON)
    assert workload.status().ready_replicas is None
    flag.touch()
    eventually(workload.must_be_ready, SOON)
