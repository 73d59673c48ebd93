"""The Job that was let go, seen from outside: what it prints, and how it ends.

Its log is asked for again and again and not held open: an API that restarts is then asked later.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from harness.cluster.errors import MissingError, NotYetError, UnavailableError
from harness.cluster.resources import PODS, Target
from harness.deadlines import Deadline, eventually
from harness.errors import FailedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.cluster.api import Api
    from harness.cluster.jobs import Jobs, JobState
    from harness.cluster.resources import Obj
    from harness.deadlines import Deadlines

_UID_LABEL = "batch.kubernetes.io/controller-uid"


@dataclass(frozen=True, slots=True)
class PodState:
    """The pod of a Job as it was read.

    Args:
        name: Its name.
        begun: Whether its command runs or has run.
        code: The exit code, once it has ended.
        told: What it waits for, or what ended it.
    """

    name: str
    begun: bool
    code: int | None
    told: str

    @classmethod
    def of(cls, pod: Obj) -> Self:
        """Read it from the object."""
        status = pod.get("status") or {}
        containers = status.get("containerStatuses") or [{}]
        state = containers[0].get("state") or {}
        ended, waiting = state.get("terminated") or {}, state.get("waiting") or {}
        unscheduled = [
            each
            for each in status.get("conditions") or []
            if each["type"] == "PodScheduled" and each["status"] == "False"
        ]
        reasons = [status, *unscheduled, waiting, ended]
        told = (each.get(key) for each in reasons for key in ("reason", "message"))
        return cls(
            name=pod["metadata"]["name"],
            begun=bool(ended) or "running" in state,
            code=ended.get("exitCode"),
            told=": ".join(dict.fromkeys(filter(None, told))) or "nothing is told of it",
        )


@dataclass(frozen=True, slots=True)
class Ended:
    """How a Job has ended.

    Args:
        verdict: What its status says.
        code: The exit code of its command; None where its pod is gone.
        told: What the pod's status says besides.
    """

    verdict: str
    code: int | None
    told: str


class Following:
    """One Job, from when it was let go to its end.

    Args:
        api: The cluster's API.
        jobs: Where the Job is.
        job: The Job.
        tell: Is told each line that it prints.
        deadlines: The table of deadlines.
    """

    def __init__(
        self,
        api: Api,
        jobs: Jobs,
        job: JobState,
        tell: Callable[[str], None],
        deadlines: Deadlines,
    ) -> None:
        self._api = api
        self._jobs = jobs
        self._job = job
        self._tell = tell
        self._deadlines = deadlines
        self._lines = 0
        self._begun = False
        self._since = time.monotonic()

    def to_its_end(self, seconds: int) -> Ended:
        """Follow it until it has ended.

        Args:
            seconds: How long it may take, by its own deadline.

        Raises:
            FailedError: It does not begin, or was deleted.
            NotYetError: It does not end, though its own deadline is over.
            ApiError: It cannot be asked for.
        """
        grace = self._deadlines.job_end.seconds + self._deadlines.job_start.seconds
        longest = Deadline(seconds + grace, "its own deadline, its beginning and its end")
        every = self._deadlines.job_poll.seconds
        return eventually(self._must_have_ended, longest, every=every, on=NotYetError)

    def _must_have_ended(self) -> Ended:
        # In this order: what is printed before a verdict is there is told, too.
        verdict, pod = self._verdict(), self._pod()
        if pod is not None and pod.begun:
            self._begun = True
            try:
                self._tell_more(pod)
            except UnavailableError:
                # Its node may not answer now; what it has printed at its end is needed.
                if verdict is not None:
                    raise
        told = pod.told if pod else "there is no pod"
        if verdict is not None:
            return Ended(verdict, pod.code if pod else None, told)
        if not self._begun and time.monotonic() - self._since > self._deadlines.job_start.seconds:
            raise FailedError(
                f"{self._jobs.target} does not begin",
                found=f"{pod.name if pod else 'no pod'}: {told}",
                expected=f"its command to run within {self._deadlines.job_start.seconds:g} s",
                remedy="look at in_cluster.image and the volume in the settings of the manifests",
            )
        raise NotYetError(f"{self._jobs.target} has not ended", found=told)

    def _verdict(self) -> str | None:
        try:
            state = self._jobs.read()
        except MissingError:
            state = None
        if state is None or state.uid != self._job.uid or state.going:
            raise FailedError(
                f"somebody has deleted {self._jobs.target}",
                found="another Job" if state and state.uid != self._job.uid else "it is gone",
                expected=f"the Job of run {self._job.run}, to its end",
                remedy="sandbox-lifecycle recover --job, where no watchdog does so by itself",
            )
        return state.verdict

    def _pod(self) -> PodState | None:
        labels = f"{_UID_LABEL}={self._job.uid}"
        found = self._api.find(Target(PODS, self._jobs.target.namespace), labels=labels)
        return PodState.of(found[0]) if found else None

    def _tell_more(self, pod: PodState) -> None:
        log = Target(PODS, self._jobs.target.namespace, pod.name, "log")
        try:
            lines = self._api.text(log, []).splitlines(keepends=True)
        except MissingError:
            return  # it was removed meanwhile
        # The last one may not be whole yet, unless nothing can come any more.
        whole = [each for each in lines if each.endswith("\n") or pod.code is not None]
        for line in whole[self._lines :]:
            self._tell(line.rstrip("\n"))
        self._lines = len(whole)
