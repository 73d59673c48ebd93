"""The Job that is started from outside: made, given its logins, let go, and removed.

There is one at a time and its name is fixed, so that rights can be narrowed down to it. It is made
from a CronJob of the manifests, so what runs is what the cluster's administrator has put there.
"""

from __future__ import annotations

import copy
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from harness.cluster.errors import (
    ChangedMeanwhileError,
    ConflictError,
    MissingError,
    NotYetError,
    before_any_change,
)
from harness.cluster.resources import CRON_JOBS, JOBS, SECRETS, Target
from harness.deadlines import eventually
from harness.errors import RefusedError
from harness.manifests import Names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.cluster.api import Api
    from harness.cluster.resources import Obj
    from harness.deadlines import Deadlines
    from harness.settings.cluster import ClusterSettings

_RUN_LABEL = "sandbox-lifecycle.dev/run"
_VERB_LABEL = "app.kubernetes.io/component"
_POLL = 0.2


@dataclass(frozen=True, slots=True)
class JobState:
    """A Job as it was read.

    Args:
        uid: Its identity.
        run: Which run has made it.
        verb: What it does.
        since: When it was made.
        suspended: Whether it has not been let go yet.
        going: Whether it is being deleted.
        verdict: How it has ended: Complete, or Failed with the reason; None as long as it has not.
    """

    uid: str
    run: str
    verb: str
    since: str
    suspended: bool
    going: bool
    verdict: str | None

    @classmethod
    def of(cls, found: Obj) -> Self:
        """Read it from the object."""
        metadata, spec = found["metadata"], found["spec"]
        labels = metadata.get("labels") or {}
        ended = [
            each
            for each in (found.get("status") or {}).get("conditions") or []
            if each["type"] in {"Complete", "Failed"} and each["status"] == "True"
        ]
        return cls(
            uid=metadata["uid"],
            run=labels.get(_RUN_LABEL, "unknown"),
            verb=labels.get(_VERB_LABEL, "unknown"),
            since=metadata["creationTimestamp"],
            suspended=bool(spec.get("suspend")),
            going="deletionTimestamp" in metadata,
            verdict=" ".join(filter(None, (ended[0]["type"], ended[0].get("reason"))))
            if ended
            else None,
        )


class Jobs:
    """The one Job of the sandbox's namespace that is started from outside.

    Args:
        api: The cluster's API.
        settings: Which namespace, and what the names begin with.
        deadlines: The table of deadlines.
    """

    def __init__(self, api: Api, settings: ClusterSettings, deadlines: Deadlines) -> None:
        self._api = api
        self._deadlines = deadlines
        self._names = Names.of(settings)
        self._target = Target(JOBS, settings.namespace, self._names.job)

    @property
    def target(self) -> Target:
        """Which Job it is."""
        return self._target

    def template(self, verb: str) -> Obj:
        """What a Job of a verb is made from: the template in its CronJob.

        Raises:
            ConfigurationError: There is none.
        """
        source = Target(CRON_JOBS, self._target.namespace, self._names.template(verb))
        with before_any_change():
            template: Obj = self._api.get(source)["spec"]["jobTemplate"]
        return template

    def read(self) -> JobState:
        """The Job as it is now.

        Raises:
            MissingError: There is none.
            ApiError: It cannot be read.
        """
        return JobState.of(self._api.get(self._target))

    def refuse_another(self) -> None:
        """Keep off a Job that is at work; one that a dead client has left is removed.

        Raises:
            RefusedError: Another Job is at work.
            ConfigurationError: It cannot be asked for.
        """
        with before_any_change():
            try:
                eventually(
                    self._must_be_clear, self._deadlines.job_claim, every=_POLL, on=NotYetError
                )
            except NotYetError as error:
                state = self.read()
                if state.going or not state.suspended:
                    raise self._another(state) from error
                self.remove(state)  # whoever has made it would have let it go long since

    def create(
        self,
        template: Obj,
        *,
        run: str,
        verb: str,
        arguments: list[str],
        secret: str | None = None,
    ) -> JobState:
        """Make a Job that waits, so that what it is to own can be made before it begins.

        Args:
            template: What `template` returned.
            run: Id of the run that makes it.
            verb: What it is to do.
            arguments: Further arguments of its command.
            secret: The Secret that its logins will be in; None: the one that the template names.

        Raises:
            RefusedError: Somebody else was first.
        """
        spec = copy.deepcopy(template["spec"])
        spec["suspend"] = True
        (container,) = spec["template"]["spec"]["containers"]
        container["args"] = [*container["args"], *arguments]
        if secret is not None:
            container["envFrom"] = [{"secretRef": {"name": secret}}]
        labels = {_RUN_LABEL: run, _VERB_LABEL: verb}
        body = {
            "apiVersion": JOBS.api_version,
            "kind": "Job",
            "metadata": {"name": self._target.name, "labels": labels},
            "spec": spec,
        }
        try:
            made = self._api.create(Target(JOBS, self._target.namespace), body)
        except ConflictError as error:
            state = self.read()
            if state.run != run:
                raise self._another(state) from error
            return state  # an answer was lost, not the write
        return JobState.of(made)

    def hand_over(self, job: JobState, secret: str, values: Mapping[str, str]) -> None:
        """Give a Job values that go with it: whatever becomes of it, and of whoever has made it.

        Args:
            job: The Job, which waits.
            secret: Name of the Secret, which no other has.
            values: What is in it.
        """
        owner = {
            "apiVersion": JOBS.api_version,
            "kind": "Job",
            "name": self._target.name,
            "uid": job.uid,
        }
        body = {
            "apiVersion": SECRETS.api_version,
            "kind": "Secret",
            "metadata": {"name": secret, "ownerReferences": [owner]},
            "stringData": dict(values),
        }
        # Nobody else makes one of this name: where it is there already, an answer was lost.
        with suppress(ConflictError):
            self._api.create(Target(SECRETS, self._target.namespace), body)

    def let_go(self, job: JobState) -> None:
        """Let a Job begin.

        Raises:
            ChangedMeanwhileError: Somebody has put another in its place.
        """

        def change(found: Obj) -> Obj | None:
            state = JobState.of(found)
            if state.uid != job.uid:
                raise ChangedMeanwhileError(
                    f"somebody has replaced {self._target}",
                    found=f"one of run {state.run}, made at {state.since}",
                    expected=f"the one of run {job.run}",
                    remedy="agree with whoever did it, then run the command again",
                )
            return {"spec": {"suspend": False}} if state.suspended else None

        self._api.swap(self._target, change)

    def remove(self, job: JobState) -> None:
        """Delete a Job, and wait until its pod has put everything back and is gone.

        Raises:
            NotYetError: It does not go.
            ApiError: It cannot be deleted.
        """
        how = {"propagationPolicy": "Foreground", "preconditions": {"uid": job.uid}}
        with suppress(ConflictError):  # another has taken its place, and is left
            self._api.delete(self._target, how)
        eventually(
            lambda: self._must_be_gone(job), self._deadlines.job_end, every=_POLL, on=NotYetError
        )

    def _must_be_gone(self, job: JobState) -> None:
        with suppress(MissingError):
            if self.read().uid == job.uid:
                raise NotYetError(
                    f"{self._target} does not go",
                    found="it is told to end, and its pod still is there",
                    expected=f"its end within {self._deadlines.job_end.seconds:g} s",
                    remedy=f"kubectl logs -f -n {self._target.namespace} job/{self._target.name}",
                )

    def _must_be_clear(self) -> None:
        try:
            state = self.read()
        except MissingError:
            return
        if state.going or (state.suspended and state.verdict is None):
            raise NotYetError(f"{self._target} is about to begin, or to end")
        if state.verdict is None:
            raise self._another(state)
        self.remove(state)

    def _another(self, state: JobState) -> RefusedError:
        return RefusedError(
            "another Job is working on the sandbox",
            found=f"{self._target}: {state.verb} of run {state.run}, made at {state.since}",
            expected="one Job at a time",
            remedy=f"kubectl logs -f -n {self._target.namespace} job/{self._target.name}, and when"
            " it has ended, the command again; nothing has been changed",
        )
