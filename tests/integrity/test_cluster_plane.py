"""The Kubernetes plane: each way to prod is a finding that says how to close it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.cluster.errors import UnavailableError
from harness.integrity.cluster_plane import ClusterPlane, look
from tests.local.cluster.conftest import admin, stand_in, world
from tests.local.cluster.test_access import BINDINGS, grant, rule
from tests.local.cluster.world import IMPATIENT, Target, World

if TYPE_CHECKING:
    from harness.integrity.finding import Finding

__all__ = ["admin", "stand_in", "world"]

WRITES = [
    "operation",
    "source",
    "sources",
    "destination",
    "project",
    "sync options",
    "finalizers",
    "labels",
    "annotations",
    "owners",
    "status",
]


@pytest.fixture
def plane(world: World) -> ClusterPlane:
    """What is found where all is as the manifests make it."""
    world.make_application()
    return looked_at(world)


def looked_at(world: World) -> ClusterPlane:
    with world.harness() as cluster:
        return look(cluster)


def finding(world: World) -> Finding:
    (found,) = looked_at(world).findings
    return found


def denied(world: World, times: int, message: str = "denied request: no") -> None:
    """Let the next patches be answered as by a server that enforces a policy."""
    told = f'ValidatingAdmissionPolicy "pauses-only" with binding "pauses-only" {message}'
    world.fault(
        "answer",
        method="PATCH",
        path="applications",
        times=times,
        status=422,
        body={"kind": "Status", "status": "Failure", "code": 422, "message": told},
    )


def test_the_manifests_alone_leave_no_finding(world: World, plane: ClusterPlane) -> None:
    settings = world.settings
    assert plane.findings == ()
    assert plane.user == f"system:serviceaccount:{settings.namespace}:sandbox-lifecycle"
    assert plane.namespaces == (settings.prod_namespace, settings.argocd_namespace, "kube-system")
    assert plane.questions > 600


def test_a_right_is_a_finding_with_its_chain_and_what_closes_it(world: World) -> None:
    prod = world.settings.prod_namespace
    grant(world, prod, rule("patch update", "apps", "deployments/scale"))
    found = finding(world)
    user = f"system:serviceaccount:{world.settings.namespace}:sandbox-lifecycle"
    assert found.id == f"kubernetes/15/may patch, update deployments/scale.apps in {prod}"
    assert (found.plane, found.group) == ("kubernetes", 15)
    assert found.chain == (
        user,
        f"may patch, update deployments/scale.apps in {prod}",
        "it stops what runs there, or changes it",
    )
    assert found.closes.endswith(
        f"kubectl auth can-i patch deployments.apps --subresource=scale --namespace={prod}"
        f" --as={user}"
    )


def test_the_question_that_closes_a_right_to_one_object_names_it(world: World) -> None:
    grant(world, world.settings.prod_namespace, rule("get", "", "secrets", "database"))
    found = finding(world)
    assert found.id == f"kubernetes/15/may get secrets database in {world.settings.prod_namespace}"
    assert "kubectl auth can-i get secrets/database --namespace=" in found.closes


def test_a_right_to_everything_is_closed_by_a_question_that_a_shell_takes(world: World) -> None:
    grant(world, world.settings.prod_namespace, rule("*", "*", "*"))
    assert "kubectl auth can-i '*' '*' --namespace=" in finding(world).closes


def test_where_no_policy_is_enforced_it_is_said_that_nothing_is_proven(plane: ClusterPlane) -> None:
    assert [write.name for write in plane.writes] == WRITES
    assert {write.outcome for write in plane.writes} == {"accepted"}
    (unproven,) = plane.unproven
    assert unproven.id == "kubernetes/15/admission policy"
    assert unproven.why.startswith("none is enforced: of 11 such writes the API server denies none")


def test_rehearsing_a_trespass_changes_nothing(world: World) -> None:
    before = world.make_application()
    looked_at(world)
    after = world.get(world.app)
    # Argo CD's own writes of the status move these meanwhile.
    for each in (before, after):
        del each["metadata"]["resourceVersion"], each["metadata"]["generation"]
    assert (after["spec"], after["metadata"]) == (before["spec"], before["metadata"])
    assert "sandbox-lifecycle-probe" not in json.dumps(after)


def test_a_policy_that_denies_every_write_is_proven(world: World) -> None:
    world.make_application()
    denied(world, len(WRITES))
    plane = looked_at(world)
    assert {write.outcome for write in plane.writes} == {"denied"}
    assert all(write.prevented for write in plane.writes)
    assert (plane.findings, plane.unproven) == ((), ())


def test_each_write_that_a_policy_lets_through_is_a_finding(world: World) -> None:
    world.make_application()
    denied(world, len(WRITES) - 2)
    plane = looked_at(world)
    assert [each.id for each in plane.findings] == [
        "kubernetes/15/may change owners of erp-sandbox",
        "kubernetes/15/may change status of erp-sandbox",
    ]
    assert "kubectl apply" in plane.findings[0].closes
    assert plane.unproven == ()


def test_a_refusal_for_another_reason_proves_nothing(world: World) -> None:
    world.make_application()
    refused: dict[str, Any] = {"message": "spec.source: Invalid value", "code": 422}
    denied(world, 3)
    world.fault("answer", method="PATCH", path="applications", status=422, times=1, body=refused)
    denied(world, len(WRITES) - 4)
    plane = looked_at(world)
    assert plane.findings == ()
    (unproven,) = plane.unproven
    assert unproven.id == "kubernetes/15/admission policy on destination"
    assert "spec.source: Invalid value" in unproven.why


def test_without_the_application_the_policy_is_not_provable(world: World) -> None:
    plane = looked_at(world)
    assert plane.writes == ()
    (unproven,) = plane.unproven
    assert unproven.id == "kubernetes/15/admission policy"
    assert "there is no applications.argoproj.io erp-sandbox" in unproven.why


def test_an_application_that_may_not_be_read_is_not_provable(world: World) -> None:
    world.make_application()
    world.delete(Target(BINDINGS, world.settings.argocd_namespace, "sandbox-lifecycle-application"))
    (unproven,) = looked_at(world).unproven
    assert "the harness may not get applications" in unproven.why


def test_a_write_that_the_server_drops_has_no_effect(world: World) -> None:
    """As a status has none that is a subresource of its definition."""
    found = world.make_application()
    denied(world, len(WRITES) - 2)
    world.fault("answer", method="PATCH", path="applications", status=200, times=1, body=found)
    denied(world, 1)
    plane = looked_at(world)
    assert (plane.writes[-2].name, plane.writes[-2].outcome) == ("owners", "no effect")
    assert (plane.findings, plane.unproven) == ((), ())


def test_a_list_of_rules_that_is_incomplete_proves_nothing(world: World) -> None:
    incomplete = {"resourceRules": [], "nonResourceRules": [], "incomplete": True}
    told = {**incomplete, "evaluationError": "webhook authorizer does not support it"}
    world.fault(
        "answer",
        path="selfsubjectrulesreviews",
        status=201,
        times=3,
        body={"kind": "SelfSubjectRulesReview", "status": told},
    )
    world.make_application()
    denied(world, len(WRITES))
    plane = looked_at(world)
    settings = world.settings
    assert sorted(each.id for each in plane.unproven) == sorted(
        f"kubernetes/15/rules of {each}" for each in settings.guarded
    )
    assert "webhook authorizer does not support it" in plane.unproven[0].why


def test_an_old_server_does_not_tell_who_asks(world: World) -> None:
    """SelfSubjectReview came with Kubernetes 1.28."""
    world.make_application()
    world.fault("status", path="selfsubjectreviews", status=404, times=1)
    assert looked_at(world).user == "the harness's identity"


def test_a_question_that_is_not_answered_is_no_proof(world: World) -> None:
    with world.harness(IMPATIENT) as cluster:
        world.fault("status", path="accessreviews", times=999)
        with pytest.raises(UnavailableError):
            look(cluster)
