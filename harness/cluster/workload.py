"""The Deployment of the sandbox: scaled to nothing, really gone, and Ready again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from harness.cluster.errors import ChangedMeanwhileError, NotYetError, before_any_change
from harness.cluster.resources import AUTOSCALERS, DEPLOYMENTS, PODS, Target
from harness.deadlines import eventually
from harness.errors import RefusedError

if TYPE_CHECKING:
    from harness.cluster.api import Api
    from harness.cluster.held import Held
    from harness.cluster.resources import Obj
    from harness.deadlines import Deadlines
    from harness.settings.cluster import ClusterSettings

_POLL = 0.1
_ENDED = {"Succeeded", "Failed"}
_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "", "DoesNotExist": "!"}


@dataclass(frozen=True, slots=True)
class WorkloadState:
    """A Deployment as it was read.

    Args:
        uid: Its identity; one that was deleted and made anew has another.
        replicas: How many pods are asked for.
        ready: How many pods of the present template are Ready.
        observed: Whether its controller has seen what is asked for.
        selector: Which pods are its, as a label selector.
    """

    uid: str
    replicas: int
    ready: int
    observed: bool
    selector: str

    @classmethod
    def of(cls, found: Obj) -> Self:
        """Read it from the object. As Go writes them, counts of 0 are left out."""
        metadata, spec, status = found["metadata"], found["spec"], found.get("status") or {}
        return cls(
            uid=metadata["uid"],
            replicas=spec.get("replicas") or 0,
            ready=min(status.get("readyReplicas") or 0, status.get("updatedReplicas") or 0),
            observed=status.get("observedGeneration", 0) >= metadata["generation"],
            selector=_selector(spec["selector"]),
        )


class Workload:
    """The Deployment of the sandbox.

    Args:
        api: The cluster's API.
        settings: Which Deployment.
        deadlines: The table of deadlines.
    """

    def __init__(self, api: Api, settings: ClusterSettings, deadlines: Deadlines) -> None:
        self._api = api
        self._deadlines = deadlines
        self._target = Target(DEPLOYMENTS, settings.namespace, settings.deployment)
        self._scale = Target(DEPLOYMENTS, settings.namespace, settings.deployment, "scale")

    def read(self) -> WorkloadState:
        """The Deployment as it is now.

        Raises:
            MissingError: There is none of this name.
            ApiError: It cannot be read.
        """
        return WorkloadState.of(self._api.get(self._target))

    def refuse_autoscaled(self) -> WorkloadState:
        """Keep the harness off a Deployment that an autoscaler would scale up again.

        Raises:
            ConfigurationError: It is not there, or cannot be read.
            RefusedError: A HorizontalPodAutoscaler targets it.
        """
        autoscalers = Target(AUTOSCALERS, self._target.namespace)
        with before_any_change():
            state = self.read()
            found = [
                each["metadata"]["name"]
                for each in self._api.find(autoscalers)
                if _is_aimed_at(each, self._target.name)
            ]
        if found:
            raise RefusedError(
                f"{self._target} is scaled by others too",
                found=f"HorizontalPodAutoscaler {', '.join(found)}",
                expected="no autoscaler, which would start pods while the content is replaced",
                remedy=f"delete the autoscaler {found[0]}; nothing has been changed",
            )
        return state

    def scale(self, replicas: int, *, expected: int | None, held: Held) -> None:
        """Ask for a number of pods.

        Args:
            replicas: How many.
            expected: How many are asked for now; None if that does not matter.
            held: The Lease, asserted before the write.

        Raises:
            ChangedMeanwhileError: Another number is asked for than expected; nothing was written.
            LostError: The Lease is gone.
        """

        def change(found: Obj) -> Obj | None:
            now = found.get("spec", {}).get("replicas") or 0
            if now == replicas:
                return None
            if expected not in {None, now}:
                raise self._changed(now, str(expected))
            return {"spec": {"replicas": replicas}}

        self._api.swap(self._scale, change, guard=held.assert_held)

    def wait_gone(self) -> None:
        """Wait until none of its pods is left, the Terminating ones included.

        Raises:
            ChangedMeanwhileError: Somebody asks for pods again.
            NotYetError: Pods do not go; they are named.
        """
        eventually(self._must_be_gone, self._deadlines.pods_gone, every=_POLL, on=NotYetError)

    def wait_ready(self, replicas: int) -> None:
        """Wait until so many pods of the present template are Ready.

        Raises:
            ChangedMeanwhileError: Somebody asks for another number.
            NotYetError: They do not become Ready; what they wait for is named.
        """
        eventually(
            lambda: self._must_be_ready(replicas),
            self._deadlines.pods_ready,
            every=_POLL,
            on=NotYetError,
        )

    def _must_be_gone(self) -> None:
        state = self.read()
        if state.replicas != 0:
            raise self._changed(state.replicas, "0")
        # Before the controller has seen the 0 it may still be making pods.
        left = [pod for pod in self._pods(state) if not _is_over(pod)]
        if left or not state.observed:
            raise NotYetError(
                f"pods of {self._target} do not go",
                found="; ".join(map(_told, left)) or "its controller has not looked at it",
                expected=f"none within {self._deadlines.pods_gone.seconds:g} s",
                remedy="look at the node they run on: a pod that cannot be ended may still write",
            )

    def _must_be_ready(self, replicas: int) -> None:
        state = self.read()
        if state.replicas != replicas:
            raise self._changed(state.replicas, str(replicas))
        if not state.observed or state.ready != replicas:
            raise NotYetError(
                f"{self._target} does not become Ready",
                found=f"{state.ready} of {replicas} ready; "
                + ("; ".join(map(_told, self._pods(state))) or "no pod"),
                expected=f"all within {self._deadlines.pods_ready.seconds:g} s",
                remedy=f"kubectl describe pod -n {self._target.namespace} -l {state.selector}",
            )

    def _pods(self, state: WorkloadState) -> list[Obj]:
        return self._api.find(Target(PODS, self._target.namespace), labels=state.selector)

    def _changed(self, now: int, expected: str) -> ChangedMeanwhileError:
        return ChangedMeanwhileError(
            f"somebody else has scaled {self._target}",
            found=f"{now} replicas are asked for",
            expected=expected,
            remedy="agree with whoever did it, then run the command again",
        )


def _selector(selector: Obj) -> str:
    terms = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    for each in selector.get("matchExpressions") or []:
        operator, values = _OPERATORS[each["operator"]], ",".join(each.get("values") or [])
        if values:
            terms.append(f"{each['key']} {operator} ({values})")
        else:
            terms.append(f"{operator}{each['key']}")
    return ",".join(terms)


def _is_aimed_at(autoscaler: Obj, deployment: str) -> bool:
    aim = autoscaler["spec"]["scaleTargetRef"]
    return (aim["kind"], aim["name"]) == ("Deployment", deployment)


def _is_over(pod: Obj) -> bool:
    """Whether nothing of it runs any more; an evicted pod stays on the list for good."""
    ending = "deletionTimestamp" in pod["metadata"]
    return not ending and (pod.get("status") or {}).get("phase") in _ENDED


def _told(pod: Obj) -> str:
    metadata, status = pod["metadata"], pod.get("status") or {}
    if "deletionTimestamp" in metadata:
        return f"{metadata['name']} Terminating since {metadata['deletionTimestamp']}"
    states = [each.get("state") or {} for each in status.get("containerStatuses") or []]
    reasons = [each["waiting"].get("reason", "") for each in states if "waiting" in each]
    return " ".join([metadata["name"], status.get("phase", "Unknown"), *filter(None, reasons)])
