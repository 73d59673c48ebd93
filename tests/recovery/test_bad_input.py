"""What is wrong in the cluster: told before any change, or undone, or left to `recover`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from harness.deadlines import eventually
from harness.local.administrator import path
from harness.local.kubernetes.resources import APPLICATIONS, BY_KIND, DEPLOYMENTS, ROLES
from harness.local.workloads import ARGOCD

from .place import REFRESH, SOON, Place
from .test_deaths import ALONE, DUMP, GONE, PAUSE, READY, REARM, SEEN, STOP
from .test_humans import PAUSED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.forked import Ended

ENDLESS = 100_000
RULES = [
    ("sandbox-lifecycle", "get", "deployments", "get deployments.apps dolibarr"),
    ("sandbox-lifecycle", "get", "deployments/scale", "get deployments/scale.apps dolibarr"),
    ("sandbox-lifecycle", "patch", "deployments/scale", "patch deployments/scale.apps dolibarr"),
    ("sandbox-lifecycle", "list", "pods", "list pods"),
    ("sandbox-lifecycle", "patch", "leases", "patch leases.coordination.k8s.io"),
    ("sandbox-lifecycle", "list", "horizontalpodautoscalers", "list horizontalpodautoscalers"),
    ("sandbox-lifecycle-application", "patch", "applications", "patch applications.argoproj.io"),
]


def refused(place: Place, code: int, *words: str) -> None:
    """A run ends with this code, names these words, and has changed nothing."""
    before = place.lease(), place.content()
    ended = place.run(REFRESH)
    assert ended.code == code, ended
    assert [word for word in (*words, "nothing has been changed") if word not in ended.error] == []
    assert (place.lease(), place.content()) == before


def hasty(place: Place) -> None:
    """Shorten every deadline: an API that is away for good is given up after a second or two."""
    place.settings = place.settings.model_copy(update={"deadline_scale": 0.05})


def with_cluster(place: Place, **changed: Any) -> None:
    cluster = place.names.model_copy(update=changed)
    place.settings = place.settings.model_copy(update={"cluster": cluster})


def kubeconfig(place: Place, to: Path, **user: str) -> Path:
    assert place.names.kubeconfig is not None
    content = yaml.safe_load(place.names.kubeconfig.read_text(encoding="utf-8"))
    content["users"][0]["user"] = user
    to.write_text(yaml.safe_dump(content), encoding="utf-8")
    return to


def test_a_kubeconfig_that_is_not_there_is_named(place: Place, tmp_path: Path) -> None:
    with_cluster(place, kubeconfig=tmp_path / "none")
    before = place.standing()
    ended = place.run(REFRESH)
    assert ended.code == 2
    assert "cannot be read" in ended.error
    assert place.standing() == before


def test_a_context_that_is_not_there_is_named(place: Place) -> None:
    with_cluster(place, context="elsewhere")
    refused(place, 2, "elsewhere")


def test_a_token_that_is_not_known_is_told(place: Place, tmp_path: Path) -> None:
    with_cluster(place, kubeconfig=kubeconfig(place, tmp_path / "expired", token="expired"))  # noqa: S106
    refused(place, 2, "kubeconfig")


@pytest.mark.parametrize(("role", "verb", "resource", "named"), RULES)
def test_each_right_that_is_missing_is_named(
    place: Place, role: str, verb: str, resource: str, named: str
) -> None:
    namespace = ARGOCD if role.endswith("application") else place.names.namespace
    where = path(ROLES, namespace, role)
    rules = place.admin.ask("GET", where)["rules"]
    fewer = [
        {**rule, "verbs": [each for each in rule["verbs"] if each != verb]}
        if resource in rule["resources"]
        else rule
        for rule in rules
    ]
    place.admin.ask("PATCH", where, {"rules": fewer})
    try:
        refused(place, 2, named, "kubectl apply")
    finally:
        place.admin.ask("PATCH", where, {"rules": rules})


def test_an_autoscaler_is_named(place: Place) -> None:
    aim = {"apiVersion": "apps/v1", "kind": "Deployment", "name": place.names.deployment}
    kind = ("autoscaling/v2", "HorizontalPodAutoscaler")
    metadata = {"name": "eager", "namespace": place.names.namespace}
    spec = {"scaleTargetRef": aim, "minReplicas": 1, "maxReplicas": 3}
    body = dict(zip(("apiVersion", "kind"), kind, strict=True))
    place.admin.create({**body, "metadata": metadata, "spec": spec})
    try:
        refused(place, 3, "HorizontalPodAutoscaler eager")
    finally:
        place.admin.ask("DELETE", path(BY_KIND[kind], place.names.namespace, "eager"))


def test_an_application_set_that_would_undo_the_pause_is_named(place: Place) -> None:
    owner = {"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "name": "all"}
    kind = (owner["apiVersion"], owner["kind"])
    metadata = {"name": "all", "namespace": ARGOCD}
    body = dict(zip(("apiVersion", "kind"), kind, strict=True))
    made = place.admin.create({**body, "metadata": metadata, "spec": {"generators": []}})
    owned = [{**owner, "uid": made["metadata"]["uid"]}]
    place.change_application({"metadata": {"ownerReferences": owned}})
    try:
        refused(place, 3, "applicationsets.argoproj.io all", "ignoreApplicationDifferences")
    finally:
        place.change_application({"metadata": {"ownerReferences": None}})
        place.admin.ask("DELETE", path(BY_KIND[kind], ARGOCD, "all"))


def test_a_deployment_that_is_not_there_is_named(place: Place) -> None:
    place.set_policy(PAUSED)  # else Argo CD makes it anew
    place.admin.ask("DELETE", path(DEPLOYMENTS, place.names.namespace, place.names.deployment))
    try:
        refused(place, 2, place.names.deployment, place.names.namespace)
    finally:
        place.set_policy({"automated": {"selfHeal": True}})
        eventually(place.deployment, SOON)
        place.await_ready()


def test_an_application_that_is_not_there_is_named(place: Place) -> None:
    place.admin.ask("DELETE", path(APPLICATIONS, ARGOCD, place.names.application))
    try:
        refused(place, 2, place.names.application)
    finally:
        place.admin.create(place.cluster.sandbox.application)


def test_an_api_that_is_away_is_told(place: Place) -> None:
    hasty(place)
    before = place.standing()
    place.cluster.control.order("outage", seconds=4)
    ended = place.run(REFRESH)
    assert ended.code == 2, ended
    assert "nothing has been changed" in ended.error
    assert eventually(place.standing, SOON) == before


@pytest.mark.parametrize(
    ("phase", "fault"),
    [
        (PAUSE, {"action": "status", "status": 500}),
        (PAUSE, {"action": "lose"}),
        (SEEN, {"action": "status", "status": 429, "retry_after": 0}),
        (STOP, {"action": "drop"}),
        (STOP, {"action": "lose"}),
        (GONE, {"action": "slow", "seconds": 0.2}),
        (READY, {"action": "status", "status": 503}),
        (REARM, {"action": "drop"}),
        (REARM, {"action": "lose"}),
    ],
    ids=str,
)
def test_a_passing_fault_of_the_api_is_not_noticed(
    place: Place, phase: str, fault: dict[str, Any]
) -> None:
    with place.held(REFRESH, phase) as run:
        place.cluster.control.order("faults", times=3, **fault)
        ended = place.go_on(run)
    assert ended.code == 0, ended
    assert place.outstanding() == []
    assert place.is_prod()


def meets(place: Place, phase: str, **fault: Any) -> Ended:
    """A run on which the API falls ill for good when a phase begins, and recovers afterwards."""
    hasty(place)
    with place.held(REFRESH, phase) as run:
        place.cluster.control.order("faults", times=ENDLESS, **fault)
        ended = place.go_on(run)
    place.cluster.control.order("faults")
    return ended


@pytest.mark.parametrize(
    ("phase", "fault"),
    [
        (SEEN, {"action": "status", "status": 500}),
        (STOP, {"action": "slow", "seconds": 2}),
        (ALONE, {"action": "status", "status": 401}),
        (DUMP, {"action": "drop"}),
        (READY, {"action": "status", "status": 403}),
        (REARM, {"action": "status", "status": 500}),
    ],
    ids=str,
)
def test_what_an_ill_api_leaves_outstanding_is_told_and_recovered(
    place: Place, phase: str, fault: dict[str, Any]
) -> None:
    # `/stand-in` is where the fault is taken away again.
    ended = meets(place, phase, path="^/apis?/", **fault)
    assert ended.code == 5, ended
    assert "sandbox-lifecycle recover" in ended.error
    place.settings = place.platform.settings
    place.recover()
    assert place.outstanding() == []
    assert place.content() == "complete"


@pytest.mark.parametrize(
    ("phase", "what", "code"),
    [(PAUSE, "applications", 1), (STOP, "scale", 1), (REARM, "applications", 5)],
)
def test_a_write_that_is_not_accepted_is_undone_or_left_to_recover(
    place: Place, phase: str, what: str, code: int
) -> None:
    ended = meets(place, phase, action="status", status=422, method="PATCH", path=what)
    assert ended.code == code, ended
    if code == 1:
        assert place.outstanding() == []
    place.settings = place.platform.settings
    place.recover()
    assert place.outstanding() == []
    assert place.content() == "complete"
