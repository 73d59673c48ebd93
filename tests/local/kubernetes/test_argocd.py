"""Argo CD's controller, through the API and on its own."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest

from harness.deadlines import eventually
from harness.local.kubernetes import launch
from harness.local.kubernetes.controllers.comparison import Comparison, Managed
from harness.local.kubernetes.controllers.selfheal import backoff, decide
from harness.local.kubernetes.resources import DEPLOYMENTS
from tests.contract.cluster import MERGE, SOON, application, deployment, refusal
from tests.local.kubernetes.conftest import Side

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.local.kubernetes.launch import StandIn

HEALED = {"automated": {"prune": True, "selfHeal": True}, "retry": {"limit": 0}}
PAUSE = {
    "metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}},
    "spec": {"syncPolicy": {"automated": {"enabled": False}}},
}


class Erp:
    """An Application of one Deployment, in a namespace of its own."""

    def __init__(self, stand_in: StandIn, side: Side, policy: dict[str, Any]) -> None:
        self.stand_in, self.side = stand_in, side
        self.name = f"erp-{secrets.token_hex(4)}"
        side.make_namespace(self.name)
        self.push(replicas=0)
        body = application(
            self.name,
            syncPolicy=policy,
            source={"repoURL": "https://git.invalid", "path": self.name},
            destination={"namespace": self.name},
        )
        side.applications.create(body)
        eventually(self.is_synced, SOON)

    def push(self, **how: Any) -> None:
        self.stand_in.order("git", manifests={self.name: [deployment(**how)]})

    def read(self) -> dict[str, Any]:
        return self.side.applications.get(self.name)

    def patch(self, patch: dict[str, Any]) -> dict[str, Any]:
        return self.side.applications.patch(patch, name=self.name)  # type: ignore[no-any-return]

    def is_synced(self) -> None:
        read = self.read()
        assert read["status"]["sync"]["status"] == "Synced"
        assert read["status"]["operationState"]["phase"] == "Succeeded"
        assert "operation" not in read

    def scale(self, replicas: int) -> None:
        patch = {"spec": {"replicas": replicas}}
        self.side.apps.patch_namespaced_deployment_scale(
            "web", self.name, patch, _content_type=MERGE
        )

    def replicas(self) -> int:
        return int(self.side.apps.read_namespaced_deployment("web", self.name).spec.replicas)

    def must_have(self, replicas: int) -> None:
        assert self.replicas() == replicas

    def barrier(self) -> None:
        annotations = self.read()["metadata"].get("annotations", {})
        assert "argocd.argoproj.io/refresh" not in annotations

    def passes(self, count: int) -> None:
        """Wait until that many more passes are over."""
        for _ in range(count):
            self.patch({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}})
            eventually(self.barrier, SOON)


@pytest.fixture(scope="package")
def argocd(shared: StandIn) -> Side:
    side = Side(shared)
    side.make_namespace("argocd")
    return side


@pytest.fixture
def erp(shared: StandIn, argocd: Side) -> Iterator[Erp]:
    yield Erp(shared, argocd, HEALED)
    shared.order("git", reachable=True)


def test_a_change_by_hand_is_reverted(erp: Erp) -> None:
    erp.scale(2)
    eventually(lambda: erp.must_have(0), SOON)
    eventually(erp.is_synced, SOON)
    sync = erp.read()["status"]["operationState"]["operation"]["sync"]
    assert sync["selfHealAttemptsCount"] == 1


def test_a_pause_holds_and_its_end_heals(erp: Erp) -> None:
    erp.patch(PAUSE)
    eventually(erp.barrier, SOON)
    erp.scale(2)
    erp.passes(3)
    assert erp.replicas() == 2
    assert erp.read()["status"]["sync"]["status"] == "OutOfSync"
    erp.patch({"spec": {"syncPolicy": {"automated": {"enabled": None}}}})
    eventually(lambda: erp.must_have(0), SOON)


def test_the_status_moves_the_generation(erp: Erp) -> None:
    before = erp.read()["metadata"]["generation"]
    erp.push(replicas=0)
    erp.passes(1)
    assert erp.read()["metadata"]["generation"] > before


def test_self_heal_alone_does_not_stop_a_new_revision(erp: Erp) -> None:
    erp.patch({"spec": {"syncPolicy": {"automated": {"selfHeal": False}}}})
    erp.scale(2)
    erp.passes(2)
    assert erp.replicas() == 2
    erp.push(replicas=0)
    eventually(lambda: erp.must_have(0), SOON)


def test_nothing_heals_after_a_failed_sync(erp: Erp) -> None:
    erp.push(replicas=-1)

    def failed() -> None:
        read = erp.read()
        assert read["status"]["operationState"]["phase"] == "Failed"
        assert read["status"]["conditions"][0]["type"] == "SyncError"

    eventually(failed, SOON)
    erp.scale(2)
    erp.passes(3)
    assert erp.replicas() == 2


def test_between_two_tries_an_operation_runs_and_has_ended(erp: Erp) -> None:
    erp.patch({"spec": {"syncPolicy": {"retry": {"limit": 3}}}})
    erp.push(replicas=-1)

    def retrying() -> None:
        state = erp.read()["status"]["operationState"]
        assert state["phase"] == "Running"
        assert state["finishedAt"]
        assert state["retryCount"] >= 1

    eventually(retrying, SOON, every=0.01)
    erp.push(replicas=0)
    eventually(erp.is_synced, SOON)


def test_without_git_the_annotation_stays(erp: Erp) -> None:
    erp.stand_in.order("git", reachable=False)
    erp.patch(PAUSE)

    def complained() -> None:
        assert erp.read()["status"]["conditions"][0]["type"] == "ComparisonError"

    eventually(complained, SOON)
    assert "argocd.argoproj.io/refresh" in erp.read()["metadata"]["annotations"]
    erp.stand_in.order("git", reachable=True)
    eventually(erp.barrier, SOON)


def test_what_it_was_told_not_to_look_at_is_left_alone_until_it_may(erp: Erp) -> None:
    skip = "argocd.argoproj.io/skip-reconcile"
    erp.patch({"metadata": {"annotations": {skip: "true"}}})
    erp.scale(2)
    erp.patch(PAUSE)
    Erp(erp.stand_in, erp.side, HEALED).passes(2)
    assert "argocd.argoproj.io/refresh" in erp.read()["metadata"]["annotations"]
    assert erp.replicas() == 2
    erp.patch({"metadata": {"annotations": {skip: None}}})
    erp.passes(1)
    assert erp.replicas() == 2
    erp.patch({"spec": {"syncPolicy": {"automated": {"enabled": None}}}})
    eventually(lambda: erp.must_have(0), SOON)


def test_a_pass_under_way_syncs_after_the_pause(erp: Erp) -> None:
    erp.stand_in.order("race", application=f"argocd/{erp.name}")
    erp.scale(2)
    paused = erp.patch(PAUSE)
    assert "operation" not in paused
    eventually(erp.barrier, SOON, every=0.005)
    read = erp.read()
    assert read.get("operation") or read["status"].get("operationState", {}).get("finishedAt")
    eventually(lambda: erp.must_have(0), SOON)
    eventually(erp.is_synced, SOON)
    erp.scale(2)
    erp.passes(2)
    assert erp.replicas() == 2


def test_a_parent_puts_back_what_git_says_and_no_more(erp: Erp) -> None:
    child = erp.read()
    manifest = {
        "apiVersion": child["apiVersion"],
        "kind": child["kind"],
        "metadata": {"name": erp.name, "namespace": "argocd"},
        "spec": child["spec"],
    }
    parent = Erp(erp.stand_in, erp.side, HEALED)
    erp.stand_in.order("git", manifests={parent.name: [manifest]})
    eventually(parent.is_synced, SOON)
    erp.patch({"spec": {"syncPolicy": {"automated": {"selfHeal": False, "enabled": False}}}})

    def put_back() -> None:
        automated = erp.read()["spec"]["syncPolicy"]["automated"]
        assert automated == {"prune": True, "selfHeal": True, "enabled": False}

    eventually(put_back, SOON)


def test_an_old_definition_drops_enabled(mortal: Path) -> None:
    side = Side(launch.start(mortal, "--old-application-definition"))
    side.make_namespace("argocd")
    side.applications.create(application(syncPolicy=HEALED))
    paused = side.applications.patch(PAUSE)
    assert paused["spec"]["syncPolicy"]["automated"] == HEALED["automated"]
    body = refusal(422, side.applications.patch, PAUSE, field_validation="Strict")
    assert "unknown field" in body["message"]


def test_backoff_grows_threefold_to_five_minutes() -> None:
    assert [backoff(attempts) for attempts in range(8)] == [0, 2, 6, 18, 54, 162, 300, 300]


def _decision(attempts: int, seconds: float, **last: Any) -> Any:
    state = {
        "phase": "Succeeded",
        "syncResult": {"revision": "r1"},
        "operation": {"sync": {"selfHealAttemptsCount": attempts}},
        **last,
    }
    body = {**application(syncPolicy=HEALED), "status": {"operationState": state}}
    return decide(body, Comparison("r1", [Managed(DEPLOYMENTS, deployment(), None)]), seconds)


def test_self_heal_waits_longer_each_time() -> None:
    assert _decision(attempts=3, seconds=10).again_in == 8
    assert _decision(attempts=3, seconds=20).operation["sync"]["selfHealAttemptsCount"] == 4


def test_self_heal_forgives_after_the_cooldown() -> None:
    assert _decision(attempts=6, seconds=331).operation["sync"]["selfHealAttemptsCount"] == 1


def test_each_repeated_change_is_counted_as_one_more_attempt(erp: Erp) -> None:
    counted = []
    for _ in range(3):
        erp.scale(2)
        eventually(lambda: erp.must_have(0), SOON, every=0.005)
        eventually(erp.is_synced, SOON, every=0.005)
        sync = erp.read()["status"]["operationState"]["operation"]["sync"]
        counted.append(sync["selfHealAttemptsCount"])
    assert counted == [1, 2, 3]
