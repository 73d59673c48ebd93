"""The barrier after a pause: no pass or sync that began before it is left when it opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.cluster.errors import ChangedMeanwhileError, NotYetError
from harness.deadlines import eventually
from tests.local.cluster.world import IMPATIENT, SOON, World

if TYPE_CHECKING:
    from harness.cluster.application import Application
    from harness.cluster.held import Held


def settled(world: World) -> None:
    """The Application is compared, and in sync with a Deployment of one pod."""
    world.stand_in.order("git", manifests={world.settings.namespace: [world.manifest()]})
    world.make_application()

    def look() -> None:
        state = world.get(world.app).get("status", {})
        assert state.get("sync", {}).get("status") == "Synced"
        assert state["operationState"]["phase"] == "Succeeded"

    eventually(look, SOON)


def pause(app: Application, held: Held) -> None:
    app.pause("journal", app.read().policy, held=held)


def test_it_opens_when_argo_cd_has_looked_again(world: World) -> None:
    settled(world)
    with world.working() as (cluster, held):
        pause(cluster.application, held)
        state = cluster.application.wait_until_seen()
    assert not state.refreshing
    assert not state.operating
    assert state.phase == "Succeeded"


def test_it_waits_for_a_sync_that_a_pass_from_before_the_pause_starts(world: World) -> None:
    settled(world)
    world.stand_in.order("race", application=f"{world.app.namespace}/{world.app.name}")
    with world.working() as (cluster, held):
        world.patch(world.deployment, {"spec": {"replicas": 0}})  # by hand, before the pause
        pause(cluster.application, held)
        state = cluster.application.wait_until_seen()
        assert state.phase == "Succeeded"
        # It was waited for, and has undone what was done by hand. From here on nothing does.
        assert cluster.workload.read().replicas == 1
        cluster.workload.scale(0, expected=1, held=held)
        cluster.workload.wait_gone()


def test_it_stays_shut_while_git_cannot_be_reached_and_says_so(world: World) -> None:
    settled(world)
    world.stand_in.order("git", reachable=False)
    with world.working(IMPATIENT) as (cluster, held):
        pause(cluster.application, held)
        with pytest.raises(NotYetError) as caught:
            cluster.application.wait_until_seen()
    assert "has not acknowledged the pause" in str(caught.value)
    assert "git is not reachable" in str(caught.value)


def test_a_sync_between_two_tries_is_not_over(world: World) -> None:
    world.make_application()
    running = {"phase": "Running", "finishedAt": "2026-01-01T00:00:00Z", "retryCount": 1}
    with world.working(IMPATIENT) as (cluster, held):
        pause(cluster.application, held)
        eventually(cluster.application.wait_until_seen, SOON)
        world.patch(world.app, {"status": {"operationState": running}})
        with pytest.raises(NotYetError, match="does not end") as caught:
            cluster.application.wait_until_seen()
    assert "phase Running" in str(caught.value)


def test_somebody_who_switches_sync_on_again_ends_the_wait(world: World) -> None:
    world.make_application()
    world.stand_in.order("git", reachable=False)
    with world.working() as (cluster, held):
        pause(cluster.application, held)
        world.patch(world.app, {"spec": {"syncPolicy": {"automated": {"enabled": True}}}})
        with pytest.raises(ChangedMeanwhileError, match="switched automated sync"):
            cluster.application.wait_until_seen()
