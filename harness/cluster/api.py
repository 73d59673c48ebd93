"""What is done through the Kubernetes API: retried with jitter, every write a compare-and-swap."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import tenacity

from harness.cluster.errors import ConflictError, MissingError, UnavailableError, UnfitError
from harness.cluster.requests import Requests

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from typing import TypeVar

    from kubernetes.client.api_client import ApiClient

    from harness.cluster.errors import ApiError
    from harness.cluster.requests import Patch
    from harness.cluster.resources import Obj, Target
    from harness.deadlines import Deadline, Deadlines

    T = TypeVar("T")
    Change = Callable[[Obj], Patch | None]

_REVIEWS = {
    "selfsubjectaccessreviews": "SelfSubjectAccessReview",
    "selfsubjectreviews": "SelfSubjectReview",
    "selfsubjectrulesreviews": "SelfSubjectRulesReview",
}
_BACKOFF = tenacity.wait_random_exponential(multiplier=0.05, max=2)


class Api:
    """The API of one cluster, asked by one identity.

    Args:
        client: The official client, configured.
        deadlines: The table of deadlines.
    """

    def __init__(self, client: ApiClient, deadlines: Deadlines) -> None:
        self._requests = Requests(client, deadlines)
        self._deadlines = deadlines

    def get(self, target: Target) -> Obj:
        """One object.

        Raises:
            MissingError: It is not there.
            ApiError: It cannot be read.
        """
        return self.persist(lambda: self._requests.once("get", target))

    def find(self, target: Target, *, labels: str = "") -> list[Obj]:
        """Every object of a kind in a namespace, or those that a label selector takes.

        Raises:
            ApiError: They cannot be listed.
        """
        query = [("labelSelector", labels)] if labels else []
        found: list[Obj] = self.persist(lambda: self._requests.once("list", target, query))["items"]
        return found

    def create(self, target: Target, body: Obj) -> Obj:
        """Make an object; the target names its kind and its namespace.

        Raises:
            ConflictError: There is one of this name, perhaps by an earlier try of this very call.
            ApiError: It is refused.
        """
        return self.persist(lambda: self._requests.once("create", target, body=body))

    def delete(self, target: Target, options: Obj) -> None:
        """Delete one object; nothing happens where there is none.

        Raises:
            ConflictError: The options name another object, and it was left.
            ApiError: It cannot be deleted.
        """
        with suppress(MissingError):
            self.persist(lambda: self._requests.once("delete", target, body=options))

    def text(self, target: Target, query: list[tuple[str, str]]) -> str:
        """A part of an object that is text, such as a log.

        Raises:
            ApiError: It cannot be read.
        """
        told = self.persist(lambda: self._requests.text(target, query))
        return told.decode("utf-8", "replace")

    def review(self, target: Target, spec: Obj, within: Deadline | None = None) -> Obj:
        """Ask a question that is put as an object; nothing is kept of it. Returns the status.

        Raises:
            ApiError: It is not answered.
        """
        body = {
            "apiVersion": target.resource.api_version,
            "kind": _REVIEWS[target.resource.plural],
            "spec": spec,
        }
        answer = self.persist(
            lambda: self._requests.once("create", target, body=body), within=within
        )
        status: Obj = answer["status"]
        return status

    def rehearse(self, target: Target, patch: Patch) -> Obj:
        """The object as the patch would leave it; nothing is changed.

        Raises:
            ApiError: The patch would be refused.
        """
        query = [("dryRun", "All")]
        return self.persist(lambda: self._requests.once("patch", target, query, patch))

    def swap(
        self,
        target: Target,
        change: Change,
        *,
        guard: Callable[[], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> Obj:
        """Read an object, and write it unless somebody else has written it meanwhile.

        Whatever goes wrong with the write, the object is read again before the next try: an answer
        that was lost may have been a success.

        Args:
            target: The object.
            change: Makes the patch from the object as it is; None if there is nothing to do.
            guard: Called right before each write; raises if the right to write is gone.
            cancel: Ends the tries early.

        Returns:
            The object as it was written, or as it was found where there was nothing to do.

        Raises:
            ConflictError: Others kept writing it.
            ApiError: It cannot be read or written.
        """

        def attempt() -> Obj:
            found = self._requests.once("get", target)
            patch = change(found)
            if patch is None:
                return found
            if guard is not None:
                guard()
            try:
                return self._requests.once("patch", target, body=_pinned(patch, found))
            except UnfitError as error:
                # Whether a patch fits is asked before whether the object is still the one read.
                now = _revision(self._requests.once("get", target))
                if now == _revision(found):
                    raise
                raise self._requests.asked("patch", target).conflict(str(error.found)) from error

        return self.persist(attempt, ConflictError, cancel=cancel)

    def persist(
        self,
        attempt: Callable[[], T],
        *also: type[ApiError],
        within: Deadline | None = None,
        cancel: threading.Event | None = None,
    ) -> T:
        """Try again, with growing and random pauses, while the server cannot answer.

        Args:
            attempt: The whole of what is tried.
            also: Further errors that a new try may cure.
            within: When to give up; the last error is then raised.
            cancel: Ends the tries early.
        """
        deadline = within or self._deadlines.api_outage
        stop: Any = tenacity.stop_before_delay(deadline.seconds)
        waiting: dict[str, Any] = {}
        if cancel is not None:
            stop |= tenacity.stop_when_event_set(cancel)
            waiting["sleep"] = tenacity.sleep_using_event(cancel)
        retrying = tenacity.Retrying(
            stop=stop,
            wait=_pause,
            retry=tenacity.retry_if_exception_type((UnavailableError, *also)),
            reraise=True,
            **waiting,
        )
        return retrying(attempt)


def _pinned(patch: Patch, found: Obj) -> Patch:
    """The patch, to be applied to the object as it was found and to no later one."""
    revision = _revision(found)
    if isinstance(patch, list):
        return [{"op": "replace", "path": "/metadata/resourceVersion", "value": revision}, *patch]
    return {**patch, "metadata": {**patch.get("metadata", {}), "resourceVersion": revision}}


def _revision(found: Obj) -> str:
    return str(found["metadata"]["resourceVersion"])


def _pause(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    asked = error.retry_after if isinstance(error, UnavailableError) else 0
    return asked + _BACKOFF(state)
