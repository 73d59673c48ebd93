"""What happens to a refresh: each kind strikes at a phase, and tells when all was there again."""

from __future__ import annotations

import json
import signal
import time
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

from tests.phases import PAUSED, PHASES
from tests.stage.argocd import CONTROLLER

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tests.stage.kills.ground import Ground
    from tests.stage.kills.runner import Runner

_OUTAGE = 30.0
_ELECTED = ("kube-controller-manager", "kube-scheduler")
_KUBELET = 10.0


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of mishap.

    Args:
        name: What it is called.
        strike: Does it.
        kills: Whether the run dies of it.
        may_die: Whether it happens also to what a dead run has left.
        phases: When it may happen.
    """

    name: str
    strike: Callable[[Ground, Runner], None]
    kills: bool = False
    may_die: bool = False
    phases: tuple[str, ...] = PHASES


def _delete_pod(ground: Ground, run: Runner) -> None:
    ground.kubectl("delete", "pod", run.pod, "--grace-period=0", "--force")


def _pod_deleted(ground: Ground, run: Runner) -> None:
    # It stands still meanwhile: the deletion is slower than most phases.
    run.freeze()
    _delete_pod(ground, run)
    run.await_death()


def _process_killed(_ground: Ground, run: Runner) -> None:
    run.send(signal.SIGKILL)
    run.await_death()


def _component_away(name: str, seconds: float) -> Callable[[Ground, Runner], None]:
    def strike(ground: Ground, _run: Runner) -> None:
        ground.stage.stop_component(name)
        try:
            _stay_away(seconds)
        finally:
            ground.stage.start_component(name)

    return strike


def _api_away(ground: Ground, _run: Runner) -> None:
    stage = ground.stage
    stage.stop_component("kube-apiserver")
    # Where several are to choose from, one that cannot renew its lease for ten seconds ends, and is
    # started anew. The stage's have nobody to choose from, so they would live on, and come back to
    # an API that was away for half a minute after one or two minutes.
    for name in _ELECTED:
        stage.stop_component(name)
    try:
        _stay_away(_OUTAGE)
    finally:
        for name in ("kube-apiserver", *_ELECTED):
            stage.start_component(name)


def _stay_away(seconds: float) -> None:
    """The length of an outage is what is tested."""
    Event().wait(seconds)


def _database_restarted(ground: Ground, _run: Runner) -> None:
    ground.restart_database()


def _pushed(ground: Ground, _run: Runner) -> None:
    path = f"{ground.cluster.application}/deployment.json"
    deployment = json.loads(ground.stage.read(path))
    template: dict[str, Any] = deployment["spec"]["template"]
    template["metadata"].setdefault("annotations", {})["pushed"] = f"{time.time():.6f}"
    ground.stage.push({path: json.dumps(deployment)}, "Change the pods while they are away")
    ground.stage.refresh_application(ground.cluster.application)


def _re_armed(ground: Ground, _run: Runner) -> None:
    automated = {"enabled": None, "prune": True, "selfHeal": True}
    ground.change_application({"spec": {"syncPolicy": {"automated": automated}}})


KINDS = {
    kind.name: kind
    for kind in (
        Kind("pod deleted", _pod_deleted, kills=True),
        Kind("pod told to end", _delete_pod, phases=PHASES[1:]),
        Kind("process killed", _process_killed, kills=True),
        Kind("API server away for 30 s", _api_away, may_die=True),
        Kind("PostgreSQL restarted", _database_restarted, may_die=True),
        Kind("kubelet away for 10 s", _component_away("kubelet", _KUBELET), may_die=True),
        Kind("Argo CD restarted", _component_away(CONTROLLER, 0), may_die=True),
        Kind("pushed to git", _pushed, may_die=True, phases=PAUSED),
        Kind("re-armed by somebody", _re_armed, may_die=True, phases=PAUSED),
    )
}
