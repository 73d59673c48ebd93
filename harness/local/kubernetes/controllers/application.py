"""One Application of Argo CD, as far as a pause can meet it.

It has two workers, as in life: one compares and decides, the other carries out what `.operation`
asks for. That they do not wait for each other is what makes pausing delicate.
"""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from harness.local.kubernetes.controllers.comparison import apply_all, compare, manifests_of
from harness.local.kubernetes.controllers.selfheal import decide, is_automated, sync_operation
from harness.local.kubernetes.patches import MERGE, Patch
from harness.local.kubernetes.registry import timestamp
from harness.local.kubernetes.resources import APPLICATIONS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from harness.local.kubernetes.git import Git
    from harness.local.kubernetes.registry import Registry
    from harness.local.kubernetes.resources import Obj
    from harness.local.kubernetes.store import Event

logger = logging.getLogger(__name__)

REFRESH = "argocd.argoproj.io/refresh"
_SKIP = "argocd.argoproj.io/skip-reconcile"

# Seconds of Argo CD's own time; --speed divides them.
_RESYNC = 180.0
_QUEUE = 0.25
_SYNC_TAKES = 0.3
_GIT_RETRY = 3.0
_FIRST_RETRY = 5.0
_LONGEST_RETRY = 180.0
_RACE_LAG = 0.2

_POLL_SECONDS = 0.02


class Worker:
    """Compares and syncs one Application.

    Args:
        registry: The objects.
        git: The desired state.
        speed: How much faster than in life time runs.
        place: Namespace and name of the Application.
    """

    def __init__(self, registry: Registry, git: Git, speed: float, place: tuple[str, str]) -> None:
        self._registry = registry
        self._git = git
        self._speed = speed
        self._place = place
        self._finished: float | None = None
        self._held: Obj | None = None
        self._compare = asyncio.Event()
        self._compare.set()
        self._operate = asyncio.Event()
        self._operate.set()
        self._tasks = [
            asyncio.create_task(self._forever(self._comparing)),
            asyncio.create_task(self._forever(self._operating)),
        ]

    def stop(self) -> None:
        """The Application is gone."""
        for task in self._tasks:
            task.cancel()

    def refresh(self) -> None:
        """Ask for a pass."""
        self._compare.set()

    def hold_next_pass(self) -> None:
        """Let the next pass work on the object as it is now, and only after it has been paused."""
        self._held = self._read()
        self._compare.set()

    def notice(self, old: Obj, new: Obj) -> None:
        """The Application has changed."""
        asked = REFRESH in (new["metadata"].get("annotations") or {})
        moved = any(
            old["spec"].get(part) != new["spec"].get(part) for part in ("source", "destination")
        )
        if asked or moved or (is_automated(new) and not is_automated(old)):
            self._compare.set()
        if new.get("operation") and not old.get("operation"):
            self._operate.set()

    def notice_resource(self, event: Event) -> None:
        """Some object has changed; one that is managed asks for a pass."""
        application = self._read()
        if application is None:
            return
        changed = event.new["metadata"]
        for resource, manifest in manifests_of(self._git, application):
            named = manifest["metadata"]
            if resource is event.resource and (named["name"], named.get("namespace", "")) == (
                changed["name"],
                changed.get("namespace", ""),
            ):
                self._compare.set()

    async def _forever(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except Exception:
                logger.exception("application %s/%s", *self._place)
                await self._pause(_GIT_RETRY)

    async def _comparing(self) -> None:
        """One pass: read, compare, decide, write the status; then wait for the next reason."""
        self._compare.clear()
        held, self._held = self._held, None
        application = held or self._read()
        again_in = _RESYNC
        if application is not None:
            again_in = await self._pass(application, held=held is not None)
        try:
            await asyncio.wait_for(self._compare.wait(), again_in / self._speed)
        except TimeoutError:
            return
        await self._pause(_QUEUE)

    async def _pass(self, application: Obj, *, held: bool) -> float:
        """Returns when to look again at the latest."""
        annotations = application["metadata"].get("annotations") or {}
        if annotations.get(_SKIP) == "true":
            return _RESYNC
        if not self._git.reachable:
            # The annotation stays: nobody can say that a pass has seen the object.
            self._write({"conditions": _conditions("ComparisonError", "git is not reachable")})
            return _GIT_RETRY
        comparison = compare(self._registry, self._git, application)
        decision = decide(application, comparison, self._since_last_sync(application))
        operation = decision.operation
        if held and is_automated(application):
            await self._until_paused()
            operation = sync_operation(application["spec"]["syncPolicy"], comparison.revision)
        if operation is not None:
            self._request(operation)
        told = _conditions("SyncError", decision.error) if decision.error else []
        status = {**comparison.status, "reconciledAt": timestamp(), "conditions": told}
        self._take_empty_policy_away(application)
        # As in life the annotation is removed only by a pass that has read it.
        self._write(status, remove=REFRESH in annotations)
        return _RESYNC if decision.again_in is None else decision.again_in

    def _take_empty_policy_away(self, application: Obj) -> None:
        """As in life, where it is left out of what a pass writes back."""
        policy = application["spec"].get("syncPolicy", ...)
        if policy == {} and self._read() is not None:
            patch = Patch(MERGE, {"spec": {"syncPolicy": None}})
            self._registry.patch(APPLICATIONS, *self._place, patch)

    def _request(self, operation: Obj) -> None:
        """Set `.operation` on the object as it is *now*, whatever the pass had read."""
        application = self._read()
        if application is not None and not application.get("operation"):
            application["operation"] = operation
            application.get("status", {}).pop("operationState", None)
            self._registry.replace(APPLICATIONS, *self._place, application)

    async def _operating(self) -> None:
        """Carry out one operation, and again where it failed and has retries left."""
        await self._operate.wait()
        self._operate.clear()
        application = self._read()
        if application is None or not application.get("operation"):
            return
        operation, retries = application["operation"], 0
        state: Obj = {"operation": operation, "phase": "Running", "startedAt": timestamp()}
        while True:
            self._write({"operationState": {**state, "phase": "Running", "finishedAt": None}})
            await self._pause(_SYNC_TAKES)
            failure = apply_all(self._registry, self._git, application)
            state |= {
                "finishedAt": timestamp(),
                "message": failure or "successfully synced (all tasks run)",
                "syncResult": {"revision": self._git.revision},
            }
            if failure is None or retries >= operation.get("retry", {}).get("limit", 0):
                break
            retries += 1
            state |= {"retryCount": retries, "message": f"{failure} Retrying attempt #{retries}."}
            self._write({"operationState": state})  # Running, and finishedAt: between two tries
            await self._pause(min(_FIRST_RETRY * 2.0 ** (retries - 1), _LONGEST_RETRY))
        state["phase"] = "Succeeded" if failure is None else "Failed"
        self._finished = time.monotonic()
        self._write({"operationState": state}, done=True)
        self._compare.set()

    def _since_last_sync(self, application: Obj) -> float:
        """Seconds of Argo CD's time; from the object's own clock after a restart."""
        if self._finished is not None:
            return (time.monotonic() - self._finished) * self._speed
        state = application.get("status", {}).get("operationState") or {}
        if "finishedAt" not in state:
            return 0.0
        ended = datetime.fromisoformat(state["finishedAt"])
        return (datetime.now(UTC) - ended).total_seconds() * self._speed

    async def _until_paused(self) -> None:
        while (application := self._read()) is not None and is_automated(application):  # noqa: ASYNC110  rare, and in tests only
            await asyncio.sleep(_POLL_SECONDS)
        await self._pause(_RACE_LAG)

    def _read(self) -> Obj | None:
        return self._registry.store.get(APPLICATIONS, *self._place)

    def _write(self, status: Obj, *, remove: bool = False, done: bool = False) -> None:
        """Patch the status through the main resource: there is no other path."""
        if self._read() is None:
            return
        patch: Obj = {"status": status}
        if remove:
            patch["metadata"] = {"annotations": {REFRESH: None}}
        if done:
            patch["operation"] = None
        self._registry.patch(APPLICATIONS, *self._place, Patch(MERGE, patch))

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._speed)


def _conditions(kind: str, message: str) -> list[Obj]:
    return [{"type": kind, "message": message, "lastTransitionTime": timestamp()}]
