"""kubectl, as a person in the middle of a rehearsal uses it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from kubernetes.client import AppsV1Api

from harness import manifests
from harness.manifests.pods import Pods
from harness.settings.in_cluster import InClusterSettings
from tests.contract.cluster import Applications, application, config_map, core, deployment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.contract.cluster import Cluster

_PROGRAM = shutil.which(
    "kubectl", path=os.pathsep.join([os.environ.get("KUBEBUILDER_ASSETS", ""), os.environ["PATH"]])
)

pytestmark = pytest.mark.skipif(_PROGRAM is None, reason="there is no kubectl on PATH")


def _command(cluster: Cluster, *arguments: str) -> list[str]:
    return [str(_PROGRAM), f"--kubeconfig={cluster.kubeconfig}", *arguments]


@pytest.fixture
def kubectl(
    cluster: Cluster, namespace: str, tmp_path: Path
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run kubectl in the test's namespace."""

    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            _command(cluster, f"--cache-dir={tmp_path}", f"--namespace={namespace}", *arguments),
            input=stdin,
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )

    return run


IDLE = Pods(InClusterSettings(watchdog=False))
Kubectl = "Callable[..., subprocess.CompletedProcess[str]]"


def test_it_lists_and_shows(kubectl: Kubectl, cluster: Cluster, namespace: str) -> None:
    AppsV1Api(cluster.admin).create_namespaced_deployment(namespace, deployment())
    Applications(cluster.admin, namespace).create(application())
    assert "web" in kubectl("get", "deployments", "-o", "wide").stdout
    assert "deployment.apps/web" in kubectl("get", "deploy", "-o", "name").stdout
    assert "replicas: 0" in kubectl("get", "deployment/web", "-o", "yaml").stdout
    assert "project: default" in kubectl("get", "applications", "erp", "-o", "yaml").stdout
    listed = json.loads(kubectl("get", "deployments,applications", "-o", "json").stdout)
    assert {each["kind"] for each in listed["items"]} == {"Deployment", "Application"}


def test_it_scales(kubectl: Kubectl, cluster: Cluster, namespace: str) -> None:
    apps = AppsV1Api(cluster.admin)
    apps.create_namespaced_deployment(namespace, deployment(replicas=1))
    kubectl("scale", "deployment/web", "--replicas=0")
    assert apps.read_namespaced_deployment("web", namespace).spec.replicas == 0
    kubectl("scale", "deployment/web", "--current-replicas=0", "--replicas=2")
    assert apps.read_namespaced_deployment("web", namespace).spec.replicas == 2


@pytest.mark.parametrize("kind", ["strategic", "merge", "json"])
def test_it_patches(kubectl: Kubectl, cluster: Cluster, namespace: str, kind: str) -> None:
    AppsV1Api(cluster.admin).create_namespaced_deployment(namespace, deployment())
    patch = '{"metadata":{"labels":{"a":"b"}}}'
    if kind == "json":
        patch = '[{"op":"add","path":"/metadata/labels","value":{"a":"b"}}]'
    kubectl("patch", "deployment", "web", f"--type={kind}", "-p", patch)
    assert "web" in kubectl("get", "deployments", "-l", "a=b", "-o", "name").stdout


def test_it_patches_an_application(kubectl: Kubectl, cluster: Cluster, namespace: str) -> None:
    applications = Applications(cluster.admin, namespace)
    applications.create(application(syncPolicy={"automated": {"selfHeal": True}}))
    patch = '{"spec":{"syncPolicy":{"automated":{"enabled":false}}}}'
    kubectl("patch", "applications.argoproj.io", "erp", "--type=merge", "-p", patch)
    policy = applications.get()["spec"]["syncPolicy"]
    assert policy["automated"] == {"selfHeal": True, "enabled": False}
    kubectl("annotate", "application/erp", "a=b")
    kubectl("label", "application/erp", "a=b")
    assert applications.get()["metadata"]["labels"] == {"a": "b"}


def test_it_deletes(kubectl: Kubectl, cluster: Cluster, namespace: str) -> None:
    core(cluster).create_namespaced_config_map(namespace, config_map("one"))
    kubectl("delete", "configmap", "one")
    missing = kubectl("get", "configmap", "one", "--ignore-not-found", "-o", "name")
    assert missing.stdout == ""


def test_it_applies_the_manifests(kubectl: Kubectl, namespace: str) -> None:
    names = manifests.Names(namespace, "web", namespace, "erp", f"h-{namespace}")
    rendered = manifests.render(names, IDLE)
    told = kubectl("apply", "-f", "-", stdin=rendered).stdout
    assert told.count("created") == len(manifests.objects(names))
    again = kubectl("apply", "-f", "-", stdin=rendered).stdout
    assert "created" not in again
    # A volume is let go by a controller, which an API server alone does not have.
    kubectl("delete", "-f", "-", "--wait=false", stdin=rendered)


def test_it_watches(kubectl: Kubectl, cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    core(cluster).create_namespaced_config_map(namespace, config_map("one"))
    command = _command(
        cluster,
        f"--cache-dir={tmp_path}",
        f"--namespace={namespace}",
        "get",
        "configmaps",
        "--watch",
        "--output-watch-events",
        "--request-timeout=20s",
    )
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        try:
            lines = iter(watching.stdout)
            assert any("ADDED" in line and "one" in line for line in lines)
            core(cluster).create_namespaced_config_map(namespace, config_map("two"))
            assert any("ADDED" in line and "two" in line for line in lines)
            core(cluster).delete_namespaced_config_map("two", namespace)
            assert any("DELETED" in line and "two" in line for line in lines)
        finally:
            watching.terminate()
    assert kubectl("get", "configmap", "one", "-o", "name").stdout.strip() == "configmap/one"


def test_it_applies_the_manifests_as_a_base_and_again_without_a_change(
    kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    account = f"harness-{secrets.token_hex(4)}"
    names = manifests.Names(namespace, "web", namespace, "erp", service_account=account)
    base = tmp_path / "base"
    base.mkdir()
    for name, text in manifests.files(names, IDLE).items():
        (base / name).write_text(text, encoding="utf-8")
    made = kubectl("apply", "-k", str(base)).stdout.splitlines()
    assert len(made) == len(manifests.objects(names))
    assert {line.rpartition(" ")[2] for line in made} == {"created"}
    again = kubectl("apply", "-k", str(base)).stdout.splitlines()
    assert "\n".join(line for line in again if not line.endswith(" unchanged")) == ""
    kubectl("delete", "-k", str(base), "--wait=false")
