"""What follows a deletion: owned objects, where a controller manager (or its stand-in) runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from kubernetes.client import AppsV1Api, CoreV1Api

from harness.deadlines import eventually
from tests.contract.cluster import SOON, config_map, core, deployment, refusal

if TYPE_CHECKING:
    from tests.contract.cluster import Cluster


@pytest.fixture
def api(cluster: Cluster) -> CoreV1Api:
    if not cluster.has_controllers:
        pytest.skip("no controller manager runs here")
    return core(cluster)


def owned(api: CoreV1Api, namespace: str, owner: str) -> None:
    """A config map named `owned` that belongs to another one."""
    made = api.create_namespaced_config_map(namespace, config_map(owner)).metadata
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": owner, "uid": made.uid}
    body = config_map("owned", ownerReferences=[reference])
    api.create_namespaced_config_map(namespace, body)


def is_gone(call: Any, *place: str) -> None:
    eventually(lambda: refusal(404, call, *place), SOON)


@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
def test_what_is_owned_goes_with_its_owner(
    api: CoreV1Api, namespace: str, propagation: str
) -> None:
    owned(api, namespace, "owner")
    api.delete_namespaced_config_map("owner", namespace, propagation_policy=propagation)
    is_gone(api.read_namespaced_config_map, "owned", namespace)
    is_gone(api.read_namespaced_config_map, "owner", namespace)


def test_what_is_orphaned_stays(api: CoreV1Api, namespace: str) -> None:
    owned(api, namespace, "owner")
    api.delete_namespaced_config_map("owner", namespace, propagation_policy="Orphan")
    is_gone(api.read_namespaced_config_map, "owner", namespace)
    assert not api.read_namespaced_config_map("owned", namespace).metadata.owner_references


def test_an_owner_that_never_was_takes_it_along(api: CoreV1Api, namespace: str) -> None:
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "none-such"}
    body = config_map("owned", ownerReferences=[reference])
    api.create_namespaced_config_map(namespace, body)
    is_gone(api.read_namespaced_config_map, "owned", namespace)


def test_a_namespace_takes_its_content_along(api: CoreV1Api, namespace: str) -> None:
    api.create_namespaced_config_map(namespace, config_map("one"))
    api.delete_namespace(namespace)
    is_gone(api.read_namespace, namespace)


def test_a_deployment_takes_its_pods_along(
    cluster: Cluster, api: CoreV1Api, namespace: str
) -> None:
    apps = AppsV1Api(cluster.admin)
    apps.create_namespaced_deployment(namespace, deployment(replicas=1))

    def pods(count: int) -> None:
        assert len(api.list_namespaced_pod(namespace, label_selector="app=web").items) == count

    eventually(lambda: pods(1), SOON)
    apps.delete_namespaced_deployment("web", namespace)
    eventually(lambda: pods(0), SOON)
