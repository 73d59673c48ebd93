"""The Deployment: scaled once nobody else scales it, waited for until the last pod is gone."""

from __future__ import annotations

import time
from typing import Any

import pytest

from harness.cluster.errors import ChangedMeanwhileError, LostError, NotYetError
from harness.cluster.resources import AUTOSCALERS, PODS, Target
from harness.cluster.workload import WorkloadState
from harness.deadlines import eventually
from harness.errors import ConfigurationError, RefusedError
from tests.local.cluster.world import IMPATIENT, SOON, World

# It does not end when it is asked to: its grace period of 30 s is 1.5 s here.
STUBBORN = "trap '' TERM; while :; do sleep 1; done"


def ready(world: World, replicas: int = 1, script: str = "exec sleep 60") -> None:
    world.make_deployment(replicas, script)
    with world.harness() as cluster:
        cluster.workload.wait_ready(replicas)


def autoscale(world: World, **target: Any) -> None:
    body = {
        "metadata": {"name": "busy"},
        "spec": {
            "maxReplicas": 3,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", **target},
        },
    }
    world.create(AUTOSCALERS, world.settings.namespace, body)


def test_it_is_scaled_to_nothing_and_back(world: World) -> None:
    ready(world, 2)
    with world.working() as (cluster, held):
        cluster.workload.scale(0, expected=2, held=held)
        cluster.workload.wait_gone()
        assert world.pods() == []
        assert cluster.workload.read().replicas == 0
        cluster.workload.scale(2, expected=0, held=held)
        cluster.workload.wait_ready(2)
        state = cluster.workload.read()
    assert (state.replicas, state.ready, state.observed) == (2, 2, True)
    assert len(world.pods()) == 2


def test_a_pod_that_takes_its_time_to_end_is_waited_for(world: World) -> None:
    ready(world, 1, STUBBORN)
    with world.working() as (cluster, held):
        started = time.monotonic()
        cluster.workload.scale(0, expected=1, held=held)
        eventually(lambda: must_be_ending(world), SOON)
        cluster.workload.wait_gone()
        assert time.monotonic() - started > 1
    assert world.pods() == []


def must_be_ending(world: World) -> None:
    assert all("deletionTimestamp" in pod["metadata"] for pod in world.pods())


def test_a_pod_that_does_not_end_is_named(world: World) -> None:
    ready(world)
    name = world.pods()[0]["metadata"]["name"]
    pod = Target(PODS, world.settings.namespace, name)
    world.patch(pod, {"metadata": {"finalizers": ["example.org/stuck"]}})
    with world.working(IMPATIENT) as (cluster, held):
        cluster.workload.scale(0, expected=1, held=held)
        eventually(lambda: must_be_ending(world), SOON)
        with pytest.raises(NotYetError) as caught:
            cluster.workload.wait_gone()
    assert f"{name} Terminating" in str(caught.value)
    world.patch(pod, {"metadata": {"finalizers": None}})


def test_an_evicted_pod_on_the_list_is_no_pod_that_runs(world: World) -> None:
    ready(world)
    name = world.settings.deployment
    body = {
        "metadata": {"name": "evicted", "labels": {"app": name}},
        "spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "main", "image": "none", "command": ["/bin/false"]}],
        },
    }
    world.create(PODS, world.settings.namespace, body)
    with world.working() as (cluster, held):
        cluster.workload.scale(0, expected=1, held=held)
        cluster.workload.wait_gone()
    assert [pod["metadata"]["name"] for pod in world.pods()] == ["evicted"]


def test_somebody_who_scales_up_meanwhile_ends_the_wait(world: World) -> None:
    ready(world, 1, STUBBORN)
    with world.working() as (cluster, held):
        cluster.workload.scale(0, expected=1, held=held)
        world.patch(world.deployment, {"spec": {"replicas": 2}})
        with pytest.raises(ChangedMeanwhileError, match="somebody else has scaled") as caught:
            cluster.workload.wait_gone()
        assert "2 replicas" in str(caught.value)
        with pytest.raises(ChangedMeanwhileError):
            cluster.workload.scale(1, expected=0, held=held)
        assert cluster.workload.read().replicas == 2


def test_scaling_to_what_is_asked_for_already_writes_nothing(world: World) -> None:
    ready(world)
    with world.working() as (cluster, held):
        world.fault("status", method="PATCH", path="/scale$", times=9)
        cluster.workload.scale(1, expected=0, held=held)
        assert world.no_faults() == 9


def test_nobody_is_scaled_without_the_lease(world: World) -> None:
    ready(world)
    with world.losing() as (cluster, held):
        world.patch(world.lease, {"spec": {"leaseTransitions": 7}})
        with pytest.raises(LostError):
            cluster.workload.scale(0, expected=None, held=held)
        assert cluster.workload.read().replicas == 1


def test_a_pod_that_cannot_start_is_told_with_its_reason(world: World) -> None:
    missing = {"secretKeyRef": {"name": "none", "key": "password"}}
    manifest = world.manifest()
    container = manifest["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [{"name": "PASSWORD", "valueFrom": missing}]
    world.create(world.deployment.resource, world.settings.namespace, manifest)
    with world.harness(IMPATIENT) as cluster, pytest.raises(NotYetError) as caught:
        cluster.workload.wait_ready(1)
    assert "0 of 1 ready" in str(caught.value)
    assert "CreateContainerConfigError" in str(caught.value)


def test_an_autoscaler_of_the_deployment_is_refused_by_name(world: World) -> None:
    world.make_deployment()
    autoscale(world, name=world.settings.deployment)
    with world.harness() as cluster, pytest.raises(RefusedError, match="busy"):
        cluster.workload.refuse_autoscaled()


def test_an_autoscaler_of_another_deployment_is_no_obstacle(world: World) -> None:
    world.make_deployment(3)
    autoscale(world, name="another")
    with world.harness() as cluster:
        assert cluster.workload.refuse_autoscaled().replicas == 3


def test_a_deployment_that_is_not_there_is_named(world: World) -> None:
    with world.harness() as cluster, pytest.raises(ConfigurationError) as caught:
        cluster.workload.refuse_autoscaled()
    assert f"deployments.apps erp in namespace {world.settings.namespace}" in str(caught.value)


def test_a_selector_of_every_kind_is_asked_for_as_it_stands() -> None:
    expressions = [
        {"key": "tier", "operator": "In", "values": ["web", "cron"]},
        {"key": "track", "operator": "NotIn", "values": ["canary"]},
        {"key": "erp", "operator": "Exists"},
        {"key": "old", "operator": "DoesNotExist"},
    ]
    found = {
        "metadata": {"uid": "u", "generation": 2},
        "spec": {"selector": {"matchLabels": {"app": "erp"}, "matchExpressions": expressions}},
    }
    state = WorkloadState.of(found)
    assert state.selector == "app=erp,tier in (web,cron),track notin (canary),erp,!old"
    assert (state.replicas, state.ready, state.observed) == (0, 0, False)
