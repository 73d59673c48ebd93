"""An API that fails for a while: tried again, within limits, and nothing is done twice."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from harness.cluster.errors import ConflictError, UnavailableError
from harness.cluster.holder import Holder
from harness.errors import ConfigurationError
from harness.manifests import JOURNAL_ANNOTATION
from tests.local.cluster.world import HEALING, IMPATIENT, World

if TYPE_CHECKING:
    from collections.abc import Callable


HERE = Holder.here("run")
EMPTY = {"syncPolicy": {}}
UNSEEN = {"argocd.argoproj.io/skip-reconcile": "true"}
FAULTS = {
    "conflicts": {"action": "status", "status": 409, "times": 3},
    "too many requests": {"action": "status", "status": 429, "times": 2},
    "rights that were not read yet": {"action": "status", "status": 403, "times": 1},
    "an internal error": {"action": "status", "status": 500, "times": 3},
    "a gateway without server": {"action": "status", "status": 503, "times": 3},
    "a connection dropped before": {"action": "drop", "times": 2},
    "an answer lost after": {"action": "lose", "times": 1},
    "a slow answer": {"action": "slow", "seconds": 0.7, "times": 1},
}


def whole_run(world: World, strike: Callable[[str], None]) -> None:
    """Every write that the harness makes, `strike` being called before each."""
    strike("acquire")
    with world.harness() as cluster, cluster.lease.acquire(HERE, "journal") as held:
        assert held.token == 1
        before = cluster.application.read()
        strike("pause")
        assert cluster.application.pause("journal", before.policy, held=held).how == "disabled"
        strike("scale")
        cluster.workload.scale(0, expected=1, held=held)
        strike("journal")
        held.update_journal("later")
        strike("rearm")
        rearmed = cluster.application.rearm(before.policy, uid=before.uid, held=held)
        assert rearmed.outcome == "restored"
        strike("release")
        held.release()
    assert world.no_faults() == 0
    assert world.policy() == HEALING
    assert world.get(world.deployment)["spec"]["replicas"] == 0
    lease = world.get(world.lease)
    assert lease["spec"] == {"leaseTransitions": 1}
    assert "annotations" not in lease["metadata"]


@pytest.mark.parametrize("name", FAULTS)
def test_every_write_survives(world: World, name: str) -> None:
    world.make_application()
    world.make_deployment()

    def strike(_step: str) -> None:
        assert world.no_faults() == 0
        world.fault(
            **{"method": "PATCH", "path": world.settings.namespace.removesuffix("-sandbox")}
            | FAULTS[name]
        )

    whole_run(world, strike)


@pytest.mark.parametrize("name", [name for name in FAULTS if name != "conflicts"])
def test_every_question_survives(world: World, name: str) -> None:
    world.make_deployment()
    with world.harness() as cluster:
        questions: list[Callable[[], Any]] = [
            cluster.workload.read,
            cluster.workload.refuse_autoscaled,
            cluster.lease.read,
            lambda: cluster.access.can("get", "", "pods", world.settings.namespace),
        ]
        for ask in questions:
            world.fault(**FAULTS[name])
            ask()
            assert world.no_faults() == 0


def test_a_server_that_asks_to_be_left_alone_is_left_alone(world: World) -> None:
    world.make_deployment()
    with world.harness() as cluster:
        world.fault("status", status=429, retry_after=1)
        started = time.monotonic()
        cluster.workload.read()
        assert time.monotonic() - started >= 1


def test_a_server_that_asks_for_more_patience_than_there_is_is_given_up_at_once(
    world: World,
) -> None:
    with world.harness() as cluster:
        world.fault("status", status=429, retry_after=60)
        started = time.monotonic()
        with pytest.raises(UnavailableError, match="cannot serve get"):
            cluster.workload.read()
        assert time.monotonic() - started < 1


def test_an_outage_longer_than_the_deadline_is_told_with_what_was_asked(world: World) -> None:
    with world.harness(IMPATIENT) as cluster:
        world.fault("drop", times=999)
        started = time.monotonic()
        with pytest.raises(UnavailableError, match="does not answer") as caught:
            cluster.workload.read()
        assert time.monotonic() - started < 2
    assert "get deployments.apps erp" in str(caught.value)
    assert caught.value.__cause__ is not None


def test_a_storm_of_conflicts_ends_in_an_error_that_names_the_object(world: World) -> None:
    world.make_application()
    with world.working(IMPATIENT) as (cluster, held):
        policy = cluster.application.read().policy
        world.fault("status", status=409, method="PATCH", path="applications", times=999)
        with pytest.raises(ConflictError, match="others keep changing applications"):
            cluster.application.pause("journal", policy, held=held)
        world.no_faults()
    assert world.policy() == HEALING


def test_a_short_outage_is_ridden_out(world: World) -> None:
    world.make_deployment()
    with world.working() as (cluster, held):
        world.outage(0.5)
        cluster.workload.scale(0, expected=1, held=held)
    assert world.get(world.deployment)["spec"]["replicas"] == 0


class Busy:
    """Stands for the Lease, and lets Argo CD write its status just before each write of ours."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.writes = 0

    def assert_held(self) -> None:
        self.writes += 1
        if self.writes <= 3:
            self._world.patch(self._world.app, {"status": {"reconciledAt": str(self.writes)}})


def test_an_application_that_others_write_all_the_time_is_paused_in_between(world: World) -> None:
    world.make_application()
    busy: Any = Busy(world)
    with world.harness() as cluster:
        policy = cluster.application.read().policy
        assert cluster.application.pause("journal", policy, held=busy).how == "disabled"
    assert busy.writes >= 4


class Tidier:
    """Stands for the Lease, and tidies the Application up just before the first write of ours."""

    def __init__(self, world: World, change: dict[str, Any]) -> None:
        self._world = world
        self._change = change
        self.writes = 0

    def assert_held(self) -> None:
        self.writes += 1
        if self.writes == 1:
            self._world.patch(self._world.app, self._change)


@pytest.mark.parametrize(
    "change",
    [{"spec": {"syncPolicy": None}}, {"metadata": {"annotations": {JOURNAL_ANNOTATION: None}}}],
    ids=["the empty policy is taken away", "the journal is taken off"],
)
def test_a_patch_that_fits_no_more_is_made_anew(old_world: World, change: dict[str, Any]) -> None:
    old_world.make_application({"automated": {}})
    with old_world.working() as (cluster, held):
        before = cluster.application.read()
        cluster.application.pause("journal", before.policy, held=held)
        # What an old Argo CD leaves of a policy, for a moment that lasts here.
        old_world.patch(old_world.app, {"metadata": {"annotations": UNSEEN}, "spec": EMPTY})
        tidier: Any = Tidier(old_world, change)
        cluster.application.rearm(before.policy, uid=before.uid, held=tidier)
    assert tidier.writes == 2
    assert old_world.policy() == {"automated": {}}
    assert JOURNAL_ANNOTATION not in old_world.get(old_world.app)["metadata"].get("annotations", {})


def test_a_patch_that_is_refused_though_nobody_has_changed_the_object_is_not_sent_again(
    world: World,
) -> None:
    with world.harness() as cluster:
        world.fault("status", status=422, method="PATCH", path="leases", times=2)
        with pytest.raises(ConfigurationError, match="refuses to patch leases"):
            cluster.lease.acquire(HERE, "journal")
    assert world.no_faults() == 1
