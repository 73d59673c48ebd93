"""What a stage is for: everything here is done by the real Kubernetes and the real Argo CD."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.deadlines import Deadline, eventually
from harness.errors import FailedError
from tests.stage.cluster import SelfHeal, Stage
from tests.stage.objects import deployment, template

if TYPE_CHECKING:
    from collections.abc import Iterator

_SOON = Deadline(60, "seconds on an idle machine; a busy one of two cores gets a minute")
_PAUSED_FOR = 12
"""Seconds: more than from one pass of Argo CD to the next, and forty times what a revert takes."""


def test_a_deployment_with_a_volume_becomes_ready_and_is_served(stage: Stage) -> None:
    volume = stage.provide_volume("pages", claim="pages", namespace="default")
    (volume / "index.html").write_text("served from the volume")
    probe = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
    pods = template(
        *("httpd", "-f", "-p", "8080", "-h", "/pages"),
        container={
            "readinessProbe": probe,
            "volumeMounts": [{"name": "pages", "mountPath": "/pages"}],
        },
        volumes=[{"name": "pages", "persistentVolumeClaim": {"claimName": "pages"}}],
    )
    stage.apply(_claim("pages"), deployment("web", pods))
    eventually(lambda: _must_be_ready(stage, "web", "default", 1), _SOON)
    assert stage.get("persistentvolumeclaim", "pages")["status"]["phase"] == "Bound"
    selector = ("--selector=app=web", "--output=jsonpath={.items[0].status.podIP}")
    address = stage.kubectl("get", "pods", *selector)
    with urllib.request.urlopen(f"http://{address}:8080/", timeout=5) as answer:
        assert answer.read() == b"served from the volume"


def test_a_job_ends_and_its_log_is_read(stage: Stage) -> None:
    pods = template("sh", "-c", "echo done by a Job", restartPolicy="Never")
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once"}}
    stage.apply({**job, "spec": {"template": pods, "backoffLimit": 0}})
    eventually(lambda: _must_have(stage.get("job", "once")["status"], succeeded=1), _SOON)
    assert stage.kubectl("logs", "job/once") == "done by a Job\n"


def test_a_pod_reaches_the_api_where_every_client_looks_for_it(stage: Stage) -> None:
    script = 'nc -w 5 "$KUBERNETES_SERVICE_HOST" "$KUBERNETES_SERVICE_PORT" </dev/null'
    pods = template("sh", "-c", script, restartPolicy="Never")
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "reaching"}}
    stage.apply({**job, "spec": {"template": pods, "backoffLimit": 0}})
    eventually(lambda: _must_have(stage.get("job", "reaching")["status"], succeeded=1), _SOON)


def test_an_admission_policy_is_enforced(stage: Stage) -> None:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"]}
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "no-such-name"},
        "spec": {
            "matchConstraints": {"resourceRules": [{**rule, "resources": ["configmaps"]}]},
            "validations": [{"expression": "object.metadata.name != 'forbidden'"}],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "no-such-name"},
        "spec": {"policyName": "no-such-name", "validationActions": ["Deny"]},
    }
    stage.apply(policy, binding)

    # A policy is compiled a moment after it was taken.
    refused = ("create", "configmap", "forbidden", "--dry-run=server")
    eventually(lambda: _must_fail(stage, "denied request", *refused), _SOON)
    stage.kubectl("create", "configmap", "allowed", "--dry-run=server")


@pytest.fixture(scope="module")
def application(stage: Stage) -> Iterator[str]:
    """An Application with a Deployment of one replica, healed by Argo CD."""
    name = "healed"
    stage.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    stage.push({f"{name}/web.json": json.dumps(deployment("web", template()))})
    source = {"repoURL": stage.repository_url, "path": name, "targetRevision": "main"}
    where = {"namespace": name, "server": "https://kubernetes.default.svc"}
    automated = {"enabled": True, "selfHeal": True, "prune": True}
    stage.apply(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": name, "namespace": "argocd"},
            "spec": {
                "project": "default",
                "source": source,
                "destination": where,
                "syncPolicy": {"automated": automated},
            },
        }
    )
    eventually(lambda: _must_be_ready(stage, "web", name, 1), _SOON)
    yield name
    _pause(stage, name, enabled=False)


def test_argocd_reverts_what_somebody_scaled(stage: Stage, application: str) -> None:
    _scale(stage, application, 0)
    eventually(lambda: _must_want(stage, application, 1), _SOON)


def test_argocd_leaves_a_paused_application_alone(stage: Stage, application: str) -> None:
    _pause(stage, application, enabled=False)
    _scale(stage, application, 0)
    reverted = ("deployment/web", f"--namespace={application}", "--for=jsonpath={.spec.replicas}=1")
    with pytest.raises(FailedError, match="timed out"):
        stage.kubectl("wait", *reverted, f"--timeout={_PAUSED_FOR}s")
    _pause(stage, application, enabled=True)
    eventually(lambda: _must_be_ready(stage, "web", application, 1), _SOON)


def test_argocd_follows_git(stage: Stage, application: str) -> None:
    web = json.dumps(deployment("web", template(), replicas=2))
    stage.push({f"{application}/web.json": web, f"{application}/more.json": _config_map("more")})
    stage.refresh_application(application)
    eventually(lambda: _must_be_ready(stage, "web", application, 2), _SOON)
    web = json.dumps(deployment("web", template()))
    stage.push({f"{application}/web.json": web, f"{application}/more.json": None})
    stage.refresh_application(application)
    eventually(lambda: _must_be_ready(stage, "web", application, 1), _SOON)
    more = ("get", "configmap", "more", f"--namespace={application}")
    eventually(lambda: _must_fail(stage, "NotFound", *more), _SOON)


def test_as_delivered_argocd_takes_its_time_between_reverts(stage: Stage, application: str) -> None:
    stage.use_self_heal(SelfHeal.DEFAULT)
    try:
        delivered = [_seconds_to_revert(stage, application) for _ in range(4)]
    finally:
        stage.use_self_heal(SelfHeal.FAST)
    # A controller that has just started learns of the first change in its next pass only.
    _seconds_to_revert(stage, application)
    fast = [_seconds_to_revert(stage, application) for _ in range(3)]
    # Two seconds at most, and what a busy machine adds; as delivered the fourth waits for 18.
    assert max(fast) < 10 < max(delivered)


def test_containers_run_on_without_kubelet_and_containerd(stage: Stage, application: str) -> None:
    eventually(lambda: _must_be_ready(stage, "web", application, 1), _SOON)
    pod = _pod_that_stays(stage, application)
    before = _process_in(stage, application, pod)
    for name in ("kubelet", "containerd"):
        stage.stop_component(name, kill=name == "containerd")
        assert stage.pid(name) is None
        assert Path(f"/proc/{before}").exists()
    for name in ("containerd", "kubelet"):
        stage.start_component(name)
    # The node does something, and so is known to work. Which of two pods goes again is not said.
    _have(stage, application, replicas=2)
    assert _process_in(stage, application, pod) == before
    _have(stage, application, replicas=1)


def test_the_api_server_comes_back_with_all_it_knew(stage: Stage, application: str) -> None:
    uid = stage.get("deployment", "web", application)["metadata"]["uid"]
    stage.stop_component("kube-apiserver", kill=True)
    with pytest.raises(FailedError, match="refused"):
        stage.get("deployment", "web", application)
    stage.start_component("kube-apiserver")
    assert stage.get("deployment", "web", application)["metadata"]["uid"] == uid
    # And its clients with it.
    _scale(stage, application, 0)
    eventually(lambda: _must_be_ready(stage, "web", application, 1), _SOON)


def _claim(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {
            "storageClassName": "",
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Mi"}},
        },
    }


def _config_map(name: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})


def _pause(stage: Stage, name: str, *, enabled: bool) -> None:
    patch = {"spec": {"syncPolicy": {"automated": {"enabled": enabled}}}}
    where = ("application", name, "--namespace=argocd", "--type=merge")
    stage.kubectl("patch", *where, f"--patch={json.dumps(patch)}")


def _scale(stage: Stage, namespace: str, replicas: int) -> None:
    stage.kubectl("scale", "deployment/web", f"--replicas={replicas}", f"--namespace={namespace}")


def _have(stage: Stage, namespace: str, *, replicas: int) -> None:
    web = json.dumps(deployment("web", template(), replicas=replicas))
    stage.push({f"{namespace}/web.json": web})
    stage.refresh_application(namespace)
    eventually(lambda: _must_be_ready(stage, "web", namespace, replicas), _SOON)


def _seconds_to_revert(stage: Stage, namespace: str) -> float:
    began = time.monotonic()
    _scale(stage, namespace, 0)
    eventually(lambda: _must_want(stage, namespace, 1), _SOON)
    return time.monotonic() - began


def _pod_that_stays(stage: Stage, namespace: str) -> str:
    """The one pod that is not on its way out: those of earlier tests take their time."""
    pods = json.loads(stage.kubectl("get", "pods", f"--namespace={namespace}", "--output=json"))
    (found,) = (pod for pod in pods["items"] if "deletionTimestamp" not in pod["metadata"])
    return str(found["metadata"]["name"])


def _process_in(stage: Stage, namespace: str, pod: str) -> int:
    """The process of the pod's container, as this machine numbers it."""
    (status,) = stage.get("pod", pod, namespace)["status"]["containerStatuses"]
    container = status["containerID"].removeprefix("containerd://")
    task = stage.directory / "containerd-run/io.containerd.runtime.v2.task/k8s.io" / container
    return int((task / "init.pid").read_text())


def _must_want(stage: Stage, namespace: str, replicas: int) -> None:
    _must_have(stage.get("deployment", "web", namespace)["spec"], replicas=replicas)


def _must_be_ready(stage: Stage, name: str, namespace: str, replicas: int) -> None:
    found = stage.get("deployment", name, namespace)
    assert found["status"].get("observedGeneration") == found["metadata"]["generation"]
    _must_have(found["spec"], replicas=replicas)
    _must_have(found["status"], replicas=replicas, readyReplicas=replicas)


def _must_have(found: dict[str, Any], **expected: int) -> None:
    assert {name: found.get(name) for name in expected} == expected


def _must_fail(stage: Stage, why: str, *arguments: str) -> None:
    # Not pytest.raises: its failure is no Exception, so `eventually` would not wait for it.
    try:
        printed = stage.kubectl(*arguments)
    except FailedError as error:
        assert why in str(error)  # noqa: PT017
    else:
        raise AssertionError(f"not refused: {printed}")
