"""What the harness's own manifests let run on the stage: templates of Jobs, and the watchdog."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from harness import manifests
from harness.deadlines import Deadline, eventually
from harness.local.undo import Undo
from harness.local.workloads import credentials
from harness.manifests.pods import Pods
from tests.stage.project_image import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.settings import Settings
    from tests.stage.stage import Stage

VOLUME = "golden"
_COMPONENT = "watchdog"
_STARTS = Deadline(60, "Python takes a second to begin; on a busy machine, more")
_ENDS_SECONDS = 60
SETTINGS: dict[str, Any] = {
    "image": NAME,
    "pull_policy": "Never",
    "storage_size": "1Gi",
    # Scenarios kill runs to see what they leave; `watchdog` lends one to who wants it.
    "watchdog": False,
}
"""The table `in_cluster` of a target on the stage."""


def install(stage: Stage, names: manifests.Names, settings: Settings) -> None:
    """Put there what the manifests let run, told the target, with the golden cache on a volume."""
    where = names.sandbox_namespace
    stage.provide_volume(VOLUME, claim=f"{names.service_account}-golden", namespace=where)
    tell(stage, names, settings)
    stage.apply(credentials(settings, where))


def tell(stage: Stage, names: manifests.Names, settings: Settings) -> None:
    """Apply the manifests of a target: pods that are made from now on are told this one."""
    stage.apply(*manifests.objects(names, Pods.of(settings)))


def golden_folder(stage: Stage) -> Path:
    """Where the pods' golden cache lies on this machine."""
    return stage.directory / "volumes" / VOLUME


@contextmanager
def watchdog(stage: Stage, names: manifests.Names) -> Iterator[None]:
    """The watchdog of the manifests, for the length of a block."""
    with Undo() as undo:
        undo.callback(stop_watchdog, stage, names)
        start_watchdog(stage, names)
        yield


def start_watchdog(stage: Stage, names: manifests.Names) -> None:
    """Start it, and return when it watches."""
    where = _scale(stage, names, 1)

    def must_watch() -> None:
        # Only then does it heed a signal: the first process of a container misses one before.
        told = stage.kubectl("logs", f"deployment/{_watchdog(names)}", where)
        assert told.startswith("watching"), told

    eventually(must_watch, _STARTS)


def stop_watchdog(stage: Stage, names: manifests.Names) -> None:
    """End it, and return when it is gone: for as long as it ends it watches."""
    where = _scale(stage, names, 0)
    pods = f"--selector=app.kubernetes.io/component={_COMPONENT}"
    stage.kubectl("wait", "pods", pods, where, "--for=delete", f"--timeout={_ENDS_SECONDS}s")


def _scale(stage: Stage, names: manifests.Names, replicas: int) -> str:
    where = f"--namespace={names.sandbox_namespace}"
    name = f"deployment/{_watchdog(names)}"
    stage.kubectl("scale", name, where, f"--replicas={replicas}")
    stage.kubectl("rollout", "status", name, where, "--timeout=60s")
    return where


def _watchdog(names: manifests.Names) -> str:
    return f"{names.service_account}-{_COMPONENT}"
