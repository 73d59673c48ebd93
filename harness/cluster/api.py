"""Requests to the Kubernetes API: bounded, retried with jitter, and every write a compare-and-swap.

Way in, credentials and connections are the official client's. Objects pass as JSON and not as its
models: there is none for an Application, a Scale of 0 replicas comes back as None, and times are
written in a form that the server refuses when they fall on a whole second.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import tenacity
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import HTTPError

from harness.cluster.answers import Asked
from harness.cluster.errors import (
    ConflictError,
    ForbiddenError,
    MissingError,
    UnavailableError,
    UnfitError,
)

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from typing import TypeVar

    from kubernetes.client.api_client import ApiClient

    from harness.cluster.errors import ApiError
    from harness.cluster.resources import Obj, Target
    from harness.deadlines import Deadline, Deadlines

    T = TypeVar("T")
    Patch = Obj | list[Obj]
    Change = Callable[[Obj], Patch | None]

_MERGE = "application/merge-patch+json"
_JSON_PATCH = "application/json-patch+json"
_METHODS = {
    "get": "GET",
    "list": "GET",
    "create": "POST",
    "patch": "PATCH",
    "delete": "DELETE",
}
_REVIEWS = {
    "selfsubjectaccessreviews": "SelfSubjectAccessReview",
    "selfsubjectreviews": "SelfSubjectReview",
    "selfsubjectrulesreviews": "SelfSubjectRulesReview",
}
_BACKOFF = tenacity.wait_random_exponential(multiplier=0.05, max=2)
_SUCCESS = range(200, 300)


class Api:
    """The API of one cluster, asked by one identity.

    Args:
        client: The official client, configured.
        deadlines: The table of deadlines.
    """

    def __init__(self, client: ApiClient, deadlines: Deadlines) -> None:
        self._client = client
        self._deadlines = deadlines

    def get(self, target: Target) -> Obj:
        """One object.

        Raises:
            MissingError: It is not there.
            ApiError: It cannot be read.
        """
        return self.persist(lambda: self._once("get", target))

    def find(self, target: Target, *, labels: str = "") -> list[Obj]:
        """Every object of a kind in a namespace, or those that a label selector takes.

        Raises:
            ApiError: They cannot be listed.
        """
        query = [("labelSelector", labels)] if labels else []
        found: list[Obj] = self.persist(lambda: self._once("list", target, query))["items"]
        return found

    def create(self, target: Target, body: Obj) -> Obj:
        """Make an object; the target names its kind and its namespace.

        Raises:
            ConflictError: There is one of this name, perhaps by an earlier try of this very call.
            ApiError: It is refused.
        """
        return self.persist(lambda: self._once("create", target, body=body))

    def delete(self, target: Target, options: Obj) -> None:
        """Delete one object; nothing happens where there is none.

        Raises:
            ConflictError: The options name another object, and it was left.
            ApiError: It cannot be deleted.
        """
        with suppress(MissingError):
            self.persist(lambda: self._once("delete", target, body=options))

    def text(self, target: Target, query: list[tuple[str, str]]) -> str:
        """A part of an object that is text, such as a log.

        Raises:
            ApiError: It cannot be read.
        """
        told = self.persist(lambda: self._ask("get", target, query)[1])
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
        answer = self.persist(lambda: self._once("create", target, body=body), within=within)
        status: Obj = answer["status"]
        return status

    def rehearse(self, target: Target, patch: Patch) -> Obj:
        """The object as the patch would leave it; nothing is changed.

        Raises:
            ApiError: The patch would be refused.
        """
        query = [("dryRun", "All")]
        return self.persist(lambda: self._once("patch", target, query, patch))

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
            found = self._once("get", target)
            patch = change(found)
            if patch is None:
                return found
            if guard is not None:
                guard()
            try:
                return self._once("patch", target, body=_pinned(patch, found))
            except UnfitError as error:
                # Whether a patch fits is asked before whether the object is still the one read.
                now = _revision(self._once("get", target))
                if now == _revision(found):
                    raise
                raise self._asked("patch", target).conflict(str(error.found)) from error

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

    def _once(
        self,
        verb: str,
        target: Target,
        query: list[tuple[str, str]] | None = None,
        body: Patch | None = None,
    ) -> Obj:
        try:
            asked, text = self._ask(verb, target, query, body)
        except ForbiddenError as error:
            # A server that has just started may not, before it has read who may do what.
            self._must_be_ready(error)
            asked, text = self._ask(verb, target, query, body)
        try:
            answer: Obj = json.loads(text)
        except ValueError as error:
            raise asked.no_json(text) from error
        return answer

    def _must_be_ready(self, refusal: ForbiddenError) -> None:
        limits = (self._deadlines.connect.seconds, self._deadlines.api_answer.seconds)
        found = "no answer"
        with suppress(ApiException, HTTPError):
            request = self._client.param_serialize("GET", "/readyz", auth_settings=["BearerToken"])
            response = self._client.call_api(*request, _request_timeout=limits)
            response.read()
            if response.status in _SUCCESS:
                return
            found = f"HTTP {response.status}"
        raise UnavailableError(
            refusal.what,
            found=f"{refusal.found}; asked whether it is ready: {found}",
            expected=refusal.expected,
            remedy=refusal.remedy,
        ) from refusal

    def _ask(
        self,
        verb: str,
        target: Target,
        query: list[tuple[str, str]] | None = None,
        body: Patch | None = None,
    ) -> tuple[Asked, bytes]:
        headers = {"Accept": "application/json, */*", "Content-Type": "application/json"}
        if verb == "patch":
            headers["Content-Type"] = _MERGE if isinstance(body, dict) else _JSON_PATCH
        asked = self._asked(verb, target)
        limits = (self._deadlines.connect.seconds, self._deadlines.api_answer.seconds)
        try:
            request = self._client.param_serialize(
                _METHODS[verb],
                target.path,
                query_params=query or [],
                header_params=headers,
                body=body,
                auth_settings=["BearerToken"],
            )
            response = self._client.call_api(*request, _request_timeout=limits)
            text: bytes = response.read()
        except ConfigException as error:
            raise asked.unauthorized(str(error)) from error
        except ApiException as error:
            raise asked.no_connection(str(error.reason)) from error
        except HTTPError as error:
            raise asked.no_connection(f"{type(error).__name__}: {error}") from error
        if response.status not in _SUCCESS:
            raise asked.refusal(response.status, text, response.headers.get("Retry-After"))
        return asked, text

    def _asked(self, verb: str, target: Target) -> Asked:
        return Asked(verb, target, self._client.configuration.host, self._deadlines)


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
