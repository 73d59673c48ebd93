"""The harness's rights: all that it needs, told where one is missing, and none that hurts prod."""

from __future__ import annotations

from typing import Any

import pytest

from harness.cluster.errors import UnavailableError
from harness.cluster.resources import Resource, Target
from harness.errors import ConfigurationError
from tests.local.cluster.world import IMPATIENT, World

ROLES = Resource("rbac.authorization.k8s.io", "v1", "roles")
BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "rolebindings")
CLUSTER_ROLES = Resource("rbac.authorization.k8s.io", "v1", "clusterroles")
CLUSTER_BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "clusterrolebindings")


def grant(world: World, namespace: str, *rules: dict[str, Any]) -> None:
    """Let the harness's account do more."""
    kind, roles, bindings = (
        ("Role", ROLES, BINDINGS) if namespace else ("ClusterRole", CLUSTER_ROLES, CLUSTER_BINDINGS)
    )
    name = f"more-{world.settings.namespace}"
    world.create(roles, namespace, {"metadata": {"name": name}, "rules": list(rules)})
    account = {
        "kind": "ServiceAccount",
        "name": "sandbox-lifecycle",
        "namespace": world.settings.namespace,
    }
    reference = {"apiGroup": roles.group, "kind": kind, "name": name}
    binding = {"metadata": {"name": name}, "roleRef": reference, "subjects": [account]}
    world.create(bindings, namespace, binding)


def rule(verbs: str, group: str, resources: str, *names: str) -> dict[str, Any]:
    named = {"resourceNames": list(names)} if names else {}
    return {
        "verbs": verbs.split(),
        "apiGroups": [group],
        "resources": resources.split(),
        **named,
    }


def findings(world: World) -> str:
    with world.harness() as cluster:
        return "\n".join(f"{each.right}: {each.why}" for each in cluster.access.prod_findings())


def test_the_manifests_grant_all_that_is_needed_and_nothing_of_prod(world: World) -> None:
    with world.harness() as cluster:
        cluster.access.refuse_missing()
        assert cluster.access.prod_findings() == []


def test_a_right_is_asked_for_by_all_of_its_parts(world: World) -> None:
    mine = world.settings.namespace
    with world.harness() as cluster:
        can = cluster.access.can
        assert can("patch", "apps", "deployments", mine, "erp", "scale")
        assert not can("patch", "apps", "deployments", mine, "erp")
        assert not can("patch", "apps", "deployments", mine, "another", "scale")
        assert not can("patch", "apps", "deployments", mine, subresource="scale")
        assert not can(
            "patch", "apps", "deployments", world.settings.prod_namespace, "erp", "scale"
        )


@pytest.mark.parametrize(
    ("where", "binding", "missing"),
    [
        (
            "argocd_namespace",
            "sandbox-lifecycle-application",
            "may not patch applications.argoproj.io erp-sandbox",
        ),
        ("namespace", "sandbox-lifecycle", "may not list pods"),
    ],
)
def test_every_missing_right_is_named_with_the_manifest_that_grants_it(
    world: World, where: str, binding: str, missing: str
) -> None:
    namespace = getattr(world.settings, where)
    world.delete(Target(BINDINGS, namespace, binding))
    with world.harness() as cluster, pytest.raises(ConfigurationError) as caught:
        cluster.access.refuse_missing()
    told = str(caught.value)
    assert f"{missing} in {namespace}" in told
    assert "-access.yaml" in told
    assert "kubectl apply" in told


def test_every_right_in_prods_namespace_is_a_finding(world: World) -> None:
    grant(
        world,
        world.settings.prod_namespace,
        rule("create", "", "pods/exec"),
        rule("get", "", "secrets"),
        rule("patch", "apps", "deployments/scale"),
        rule("delete", "apps", "deployments"),
        rule("create", "batch", "jobs"),
        rule("get patch", "apps", "deployments/scale", "erp"),
        rule("get", "", "secrets", "database"),
    )
    told = findings(world)
    for found in (
        "may create pods/exec",
        "may get secrets",
        "may patch deployments/scale.apps",
        "may delete deployments.apps",
        "may create jobs.batch",
        "may get, patch deployments/scale erp",
        "may get secrets database",
    ):
        assert f"{found} in {world.settings.prod_namespace}" in told
    assert len(told.splitlines()) == 7


def test_a_right_to_everything_is_found_verb_by_verb(world: World) -> None:
    grant(world, world.settings.prod_namespace, rule("*", "*", "*"))
    told = findings(world)
    assert "may deletecollection persistentvolumeclaims" in told
    assert "may bind roles.rbac.authorization.k8s.io" in told


def test_every_right_in_argo_cds_namespace_is_a_finding(world: World) -> None:
    grant(
        world,
        world.settings.argocd_namespace,
        rule("patch", "argoproj.io", "applications", "erp-prod"),
        rule("create", "", "pods"),
        rule("list", "", "secrets"),
        rule("create", "argoproj.io", "applications"),
    )
    told = findings(world)
    for found in (
        "may patch applications.argoproj.io erp-prod",
        "may create pods",
        "may list secrets",
        "may create applications.argoproj.io",
    ):
        assert f"{found} in {world.settings.argocd_namespace}" in told
    assert len(told.splitlines()) == 4


def test_a_right_in_the_whole_cluster_is_a_finding(world: World) -> None:
    grant(world, "", rule("create", "rbac.authorization.k8s.io", "clusterrolebindings"))
    assert "clusterrolebindings.rbac.authorization.k8s.io in the whole cluster" in findings(world)


def test_looking_at_one_object_of_prod_by_name_hurts_nobody(world: World) -> None:
    grant(world, world.settings.prod_namespace, rule("get", "apps", "deployments", "erp"))
    assert findings(world) == ""


def test_a_question_that_is_not_answered_proves_nothing(world: World) -> None:
    with world.harness(IMPATIENT) as cluster:
        world.fault("status", path="accessreviews", times=999)
        with pytest.raises(UnavailableError):
            cluster.access.prod_findings()
