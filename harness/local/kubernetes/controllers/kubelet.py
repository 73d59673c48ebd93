"""Pods as real processes of this host: started, kept, reported on, ended gracefully.

There are no images or liveness probes; `command` is run as it stands.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from typing import TYPE_CHECKING, Any

from harness.local.kubernetes import processes
from harness.local.kubernetes.controllers.container import Container
from harness.local.kubernetes.patches import MERGE, Patch
from harness.local.kubernetes.registry import Deletion, Write, timestamp
from harness.local.kubernetes.resources import PODS
from harness.local.kubernetes.status import StatusError

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    from harness.local.kubernetes.registry import Registry
    from harness.local.kubernetes.resources import Obj
    from harness.local.kubernetes.store import Event

logger = logging.getLogger(__name__)

NODE = "stand-in"
_ADDRESS = "127.0.0.1"
_ENDED = {"Succeeded", "Failed"}


class Kubelet:
    """Runs every pod of the store.

    Args:
        registry: Where the pods are.
        directory: Where logs and records of processes are kept, one folder a pod.
        speed: How much faster than in life time runs.
    """

    def __init__(self, registry: Registry, directory: Path, speed: float) -> None:
        self._registry = registry
        self._directory = directory
        self._speed = speed
        self._pods: dict[str, _Pod] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Take up the pods that are there, and each that comes, until cancelled."""
        self._registry.store.subscribe(self._notice)
        pods = self._registry.store.find(PODS)
        self._remove_leftovers({pod["metadata"]["uid"] for pod in pods})
        for pod in pods:
            self._take(pod)
        await asyncio.Event().wait()

    def _notice(self, event: Event) -> None:
        if event.resource is not PODS:
            return
        uid = event.new["metadata"]["uid"]
        if event.change == "ADDED":
            self._take(event.new)
        elif uid in self._pods and event.change == "DELETED":
            self._pods[uid].gone.set()
        elif uid in self._pods and "deletionTimestamp" in event.new["metadata"]:
            self._pods[uid].grace = event.new["metadata"]["deletionGracePeriodSeconds"]
            self._pods[uid].ending.set()

    def _take(self, obj: Obj) -> None:
        uid = obj["metadata"]["uid"]
        pod = self._pods[uid] = _Pod(self._registry, obj, self._directory / uid, self._speed)
        task = asyncio.create_task(pod.live())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: self._pods.pop(uid, None))

    def _remove_leftovers(self, uids: set[str]) -> None:
        """End the processes of pods that were deleted by force just before a stand-in died."""
        for folder in self._directory.iterdir():
            if folder.name not in uids:
                for path in folder.glob("*.log"):
                    process = processes.recorded(path)
                    if process is not None:
                        process.kill()
                shutil.rmtree(folder, ignore_errors=True)


class _Pod:
    """The life of one pod: `ending` and `gone` are set from outside."""

    def __init__(self, registry: Registry, obj: Obj, directory: Path, speed: float) -> None:
        self._registry = registry
        self._metadata = obj["metadata"]
        self._directory = directory
        self._started = obj.get("status", {}).get("startTime") or timestamp()
        self._over = obj.get("status", {}).get("phase") in _ENDED
        self.grace: int = self._metadata.get("deletionGracePeriodSeconds", 0)
        self.ending = asyncio.Event()
        self.gone = asyncio.Event()
        if "deletionTimestamp" in self._metadata:
            self.ending.set()
        directory.mkdir(mode=0o700, exist_ok=True)
        self._containers = [self._container(obj, spec, speed) for spec in obj["spec"]["containers"]]
        held = obj.get("status", {}).get("initContainerStatuses", [])
        self._over_before = [each for each in held if _has_succeeded(each)]
        over = {each["name"] for each in self._over_before}
        once = "Never" if obj["spec"].get("restartPolicy") == "Never" else "OnFailure"
        leading = {**obj, "spec": {**obj["spec"], "restartPolicy": once}}
        self._first = [
            self._container(leading, spec, speed)
            for spec in obj["spec"].get("initContainers", [])
            if spec["name"] not in over
        ]

    def _container(self, obj: Obj, spec: Obj, speed: float) -> Container:
        return Container(
            self._registry.store,
            pod=obj,
            spec=spec,
            directory=self._directory,
            speed=speed,
            publish=self._publish,
        )

    async def live(self) -> None:
        """Run the containers until the pod is deleted."""
        lives: list[asyncio.Task[None]] = []
        try:
            self._bind()
            if not self._over:
                lives = [asyncio.create_task(self._run())]
            await _first(self.ending.wait(), self.gone.wait())
            await _first(self._end(self.grace), self.gone.wait())
            await self._end(0)  # what was deleted by force meanwhile
            if not self.gone.is_set():
                self._confirm()
        except StatusError:
            logger.exception("pod %s", self._metadata["name"])
        finally:
            for life in lives:
                life.cancel()
        shutil.rmtree(self._directory, ignore_errors=True)

    async def _run(self) -> None:
        """One after the other what goes first, as long as none fails; then all the others."""
        for each in self._first:
            await each.live()
            if each.ended_with != 0:
                return
        await asyncio.gather(*(each.live() for each in self._containers))

    async def _end(self, grace: float) -> None:
        await asyncio.gather(*(each.end(grace) for each in (*self._first, *self._containers)))

    def _bind(self) -> None:
        """Put the pod on the one node: from then on it ends gracefully."""
        bound = {"spec": {"nodeName": NODE}}
        self._registry.patch(PODS, *self._place, Patch(MERGE, bound))
        self._publish()

    def _confirm(self) -> None:
        """Tell that the last process is gone, which is what removes the pod."""
        deletion = Deletion(grace_seconds=0, uid=self._metadata["uid"])
        self._registry.delete(PODS, *self._place, deletion)

    @property
    def _place(self) -> tuple[str, str]:
        return self._metadata["namespace"], self._metadata["name"]

    def _publish(self) -> None:
        """Write the pod's status, if the pod is still there."""
        pod = self._registry.store.get(PODS, *self._place)
        if pod is None or pod["metadata"]["uid"] != self._metadata["uid"] or self._over:
            return
        statuses = [each.status for each in self._containers]
        phase = self._phase()
        ready = phase == "Running" and all(each["ready"] for each in statuses)
        held = pod.get("status", {}).get("conditions", [])
        truths = {"PodScheduled": True, "Initialized": True, "ContainersReady": ready,
                  "Ready": ready}  # fmt: skip
        pod["status"] = {
            "phase": phase,
            "conditions": [_condition(kind, held, truth=truth) for kind, truth in truths.items()],
            "hostIP": _ADDRESS,
            "podIP": _ADDRESS,
            "podIPs": [{"ip": _ADDRESS}],
            "startTime": self._started,
            "containerStatuses": statuses,
        }
        if leading := [*self._over_before, *(each.status for each in self._first)]:
            pod["status"]["initContainerStatuses"] = leading
        try:
            self._registry.replace(PODS, *self._place, pod, Write(subresource="status"))
        except StatusError:
            logger.exception("pod %s", self._metadata["name"])

    def _phase(self) -> str:
        first = [each.ended_with for each in self._first]
        if any(first):
            return "Failed"
        if None in first:
            return "Pending"
        codes = [each.ended_with for each in self._containers]
        if all(code is not None for code in codes):
            return "Failed" if any(codes) else "Succeeded"
        started = all(each.has_started for each in self._containers)
        return "Running" if started else "Pending"


def _has_succeeded(status: Obj) -> bool:
    return bool(status["state"].get("terminated", {}).get("exitCode") == 0)


def _condition(kind: str, held: list[Obj], *, truth: bool) -> Obj:
    status = "True" if truth else "False"
    before = next((each for each in held if each["type"] == kind), None)
    if before is not None and before["status"] == status:
        return before
    return {"type": kind, "status": status, "lastTransitionTime": timestamp()}


async def _first(*waits: Coroutine[Any, Any, object]) -> None:
    """Wait until one of several things has happened; the others are cancelled."""
    tasks = [asyncio.create_task(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
