"""Identity and rights: the harness's own manifests, loaded, and asked about."""

from __future__ import annotations

import secrets
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from kubernetes.client import (
    AppsV1Api,
    AuthorizationV1Api,
    CoordinationV1Api,
    CoreV1Api,
    RbacAuthorizationV1Api,
)
from kubernetes.client.exceptions import ApiException
from kubernetes.utils import create_from_dict
from kubernetes.watch import Watch

from harness import manifests
from harness.deadlines import Deadline, eventually
from harness.manifests.pods import Pods
from harness.settings.in_cluster import InClusterSettings
from tests.contract.cluster import (
    MERGE,
    SOON,
    Applications,
    application,
    core,
    deployment,
    refusal,
)

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

    from tests.contract.cluster import Cluster


@pytest.fixture
def names(cluster: Cluster, namespace: str) -> manifests.Names:
    """The manifests are loaded, and what they speak of is there."""
    run = secrets.token_hex(4)
    names = manifests.Names(
        sandbox_namespace=namespace,
        deployment="web",
        argocd_namespace=namespace,
        application="erp",
        service_account=f"harness-{run}",
    )
    for each in manifests.objects(names, Pods(InClusterSettings(watchdog=False))):
        create_from_dict(cluster.admin, each)
    AppsV1Api(cluster.admin).create_namespaced_deployment(namespace, deployment())
    policy = {"automated": {"prune": True, "selfHeal": True}}
    Applications(cluster.admin, namespace).create(application(syncPolicy=policy))
    return names


@pytest.fixture
def harness(cluster: Cluster, names: manifests.Names) -> ApiClient:
    """A client that is the harness."""
    client = cluster.as_account(names.sandbox_namespace, names.service_account)
    leases = CoordinationV1Api(client)
    # A real server's authorizer learns of new bindings within a second.
    eventually(lambda: leases.read_namespaced_lease(names.lease, names.sandbox_namespace), SOON)
    return client


def may(client: ApiClient, verb: str, resource: str, **attributes: str) -> bool:
    group, _, path = resource.rpartition(":")
    plural, _, subresource = path.partition("/")
    asked: dict[str, Any] = {
        "verb": verb,
        "group": group,
        "resource": plural,
        "subresource": subresource,
        **attributes,
    }
    review = {"spec": {"resourceAttributes": asked}}
    answer = AuthorizationV1Api(client).create_self_subject_access_review(review)
    return bool(answer.status.allowed)


def _must_be_able(client: ApiClient, verb: str, resource: str, **attributes: str) -> None:
    assert may(client, verb, resource, **attributes)


def test_no_token_and_a_wrong_token_are_401(cluster: Cluster) -> None:
    for token in ("", "wrong", "a.b.c"):
        client = CoreV1Api(cluster.with_token(token))
        with pytest.raises(ApiException) as raised:
            client.list_namespaced_pod("default")
        # A real server lets nobody in particular in, as system:anonymous, and then refuses.
        assert raised.value.status == (401 if token else raised.value.status)
        assert raised.value.status in {401, 403}


def test_the_token_of_an_account_that_is_gone_is_401(
    cluster: Cluster, harness: ApiClient, names: manifests.Names
) -> None:
    CoreV1Api(cluster.admin).delete_namespaced_service_account(
        names.service_account, names.sandbox_namespace
    )

    def refused() -> None:
        refusal(401, CoreV1Api(harness).list_namespaced_pod, names.sandbox_namespace)

    eventually(refused, Deadline(20, "a real server remembers for ten seconds whom it let in"))


def test_the_harness_may_do_its_work(harness: ApiClient, names: manifests.Names) -> None:
    where = names.sandbox_namespace
    applications, apps = Applications(harness, where), AppsV1Api(harness)
    applications.get()
    applications.patch({"spec": {"syncPolicy": {"automated": {"enabled": False}}}})
    apps.read_namespaced_deployment("web", where)
    scale = {"spec": {"replicas": 0}}
    apps.patch_namespaced_deployment_scale("web", where, scale, _content_type=MERGE)
    CoreV1Api(harness).list_namespaced_pod(where)
    leases = CoordinationV1Api(harness)
    held = {"spec": {"holderIdentity": "a run"}}
    leases.patch_namespaced_lease(names.lease, where, held, _content_type=MERGE)


def grant_watches(cluster: Cluster, names: manifests.Names) -> None:
    """Let the harness watch the two objects: its own manifests do not, since it never does."""
    rbac, where, name = RbacAuthorizationV1Api(cluster.admin), names.sandbox_namespace, "watches"
    rules = [
        {"apiGroups": [group], "resources": [plural], "resourceNames": [one], "verbs": ["watch"]}
        for group, plural, one in (
            ("argoproj.io", "applications", "erp"),
            ("apps", "deployments", "web"),
        )
    ]
    rbac.create_namespaced_role(where, {"metadata": {"name": name}, "rules": rules})
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
    account = {"kind": "ServiceAccount", "name": names.service_account, "namespace": where}
    binding = {"metadata": {"name": name}, "roleRef": reference, "subjects": [account]}
    rbac.create_namespaced_role_binding(where, binding)


def test_a_watch_takes_the_right_on_its_name(
    cluster: Cluster, harness: ApiClient, names: manifests.Names
) -> None:
    grant_watches(cluster, names)
    here = {"namespace": names.sandbox_namespace}
    eventually(
        lambda: _must_be_able(harness, "watch", "apps:deployments", name="web", **here), SOON
    )
    applications = Applications(harness, names.argocd_namespace)
    # The errors below hold on to this frame, so what it leaves open would end at random.
    with closing(
        applications.watch(field_selector="metadata.name=erp", timeout_seconds=20)
    ) as stream:
        assert next(stream)["type"] == "ADDED"
    for call in (applications.list, lambda: list(applications.watch(timeout_seconds=1))):
        with pytest.raises(ApiException) as raised:
            call()
        assert raised.value.status == 403
    apps = AppsV1Api(harness)
    watched = Watch().stream(
        apps.list_namespaced_deployment,
        names.sandbox_namespace,
        field_selector="metadata.name=web",
        timeout_seconds=20,
    )
    with closing(watched) as stream:
        assert next(stream)["object"].metadata.name == "web"


def test_a_refusal_says_who_may_not_do_what(harness: ApiClient, names: manifests.Names) -> None:
    where = names.sandbox_namespace
    body = refusal(403, CoreV1Api(harness).list_namespaced_secret, where)
    assert body["reason"] == "Forbidden"
    assert body["message"] == (
        f'secrets is forbidden: User "{names.user}" cannot list resource "secrets" in API group ""'
        f' in the namespace "{where}"'
    )
    assert body["details"] == {"kind": "secrets"}
    body = refusal(
        403,
        AppsV1Api(harness).patch_namespaced_deployment,
        "web",
        where,
        {},
        _content_type=MERGE,
    )
    assert body["message"].startswith(
        f'deployments.apps "web" is forbidden: User "{names.user}" cannot patch resource'
        ' "deployments" in API group "apps"'
    )
    assert body["details"] == {"name": "web", "group": "apps", "kind": "deployments"}


def test_the_cluster_scope_is_named(harness: ApiClient) -> None:
    body = refusal(403, CoreV1Api(harness).list_pod_for_all_namespaces)
    assert body["message"].endswith('in API group "" at the cluster scope')


def test_rights_come_before_existence(harness: ApiClient, names: manifests.Names) -> None:
    where = names.sandbox_namespace
    refusal(403, CoreV1Api(harness).read_namespaced_secret, "none", where)
    refusal(403, Applications(harness, where).get, "none")
    refusal(403, AppsV1Api(harness).read_namespaced_deployment, "web", "default")


def test_what_is_reviewed_is_what_happens(harness: ApiClient, names: manifests.Names) -> None:
    here = {"namespace": names.sandbox_namespace}
    application = "argoproj.io:applications"
    assert may(harness, "patch", application, name="erp", **here)
    assert not may(harness, "patch", application, name="erp-prod", **here)
    assert not may(harness, "patch", application, **here)
    assert not may(harness, "update", application, name="erp", **here)
    assert may(harness, "patch", "apps:deployments/scale", name="web", **here)
    assert not may(harness, "patch", "apps:deployments", name="web", **here)
    assert may(harness, "list", "pods", **here)
    assert not may(harness, "delete", "pods", **here)
    assert not may(harness, "create", "pods/exec", **here)
    assert not may(harness, "list", "pods", namespace="default")
    assert not may(harness, "list", "pods")
    assert not may(harness, "*", "*", **here)


def test_the_administrator_may_do_everything(cluster: Cluster) -> None:
    assert may(cluster.admin, "*", "*:*")


def test_a_review_lists_the_rules(harness: ApiClient, names: manifests.Names) -> None:
    review = {"spec": {"namespace": names.sandbox_namespace}}
    answer = AuthorizationV1Api(harness).create_self_subject_rules_review(review).status
    assert not answer.incomplete
    rules = {
        (tuple(rule.resources or ()), tuple(sorted(rule.verbs)), tuple(rule.resource_names or ()))
        for rule in answer.resource_rules
    }
    assert (("pods",), ("list",), ()) in rules
    assert (("applications",), ("get", "patch"), ("erp",)) in rules


def test_a_right_ends_with_its_binding(
    cluster: Cluster, harness: ApiClient, names: manifests.Names
) -> None:
    where = names.sandbox_namespace
    for binding in RbacAuthorizationV1Api(cluster.admin).list_namespaced_role_binding(where).items:
        RbacAuthorizationV1Api(cluster.admin).delete_namespaced_role_binding(
            binding.metadata.name, where
        )

    def refused() -> None:
        refusal(403, CoreV1Api(harness).list_namespaced_pod, where)

    eventually(refused, SOON)


def test_a_cluster_role_may_be_bound_in_a_namespace(cluster: Cluster, namespace: str) -> None:
    rbac, name = RbacAuthorizationV1Api(cluster.admin), f"contract-{secrets.token_hex(4)}"
    core(cluster).create_namespaced_service_account(namespace, {"metadata": {"name": "reader"}})
    rule = {"apiGroups": [""], "resources": ["*"], "verbs": ["get", "list"]}
    rbac.create_cluster_role({"metadata": {"name": name}, "rules": [rule]})
    binding = {
        "metadata": {"name": "reader"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": name,
        },
        "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": namespace}],
    }
    rbac.create_namespaced_role_binding(namespace, binding)
    reader = CoreV1Api(cluster.as_account(namespace, "reader"))
    try:
        eventually(lambda: reader.list_namespaced_secret(namespace), SOON)
        refusal(403, reader.list_namespaced_secret, "default")
    finally:
        rbac.delete_cluster_role(name)
