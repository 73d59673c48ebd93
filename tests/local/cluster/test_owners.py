"""What would undo a pause is found in preflight, and the setting that is missing is named."""

from __future__ import annotations

from typing import Any

import pytest

from harness.cluster.resources import APPLICATION_SETS, Resource
from harness.errors import ConfigurationError, RefusedError
from harness.manifests import JOURNAL_ANNOTATION
from tests.local.cluster.world import HEALING, World

TRACKING = {"argocd.argoproj.io/tracking-id": "everything:argoproj.io/Application:argocd/erp"}
IGNORED = {"ignoreApplicationDifferences": [{"jsonPointers": ["/spec/syncPolicy"]}]}
PRESERVED = {"preservedFields": {"annotations": [JOURNAL_ANNOTATION]}}
ROLES = "rbac.authorization.k8s.io"


def refusal(world: World) -> str:
    with world.harness() as cluster, pytest.raises(RefusedError) as caught:
        cluster.application.refuse_unpausable()
    assert "nothing has been changed" in str(caught.value)
    return str(caught.value)


def make_owned(world: World, spec: dict[str, Any], policy: Any = HEALING) -> None:
    """An ApplicationSet that may be read, and an Application of it."""
    namespace = world.settings.argocd_namespace
    body = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": {"name": "all"},
        "spec": spec,
    }
    made = world.create(APPLICATION_SETS, namespace, body)
    owner = {
        "apiVersion": body["apiVersion"],
        "kind": "ApplicationSet",
        "name": "all",
        "uid": made["metadata"]["uid"],
    }
    world.make_application(policy, ownerReferences=[owner])


def let_read(world: World) -> None:
    namespace = world.settings.argocd_namespace
    rule = {"apiGroups": ["argoproj.io"], "resources": ["applicationsets"], "verbs": ["get"]}
    role = {"metadata": {"name": "sets"}, "rules": [rule]}
    world.create(Resource(ROLES, "v1", "roles"), namespace, role)
    account = {
        "kind": "ServiceAccount",
        "name": "sandbox-lifecycle",
        "namespace": world.settings.namespace,
    }
    binding = {
        "metadata": {"name": "sets"},
        "roleRef": {"apiGroup": ROLES, "kind": "Role", "name": "sets"},
        "subjects": [account],
    }
    world.create(Resource(ROLES, "v1", "rolebindings"), namespace, binding)


def test_an_application_of_its_own_can_be_paused(world: World) -> None:
    world.make_application()
    with world.harness() as cluster:
        assert cluster.application.refuse_unpausable().policy.automated_on


@pytest.mark.parametrize("policy", [..., {}, {"automated": {"enabled": False}}], ids=str)
def test_an_application_without_automated_sync_is_no_obstacle_and_is_told(
    world: World, policy: Any
) -> None:
    world.make_application(policy, annotations=TRACKING)
    with world.harness() as cluster:
        assert not cluster.application.refuse_unpausable().policy.automated_on


def test_an_application_that_is_not_there_is_named(world: World) -> None:
    with world.harness() as cluster, pytest.raises(ConfigurationError) as caught:
        cluster.application.refuse_unpausable()
    assert f"erp-sandbox in namespace {world.settings.argocd_namespace}" in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "missing"),
    [
        ({}, ["ignoreApplicationDifferences", "/spec/syncPolicy", JOURNAL_ANNOTATION]),
        (IGNORED, [JOURNAL_ANNOTATION]),
        (PRESERVED, ["ignoreApplicationDifferences"]),
        (
            PRESERVED
            | {
                "ignoreApplicationDifferences": [
                    {"name": "another", "jsonPointers": ["/spec/syncPolicy"]},
                    {"jsonPointers": ["/spec/source"]},
                ]
            },
            ["ignoreApplicationDifferences"],
        ),
    ],
    ids=["neither", "not preserved", "not ignored", "ignored elsewhere"],
)
def test_an_application_set_that_would_undo_the_pause_is_refused(
    world: World, spec: dict[str, Any], missing: list[str]
) -> None:
    let_read(world)
    make_owned(world, spec)
    told = refusal(world)
    assert "applicationsets.argoproj.io all" in told
    found = told.partition("found: ")[2].partition("\n")[0]
    assert all(setting in found for setting in missing)


@pytest.mark.parametrize(
    "spec",
    [
        IGNORED | PRESERVED,
        PRESERVED | {"ignoreApplicationDifferences": [{"jqPathExpressions": [".spec.syncPolicy"]}]},
        {"syncPolicy": {"applicationsSync": "create-only"}},
    ],
    ids=["pointers", "expressions", "creates only"],
)
def test_an_application_set_that_lets_the_pause_be_is_no_obstacle(
    world: World, spec: dict[str, Any]
) -> None:
    let_read(world)
    make_owned(world, spec)
    with world.harness() as cluster:
        cluster.application.refuse_unpausable()


def test_an_application_set_that_may_not_be_read_is_not_trusted(world: World) -> None:
    make_owned(world, IGNORED | PRESERVED)
    assert "grant get on it" in refusal(world)


@pytest.mark.parametrize(
    "metadata",
    [{"annotations": TRACKING}, {"labels": {"app.kubernetes.io/instance": "everything"}}],
    ids=["annotation", "label"],
)
def test_a_parent_whose_git_sets_enabled_would_undo_the_pause(
    world: World, metadata: dict[str, Any]
) -> None:
    world.make_application({"automated": {"enabled": True}}, **metadata)
    told = refusal(world)
    assert "parent Application everything" in told
    assert "remove automated.enabled from the manifest in git" in told


def test_a_parent_leaves_a_pause_by_enabled_alone(world: World) -> None:
    world.make_application(annotations=TRACKING)
    with world.harness() as cluster:
        cluster.application.refuse_unpausable()


def test_a_parent_would_put_back_automated_where_enabled_is_not_known(old_world: World) -> None:
    old_world.make_application(annotations=TRACKING)
    assert "upgrade Argo CD to 3.1" in refusal(old_world)


def test_argo_cd_that_was_told_not_to_look_could_not_acknowledge_the_pause(world: World) -> None:
    world.make_application(annotations={"argocd.argoproj.io/skip-reconcile": "true"})
    assert "skip-reconcile" in refusal(world)
