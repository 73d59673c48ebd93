"""The scale subresource: what the harness stops and starts the application with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from kubernetes.client import AppsV1Api

from tests.contract.cluster import MERGE, deployment, refusal

if TYPE_CHECKING:
    from tests.contract.cluster import Cluster


@pytest.fixture
def apps(cluster: Cluster, namespace: str) -> AppsV1Api:
    api = AppsV1Api(cluster.admin)
    api.create_namespaced_deployment(namespace, deployment(replicas=1))
    return api


def test_no_replicas_are_none_in_the_client(apps: AppsV1Api, namespace: str) -> None:
    assert apps.read_namespaced_deployment_scale("web", namespace).spec.replicas == 1
    patch = {"spec": {"replicas": 0}}
    done = apps.patch_namespaced_deployment_scale("web", namespace, patch, _content_type=MERGE)
    assert done.spec.replicas is None
    assert apps.read_namespaced_deployment_scale("web", namespace).spec.replicas is None
    assert apps.read_namespaced_deployment("web", namespace).spec.replicas == 0


def test_a_scale_is_named_after_its_deployment(apps: AppsV1Api, namespace: str) -> None:
    scale = apps.read_namespaced_deployment_scale("web", namespace)
    read = apps.read_namespaced_deployment("web", namespace)
    assert scale.metadata.uid == read.metadata.uid
    assert scale.status.selector == "app=web"


def test_the_revision_is_a_precondition(apps: AppsV1Api, namespace: str) -> None:
    before = apps.read_namespaced_deployment_scale("web", namespace)
    patch = {"metadata": {"annotations": {"a": "b"}}}
    apps.patch_namespaced_deployment("web", namespace, patch, _content_type=MERGE)
    stale = {
        "metadata": {"resourceVersion": before.metadata.resource_version},
        "spec": {"replicas": 0},
    }
    body = refusal(
        409, apps.patch_namespaced_deployment_scale, "web", namespace, stale, _content_type=MERGE
    )
    assert body["reason"] == "Conflict"
    refusal(409, apps.replace_namespaced_deployment_scale, "web", namespace, before)
    assert apps.read_namespaced_deployment("web", namespace).spec.replicas == 1


def test_scaling_moves_the_generation(apps: AppsV1Api, namespace: str) -> None:
    patch = {"spec": {"replicas": 0}}
    apps.patch_namespaced_deployment_scale("web", namespace, patch, _content_type=MERGE)
    assert apps.read_namespaced_deployment("web", namespace).metadata.generation == 2


def test_a_dry_run_scales_nothing(apps: AppsV1Api, namespace: str) -> None:
    patch = {"spec": {"replicas": 0}}
    done = apps.patch_namespaced_deployment_scale(
        "web", namespace, patch, _content_type=MERGE, dry_run="All"
    )
    assert done.spec.replicas is None
    assert apps.read_namespaced_deployment("web", namespace).spec.replicas == 1


def test_fewer_than_none_is_422(apps: AppsV1Api, namespace: str) -> None:
    patch = {"spec": {"replicas": -1}}
    body = refusal(
        422, apps.patch_namespaced_deployment_scale, "web", namespace, patch, _content_type=MERGE
    )
    assert body["details"]["kind"] == "Scale"
    assert body["details"]["causes"][0]["field"] == "spec.replicas"


def test_an_absent_deployment_has_no_scale(apps: AppsV1Api, namespace: str) -> None:
    body = refusal(404, apps.read_namespaced_deployment_scale, "none", namespace)
    assert body["details"] == {"name": "none", "group": "apps", "kind": "deployments"}
