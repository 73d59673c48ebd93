"""The order in which a stage is started, and what it takes for it to be ready."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

from harness.deadlines import Deadline, eventually
from harness.errors import FailedError
from tests.stage import (
    argocd,
    components,
    control_plane,
    group,
    host,
    leases,
    node,
    repository,
)
from tests.stage.certificates import Authority
from tests.stage.places import API_URL, NODE_NAME, Places

if TYPE_CHECKING:
    from tests.stage.argocd import SelfHeal
    from tests.stage.components import Component
    from tests.stage.stage import Stage

_READY = Deadline(120, "ten seconds on an idle machine; a busy one of two cores gets two minutes")
_PROBE = "stage-ready"


def boot(stage: Stage, self_heal: SelfHeal) -> None:
    """Start everything in an empty directory, and return when it all works.

    Raises:
        FailedError: A part of it does not start.
    """
    for folder in ("components", "logs", "home"):
        (stage.directory / folder).mkdir(mode=0o700)
    group.make()
    host.change()
    authority = Authority(stage.directory / "certificates", "authority")
    admin = authority.issue("admin", "admin", "system:masters")
    authority.kubeconfig(stage.kubeconfig, API_URL, admin)
    leases.certify(authority)
    places = Places(stage.directory, stage.bundle, authority)
    store, way_to_store = control_plane.etcd(places)
    redis, password = argocd.redis(places)
    runtime = node.containerd(places)
    git = argocd.repo_server(places, password)
    api = control_plane.apiserver(places, way_to_store)
    for component in (store, runtime, redis, git):
        _start(stage, component)
    _await(stage, store)
    _start(stage, api)
    # The API server takes its seconds: what needs none of it is done meanwhile.
    repository.make(stage.repository)
    _await(stage, runtime)
    for archive in sorted((stage.bundle / "images").glob("*.tar")):
        stage.import_image(archive)
    _await(stage, api)
    rest = [
        control_plane.controller_manager(places),
        control_plane.scheduler(places),
        node.kubelet(places),
    ]
    for component in rest:
        _start(stage, component)
    stage.apply(*argocd.objects(_definitions(stage)))
    # The API server serves a kind a moment after its definition was taken.
    eventually(lambda: stage.apply(argocd.project()), _READY, on=FailedError)
    controller = argocd.controller(places, password, self_heal)
    _start(stage, controller)
    for component in (redis, git, *rest, controller):
        _await(stage, component)
    _await_node(stage)
    _await_argocd(stage)
    # Pods are refused in a namespace that has none yet.
    eventually(lambda: stage.get("serviceaccount", "default"), _READY, on=FailedError)


def _start(stage: Stage, component: Component) -> None:
    component.keep(stage.directory)
    components.start(stage.directory, component)


def _await(stage: Stage, component: Component) -> None:
    components.await_answer(stage.directory, component, stage.authority)


def _definitions(stage: Stage) -> list[dict[str, Any]]:
    paths = sorted((stage.bundle / "definitions").glob("*.yaml"))
    return [yaml.load(path.read_text(), yaml.CSafeLoader) for path in paths]


def _await_node(stage: Stage) -> None:
    def ready() -> None:
        conditions = stage.get("node", NODE_NAME)["status"].get("conditions", [])
        found = {condition["type"]: condition for condition in conditions}.get("Ready", {})
        if found.get("status") != "True":
            raise FailedError(
                "the node does not become ready",
                found=found.get("message", "no word of it"),
                expected="Ready",
                remedy=f"read {stage.logs / 'kubelet.log'}",
            )

    eventually(ready, _READY, every=0.2, on=FailedError)


def _await_argocd(stage: Stage) -> None:
    """Have it bring one object from git into the cluster, then take both away."""
    given = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": _PROBE}}
    stage.push({f"{_PROBE}/object.json": json.dumps(given)}, "Ask Argo CD whether it works")
    where = {"namespace": "default", "server": "https://kubernetes.default.svc"}
    source = {"repoURL": stage.repository_url, "path": _PROBE, "targetRevision": repository.BRANCH}
    stage.apply(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": _PROBE, "namespace": argocd.NAMESPACE},
            "spec": {
                "project": "default",
                "source": source,
                "destination": where,
                "syncPolicy": {"automated": {}},
            },
        }
    )

    def in_step() -> None:
        status = stage.get("application", _PROBE, argocd.NAMESPACE).get("status", {})
        found = [status.get(part, {}).get("status") for part in ("sync", "health")]
        if found != ["Synced", "Healthy"]:
            raise FailedError(
                "Argo CD does not bring an Application from git into the cluster",
                found=f"{found}; {status.get('conditions') or status.get('operationState')}",
                expected="Synced and Healthy",
                remedy=f"read {stage.logs / 'argocd-application-controller.log'}",
            )

    eventually(in_step, _READY, every=0.2, on=FailedError)
    stage.kubectl("delete", "application", _PROBE, f"--namespace={argocd.NAMESPACE}")
    stage.kubectl("delete", "configmap", _PROBE, "--namespace=default")
    stage.push({f"{_PROBE}/object.json": None}, "It works")
