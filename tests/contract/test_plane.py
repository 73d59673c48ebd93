"""The Kubernetes plane, asked of an API server under the harness's own identity and manifests."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from kubernetes.client import RbacAuthorizationV1Api

from harness.cluster.client import connect
from harness.deadlines import Deadlines, eventually
from harness.integrity.cluster_plane import ClusterPlane, look
from harness.settings.cluster import ClusterSettings
from tests.contract.cluster import SOON, Applications, core, refusal
from tests.contract.test_access import harness, names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kubernetes.client import ApiClient

    from harness import manifests
    from tests.contract.cluster import Cluster

__all__ = ["harness", "names"]

_ROLES = "rbac.authorization.k8s.io"


@pytest.fixture
def prod(cluster: Cluster) -> Iterator[str]:
    """Prod's namespace."""
    name = f"prod-{secrets.token_hex(4)}"
    core(cluster).create_namespace({"metadata": {"name": name}})
    yield name
    core(cluster).delete_namespace(name)


@pytest.fixture
def settings(
    cluster: Cluster, harness: ApiClient, names: manifests.Names, prod: str, tmp_path: Path
) -> ClusterSettings:
    """The cluster as the harness is told of it, and its own way in; Argo CD's is another one."""
    content = yaml.safe_load(cluster.kubeconfig.read_text())
    token = harness.configuration.api_key["authorization"].removeprefix("Bearer ")
    content["users"][0]["user"] = {"token": token}
    path = tmp_path / "harness.kubeconfig"
    path.write_text(yaml.safe_dump(content))
    return ClusterSettings(
        kubeconfig=path,
        # The manifests of these tests put Lease and Application in one namespace, and settings
        # keep the sandbox out of Argo CD's: what matters here is the Application.
        argocd_namespace=names.argocd_namespace,
        namespace="default",
        application=names.application,
        deployment=names.deployment,
        prod_namespace=prod,
        prod_application="erp-prod",
        lease=names.lease,
    )


def looked_at(settings: ClusterSettings) -> ClusterPlane:
    with connect(settings, Deadlines()) as cluster:
        return look(cluster)


def of_prod(settings: ClusterSettings) -> list[str]:
    """What is found outside the one namespace that these tests use for two things."""
    return [
        each.id
        for each in looked_at(settings).findings
        if f"in {settings.argocd_namespace}" not in each.id and "may change" not in each.id
    ]


def test_every_identitys_own_rights_are_no_finding(
    settings: ClusterSettings, names: manifests.Names
) -> None:
    plane = looked_at(settings)
    assert plane.user == names.user
    assert of_prod(settings) == []
    assert [each for each in plane.unproven if "rules of" in each.id] == []


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ({"verbs": ["create"], "apiGroups": ["batch"], "resources": ["jobs"]}, "create jobs.batch"),
        ({"verbs": ["get"], "apiGroups": [""], "resources": ["pods/exec"]}, "get pods/exec"),
        (
            {
                "verbs": ["patch"],
                "apiGroups": [""],
                "resources": ["namespaces"],
                "resourceNames": ["PROD"],
            },
            "patch namespaces PROD",
        ),
    ],
    ids=["jobs", "exec", "namespace"],
)
def test_a_role_in_prods_namespace_is_found(
    cluster: Cluster,
    settings: ClusterSettings,
    names: manifests.Names,
    rule: dict[str, Any],
    found: str,
) -> None:
    prod, rbac = settings.prod_namespace, RbacAuthorizationV1Api(cluster.admin)
    named = {"resourceNames": [prod]} if "resourceNames" in rule else {}
    rbac.create_namespaced_role(prod, {"metadata": {"name": "more"}, "rules": [rule | named]})
    account = {
        "kind": "ServiceAccount",
        "name": names.service_account,
        "namespace": names.sandbox_namespace,
    }
    reference = {"apiGroup": _ROLES, "kind": "Role", "name": "more"}
    binding = {"metadata": {"name": "more"}, "roleRef": reference, "subjects": [account]}
    rbac.create_namespaced_role_binding(prod, binding)

    def must_be_found() -> None:
        assert of_prod(settings) == [f"kubernetes/15/may {found.replace('PROD', prod)} in {prod}"]

    eventually(must_be_found, SOON)


def test_a_role_of_the_whole_cluster_is_found(
    cluster: Cluster, settings: ClusterSettings, names: manifests.Names
) -> None:
    rbac, name = RbacAuthorizationV1Api(cluster.admin), f"contract-{secrets.token_hex(4)}"
    rules = [
        {"verbs": ["delete"], "apiGroups": [""], "resources": ["nodes"]},
        {"verbs": ["get"], "nonResourceURLs": ["/logs/*"]},
    ]
    rbac.create_cluster_role({"metadata": {"name": name}, "rules": rules})
    account = {
        "kind": "ServiceAccount",
        "name": names.service_account,
        "namespace": names.sandbox_namespace,
    }
    reference = {"apiGroup": _ROLES, "kind": "ClusterRole", "name": name}
    binding = {"metadata": {"name": name}, "roleRef": reference, "subjects": [account]}
    rbac.create_cluster_role_binding(binding)

    def must_be_found() -> None:
        assert sorted(of_prod(settings)) == [
            "kubernetes/15/may delete nodes in the whole cluster",
            "kubernetes/15/may get /logs/* in the whole cluster",
        ]

    try:
        eventually(must_be_found, SOON)
    finally:
        rbac.delete_cluster_role_binding(name)
        rbac.delete_cluster_role(name)


def test_the_policy_denies_every_write_but_the_pause(
    cluster: Cluster, harness: ApiClient, settings: ClusterSettings
) -> None:
    applications = Applications(harness, settings.argocd_namespace)
    if not cluster.enforces_admission:
        plane = looked_at(settings)
        assert {write.outcome for write in plane.writes} == {"accepted"}
        assert [each.id for each in plane.unproven] == ["kubernetes/15/admission policy"]
        return
    probe = {"spec": {"project": "other"}}
    eventually(lambda: refusal(422, applications.patch, probe, dry_run="All"), SOON)
    plane = looked_at(settings)
    not_denied = {w.name: w.outcome for w in plane.writes if w.outcome != "denied"}
    # The definition in these tests knows no sources; a real one denies them as it does source.
    assert not_denied in ({"sources": "no effect"}, {})
    assert plane.unproven == ()
    assert [each for each in plane.findings if "may change" in each.id] == []
