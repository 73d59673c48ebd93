"""Jobs of one pod: run to their end, tried again as often as they say, removed when they are old.

No parallelism, no completions but one; a CronJob is kept and starts nothing.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from harness.local.kubernetes.controllers.sweeping import Sweeper
from harness.local.kubernetes.registry import Write, timestamp
from harness.local.kubernetes.resources import JOBS, PODS

if TYPE_CHECKING:
    from harness.local.kubernetes.registry import Registry
    from harness.local.kubernetes.resources import Obj
    from harness.local.kubernetes.store import Event

_STATUS = Write(subresource="status")
_NAME_LABEL = "batch.kubernetes.io/job-name"
_UID_LABEL = "batch.kubernetes.io/controller-uid"
_OVER = {"Succeeded", "Failed"}
_LATE_SECONDS = 0.05
"""After a time that is told in whole seconds, so that it is over when it is looked at."""


class Jobs(Sweeper):
    """The Job controller, and the one that removes Jobs that have ended.

    Args:
        registry: The objects.
        speed: How much faster than in life time runs.
    """

    def __init__(self, registry: Registry, speed: float) -> None:
        super().__init__(registry)
        self._speed = speed

    def concerns(self, event: Event) -> bool:
        """Jobs and pods."""
        return event.resource in {JOBS, PODS}

    def sweep(self) -> None:
        """Reconcile every Job."""
        for job in self._registry.store.find(JOBS):
            if "deletionTimestamp" not in job["metadata"]:
                self._reconcile(job)

    def _reconcile(self, job: Obj) -> None:
        status = job["status"]
        if ended := _ended(job):
            self._remove_in_time(job, ended)
            return
        pods = self._pods_of(job)
        left = [pod for pod in pods if pod.get("status", {}).get("phase") not in _OVER]
        if job["spec"]["suspend"]:
            for pod in left:
                self._delete(pod)
            self._report(job, {"conditions": [_condition("Suspended", "JobSuspended")]})
            return
        started = status.get("startTime") or timestamp()
        failed = sum(pod.get("status", {}).get("phase") == "Failed" for pod in pods)
        if any(pod.get("status", {}).get("phase") == "Succeeded" for pod in pods):
            done = {"succeeded": 1, "completionTime": timestamp()}
            self._report(job, {"startTime": started, **done, **_over("Complete", "Completed")})
        elif failed > job["spec"]["backoffLimit"]:
            over = _over("Failed", "BackoffLimitExceeded")
            self._report(job, {"startTime": started, "failed": failed, **over})
        elif self._is_due(started, job["spec"].get("activeDeadlineSeconds")):
            for pod in left:
                self._delete(pod)
            over = _over("Failed", "DeadlineExceeded")
            self._report(job, {"startTime": started, "failed": failed + len(left), **over})
        else:
            if not left:
                self._create_pod(job)
            counts = {"active": 1, **({"failed": failed} if failed else {})}
            self._report(job, {"startTime": started, **counts})

    def _remove_in_time(self, job: Obj, ended: str) -> None:
        if self._is_due(ended, job["spec"].get("ttlSecondsAfterFinished")):
            metadata = job["metadata"]
            self._registry.delete(JOBS, metadata["namespace"], metadata["name"])

    def _is_due(self, since: str, seconds: int | None) -> bool:
        """Whether so many seconds are over; if not, it is looked at again when they are."""
        if seconds is None:
            return False
        over = (datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds()
        left = seconds / self._speed - over
        if left > 0:
            asyncio.get_running_loop().call_later(left + _LATE_SECONDS, self._wake.set)
        return left <= 0

    def _pods_of(self, job: Obj) -> list[Obj]:
        uid = job["metadata"]["uid"]
        return [
            pod
            for pod in self._registry.store.find(PODS, job["metadata"]["namespace"])
            if any(owner["uid"] == uid for owner in pod["metadata"].get("ownerReferences", []))
        ]

    def _create_pod(self, job: Obj) -> None:
        metadata, template = job["metadata"], job["spec"]["template"]
        described = template.get("metadata") or {}
        own = {_NAME_LABEL: metadata["name"], _UID_LABEL: metadata["uid"]}
        owner = {
            "apiVersion": JOBS.api_version,
            "kind": JOBS.kind,
            "name": metadata["name"],
            "uid": metadata["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
        pod = {
            "metadata": {
                "generateName": f"{metadata['name']}-",
                "labels": {**described.get("labels", {}), **own},
                "ownerReferences": [owner],
            },
            "spec": template["spec"],
        }
        self._registry.create(PODS, metadata["namespace"], pod)

    def _delete(self, pod: Obj) -> None:
        self._registry.delete(PODS, pod["metadata"]["namespace"], pod["metadata"]["name"])

    def _report(self, job: Obj, status: Obj) -> None:
        metadata = job["metadata"]
        held = {each["type"]: each for each in job["status"].get("conditions", [])}
        conditions = [held.get(each["type"], each) for each in status.get("conditions", [])]
        told = {**status, **({"conditions": conditions} if conditions else {})}
        self._registry.replace(
            JOBS, metadata["namespace"], metadata["name"], {**job, "status": told}, _STATUS
        )


def _ended(job: Obj) -> str | None:
    """When a Job has ended."""
    for condition in job["status"].get("conditions", []):
        if condition["type"] in {"Complete", "Failed"}:
            moment: str = condition["lastTransitionTime"]
            return moment
    return None


def _over(kind: str, reason: str) -> Obj:
    return {"conditions": [_condition(kind, reason)]}


def _condition(kind: str, reason: str) -> Obj:
    now = timestamp()
    return {
        "type": kind,
        "status": "True",
        "reason": reason,
        "lastProbeTime": now,
        "lastTransitionTime": now,
    }
