"""Jobs: a pod that runs to its end, and what becomes of those that fail, hang, or are deleted."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest
from kubernetes.client import BatchV1Api

from harness.deadlines import eventually
from tests.contract.cluster import MERGE, SOON, refusal
from tests.local.kubernetes.conftest import Side

if TYPE_CHECKING:
    from pathlib import Path

    from harness.local.kubernetes.launch import StandIn

STUBBORN = "trap 'echo told; exit 7' TERM; while :; do sleep 0.1; done"


class Work:
    """One Job in a namespace of its own."""

    def __init__(self, side: Side) -> None:
        self.side, self.namespace = side, f"jobs-{secrets.token_hex(4)}"
        self.api = BatchV1Api(side.cluster.admin)
        side.make_namespace(self.namespace)

    def create(self, script: str, *, container: Any = None, pod: Any = None, **spec: Any) -> Any:
        main = {"name": "main", "image": "none", "command": ["/bin/sh", "-c", script]}
        template = {
            "spec": {
                "restartPolicy": "Never",
                "containers": [{**main, **(container or {})}],
                **(pod or {}),
            }
        }
        body = {
            "metadata": {"name": "work"},
            "spec": {"backoffLimit": 0, "template": template, **spec},
        }
        return self.api.create_namespaced_job(self.namespace, body)

    def conditions(self) -> list[tuple[str, str]]:
        told = self.api.read_namespaced_job("work", self.namespace).status.conditions or []
        return [(each.type, each.reason) for each in told if each.status == "True"]

    def becomes(self, kind: str, reason: str) -> None:
        def must() -> None:
            assert self.conditions() == [(kind, reason)]

        eventually(must, SOON)

    def pods(self) -> list[Any]:
        label = "batch.kubernetes.io/job-name=work"
        found = self.side.core.list_namespaced_pod(self.namespace, label_selector=label)
        return list(found.items)

    def log(self) -> str:
        (pod,) = self.pods()
        return str(self.side.core.read_namespaced_pod_log(pod.metadata.name, self.namespace))

    def must_be_gone(self) -> None:
        refusal(404, self.api.read_namespaced_job, "work", self.namespace)
        assert self.pods() == []


@pytest.fixture
def work(shared: StandIn) -> Work:
    return Work(Side(shared))


def test_a_job_runs_to_its_end_and_keeps_its_pod(work: Work) -> None:
    work.create("echo done")
    work.becomes("Complete", "Completed")
    assert work.log() == "done\n"
    assert work.api.read_namespaced_job("work", work.namespace).status.succeeded == 1


def test_one_that_fails_is_not_tried_again_and_tells_its_exit_code(work: Work) -> None:
    work.create("exit 3")
    work.becomes("Failed", "BackoffLimitExceeded")
    (pod,) = work.pods()
    assert pod.status.container_statuses[0].state.terminated.exit_code == 3


def test_one_that_may_be_tried_again_is(work: Work) -> None:
    work.create("exit 3", backoffLimit=1)
    work.becomes("Failed", "BackoffLimitExceeded")
    assert len(work.pods()) == 2


def test_a_suspended_one_waits(work: Work) -> None:
    work.create("echo done", suspend=True)
    work.becomes("Suspended", "JobSuspended")
    assert work.pods() == []
    go = {"spec": {"suspend": False}}
    work.api.patch_namespaced_job("work", work.namespace, go, _content_type=MERGE)
    work.becomes("Complete", "Completed")


def test_one_that_takes_too_long_is_ended(work: Work) -> None:
    work.create("exec sleep 60", activeDeadlineSeconds=20)
    work.becomes("Failed", "DeadlineExceeded")
    eventually(lambda: _must_be_none(work), SOON)


def _must_be_none(work: Work) -> None:
    assert work.pods() == []


def test_one_that_has_ended_goes_when_its_time_is_over(work: Work) -> None:
    work.create("echo done", ttlSecondsAfterFinished=20)
    eventually(work.must_be_gone, SOON)


def test_deleted_in_the_foreground_it_goes_after_its_pod_and_takes_its_secret_along(
    work: Work,
) -> None:
    job = work.create(STUBBORN)
    owner = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": "work",
        "uid": job.metadata.uid,
    }
    body = {"metadata": {"name": "handed", "ownerReferences": [owner]}, "stringData": {"a": "b"}}
    work.side.core.create_namespaced_secret(work.namespace, body)

    def must_run() -> None:
        (pod,) = work.pods()
        assert pod.status.phase == "Running"

    eventually(must_run, SOON)
    how = {"propagationPolicy": "Foreground"}
    work.api.delete_namespaced_job("work", work.namespace, body=how)
    eventually(work.must_be_gone, SOON)

    def secret_is_gone() -> None:
        refusal(404, work.side.core.read_namespaced_secret, "handed", work.namespace)

    eventually(secret_is_gone, SOON)


def test_its_template_cannot_be_changed_and_it_must_end_some_day(work: Work) -> None:
    always = {"restartPolicy": "Always"}
    assert refusal(422, work.create, "echo done", pod=always)
    work.create("echo done", suspend=True)
    pod = {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 5}}}}
    change = work.api.patch_namespaced_job
    assert refusal(422, change, "work", work.namespace, pod, _content_type=MERGE)


def test_variables_come_from_whole_secrets_and_maps(work: Work) -> None:
    core, where = work.side.core, work.namespace
    core.create_namespaced_secret(where, {"metadata": {"name": "s"}, "stringData": {"A": "x"}})
    core.create_namespaced_config_map(
        where, {"metadata": {"name": "m"}, "data": {"B": "y", "C": "z"}}
    )
    sources = [
        {"secretRef": {"name": "s"}},
        {"configMapRef": {"name": "m"}},
        {"secretRef": {"name": "none", "optional": True}},
    ]
    container = {"envFrom": sources, "env": [{"name": "C", "value": "own"}]}
    work.create("echo $A $B $C", container=container)
    work.becomes("Complete", "Completed")
    assert work.log() == "x y own\n"


def test_a_pod_waits_for_the_secret_of_its_variables(work: Work) -> None:
    work.create("echo $A", container={"envFrom": [{"secretRef": {"name": "late"}}]})

    def must_wait() -> None:
        (pod,) = work.pods()
        waiting = pod.status.container_statuses[0].state.waiting
        assert waiting.reason == "CreateContainerConfigError"

    eventually(must_wait, SOON)
    body = {"metadata": {"name": "late"}, "stringData": {"A": "here"}}
    work.side.core.create_namespaced_secret(work.namespace, body)
    work.becomes("Complete", "Completed")
    assert work.log() == "here\n"


def test_a_volume_of_a_map_is_a_folder_of_the_stand_in(work: Work, shared: StandIn) -> None:
    where = shared.state / "mounted" / work.namespace
    core = work.side.core
    core.create_namespaced_config_map(
        work.namespace, {"metadata": {"name": "m"}, "data": {"file": "content\n"}}
    )
    container = {"volumeMounts": [{"name": "v", "mountPath": str(where)}]}
    pod = {"volumes": [{"name": "v", "configMap": {"name": "m"}}]}
    work.create(f"cat {where}/file", container=container, pod=pod)
    work.becomes("Complete", "Completed")
    assert work.log() == "content\n"


def test_the_one_image_holds_the_command(work: Work) -> None:
    work.create("exec sandbox-lifecycle --version")
    work.becomes("Complete", "Completed")
    assert work.log().startswith("0.")


def leading(script: str) -> dict[str, Any]:
    command = ["/bin/sh", "-c", script]
    return {"initContainers": [{"name": "first", "image": "none", "command": command}]}


def test_what_goes_first_is_over_before_the_rest_begins(work: Work, tmp_path: Path) -> None:
    order = tmp_path / "order"
    work.create(f"echo then >>{order}", pod=leading(f"sleep 0.3; echo first >>{order}"))
    work.becomes("Complete", "Completed")
    assert order.read_text() == "first\nthen\n"
    (pod,) = work.pods()
    assert pod.status.init_container_statuses[0].state.terminated.exit_code == 0


def test_what_goes_first_and_fails_is_the_end_of_it(work: Work) -> None:
    work.create("echo never", pod=leading("exit 4"))
    work.becomes("Failed", "BackoffLimitExceeded")
    assert work.log() == ""
    (pod,) = work.pods()
    assert pod.status.init_container_statuses[0].state.terminated.exit_code == 4
