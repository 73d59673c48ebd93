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

WORKLOADS = (
    ("", "pods"),
    ("", "podtemplates"),
    ("", "replicationcontrollers"),
    ("apps", "daemonsets"),
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("batch", "cronjobs"),
    ("batch", "jobs"),
)
OF_THE_CLUSTER = (
    ("create", "rbac.authorization.k8s.io", "clusterrolebindings"),
    ("impersonate", "", "users"),
    ("update", "certificates.k8s.io", "certificatesigningrequests/approval"),
    ("delete", "admissionregistration.k8s.io", "validatingadmissionpolicybindings"),
    ("patch", "admissionregistration.k8s.io", "mutatingadmissionpolicies"),
    ("create", "admissionregistration.k8s.io", "validatingwebhookconfigurations"),
    ("create", "authentication.k8s.io", "tokenreviews"),
    ("delete", "storage.k8s.io", "storageclasses"),
    ("create", "scheduling.k8s.io", "priorityclasses"),
    ("patch", "", "nodes"),
    ("delete", "", "persistentvolumes"),
)


def grant(
    world: World, namespace: str, *rules: dict[str, Any], account: str = "sandbox-lifecycle"
) -> None:
    """Let an account of the harness's do more."""
    kind, roles, bindings = (
        ("Role", ROLES, BINDINGS) if namespace else ("ClusterRole", CLUSTER_ROLES, CLUSTER_BINDINGS)
    )
    name = f"more-{world.settings.namespace}"
    world.create(roles, namespace, {"metadata": {"name": name}, "rules": list(rules)})
    subject = {
        "kind": "ServiceAccount",
        "name": account,
        "namespace": world.settings.namespace,
    }
    reference = {"apiGroup": roles.group, "kind": kind, "name": name}
    binding = {"metadata": {"name": name}, "roleRef": reference, "subjects": [subject]}
    world.create(bindings, namespace, binding)


def revoke(world: World, namespace: str) -> None:
    """Take it back, where the namespace outlives the test."""
    kind = BINDINGS if namespace else CLUSTER_BINDINGS
    world.delete(Target(kind, namespace, f"more-{world.settings.namespace}"))


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
        return "\n".join(f"{each}: {each.why}" for each in cluster.access.look().grants)


def test_the_manifests_grant_all_that_is_needed_and_nothing_of_prod(world: World) -> None:
    with world.harness() as cluster:
        cluster.access.refuse_missing()
        assert cluster.access.look().grants == []


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


def test_every_right_in_prods_namespace_is_told_once_with_its_verbs(world: World) -> None:
    prod = world.settings.prod_namespace
    grant(
        world,
        prod,
        rule("create", "", "pods/exec"),
        rule("get", "", "secrets"),
        rule("patch", "apps", "deployments/scale"),
        rule("delete create", "apps", "deployments"),
        rule("create", "batch", "jobs"),
        rule("get update", "apps", "deployments/scale", "erp"),
        rule("get", "", "secrets", "database"),
    )
    told = findings(world)
    for found in (
        "may create pods/exec",
        "may get secrets",
        "may patch deployments/scale.apps",
        "may create, delete deployments.apps",
        "may create jobs.batch",
        "may update deployments/scale.apps erp",
        "may get secrets database",
    ):
        assert f"{found} in {prod}" in told
    assert len(told.splitlines()) == 7


@pytest.mark.parametrize("where", ["prod_namespace", "argocd_namespace", "kube-system"])
def test_to_make_something_run_beside_prod_is_a_finding(world: World, where: str) -> None:
    namespace = getattr(world.settings, where, where)
    grant(world, namespace, *(rule("create", group, kind) for group, kind in WORKLOADS))
    try:
        assert {line.partition(": ")[0] for line in findings(world).splitlines()} == {
            f"may create {f'{kind}.{group}'.rstrip('.')} in {namespace}"
            for group, kind in WORKLOADS
        }
    finally:
        revoke(world, namespace)


def test_a_part_that_is_entered_by_reading_is_no_harmless_read(world: World) -> None:
    grant(world, world.settings.prod_namespace, rule("get", "", "pods/exec pods/log pods", "erp-0"))
    assert findings(world).startswith("may get pods/exec erp-0 in")
    assert len(findings(world).splitlines()) == 1


def test_a_kind_that_the_table_does_not_know_is_found_in_the_rules(world: World) -> None:
    rules = rule("create get", "velero.io", "restores"), rule("use", "policy", "anything", "x")
    grant(world, world.settings.prod_namespace, *rules)
    told = findings(world)
    assert f"may create restores.velero.io in {world.settings.prod_namespace}" in told
    assert f"may use anything.policy x in {world.settings.prod_namespace}" in told
    assert len(told.splitlines()) == 2


def test_a_right_to_everything_is_one_finding_that_hides_no_other(world: World) -> None:
    grant(world, world.settings.prod_namespace, rule("*", "*", "*"))
    grant(world, world.settings.argocd_namespace, rule("get", "", "secrets"))
    told = findings(world).splitlines()
    assert [line.partition(":")[0] for line in told] == [
        f"may do everything in {world.settings.prod_namespace}",
        f"may get secrets in {world.settings.argocd_namespace}",
    ]


@pytest.mark.parametrize("rules", [rule("*", "", "*"), rule("get", "*", "*")], ids=["all", "read"])
def test_wildcards_are_found(world: World, rules: dict[str, Any]) -> None:
    grant(world, world.settings.prod_namespace, rules)
    assert f"secrets in {world.settings.prod_namespace}" in findings(world)
    assert f"* in {world.settings.prod_namespace}" in findings(world).replace("*.*", "*")


def test_a_namespace_lies_in_itself(world: World) -> None:
    prod = world.settings.prod_namespace
    grant(world, prod, rule("delete", "", "namespaces", prod))
    assert findings(world) == f"may delete namespaces {prod} in {prod}: everything of prod is in it"


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
    grant(world, "", *(rule(*each) for each in OF_THE_CLUSTER))
    try:
        assert {line.partition(": ")[0] for line in findings(world).splitlines()} == {
            f"may {verb} {f'{kind}.{group}'.rstrip('.')} in the whole cluster"
            for verb, group, kind in OF_THE_CLUSTER
        }
    finally:
        revoke(world, "")


def test_what_is_granted_in_the_whole_cluster_is_not_told_again_for_each_namespace(
    world: World,
) -> None:
    grant(world, "", rule("delete", "", "nodes"))
    try:
        assert findings(world).splitlines() == [
            "may delete nodes in the whole cluster: it stops what runs there, or changes it"
        ]
    finally:
        revoke(world, "")


def test_a_path_that_is_no_discovery_is_a_finding(world: World) -> None:
    grant(
        world,
        "",
        {"verbs": ["get"], "nonResourceURLs": ["/logs/*", "/version", "/openapi/*", "/metrics"]},
    )
    try:
        assert findings(world).startswith("may get /logs/* in the whole cluster")
        assert len(findings(world).splitlines()) == 1
    finally:
        revoke(world, "")


def test_the_sandboxs_own_application_may_be_patched_and_no_more(world: World) -> None:
    argocd = world.settings.argocd_namespace
    grant(world, argocd, rule("patch delete", "argoproj.io", "applications", "erp-sandbox"))
    assert findings(world).partition(":")[0] == (
        f"may delete applications.argoproj.io erp-sandbox in {argocd}"
    )


def test_an_application_in_the_sandboxs_own_namespace_would_deploy_anywhere(world: World) -> None:
    grant(world, world.settings.namespace, rule("create", "argoproj.io", "applications"))
    assert f"may create applications.argoproj.io in {world.settings.namespace}" in findings(world)


def test_the_namespaces_that_the_settings_name_are_guarded(world: World) -> None:
    grant(world, "default", rule("create", "", "pods/exec"))
    with world.harness(guarded_namespaces=("default",)) as cluster:
        looked = cluster.access.look()
    revoke(world, "default")
    assert looked.namespaces[-1] == "default"
    assert [str(each) for each in looked.grants] == ["may create pods/exec in default"]


def test_looking_at_one_object_of_prod_by_name_hurts_nobody(world: World) -> None:
    grant(world, world.settings.prod_namespace, rule("get", "apps", "deployments", "erp"))
    assert findings(world) == ""


def test_a_question_that_is_not_answered_proves_nothing(world: World) -> None:
    with world.harness(IMPATIENT) as cluster:
        world.fault("status", path="accessreviews", times=999)
        with pytest.raises(UnavailableError):
            cluster.access.look()
