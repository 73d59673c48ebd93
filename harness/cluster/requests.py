"""One request to the Kubernetes API: bounded, and every refusal an error of this project.

Way in, credentials and connections are the official client's. Objects pass as JSON and not as its
models: there is none for an Application, a Scale of 0 replicas comes back as None, and times are
written in a form that the server refuses when they fall on a whole second.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import HTTPError

from harness.cluster.answers import Asked
from harness.cluster.errors import ForbiddenError, UnavailableError

if TYPE_CHECKING:
    from kubernetes.client.api_client import ApiClient

    from harness.cluster.resources import Obj, Target
    from harness.deadlines import Deadlines

    Patch = Obj | list[Obj]

_MERGE = "application/merge-patch+json"
_JSON_PATCH = "application/json-patch+json"
_METHODS = {
    "get": "GET",
    "list": "GET",
    "create": "POST",
    "patch": "PATCH",
    "delete": "DELETE",
}
_SUCCESS = range(200, 300)


class Requests:
    """Requests to one cluster, by one identity; none is made twice for being unanswered.

    Args:
        client: The official client, configured.
        deadlines: The table of deadlines.
    """

    def __init__(self, client: ApiClient, deadlines: Deadlines) -> None:
        self._client = client
        self._deadlines = deadlines

    def once(
        self,
        verb: str,
        target: Target,
        query: list[tuple[str, str]] | None = None,
        body: Patch | None = None,
    ) -> Obj:
        """One object, or what a server answers instead.

        Args:
            verb: What is asked for, as RBAC calls it.
            target: Of what.
            query: Parameters of the address.
            body: What is sent with it; a list is a JSON patch, an object in a patch a merge patch.

        Raises:
            UnavailableError: The server cannot answer now.
            ApiError: It refuses.
        """
        asked, text = self._believed(verb, target, query, body)
        try:
            answer: Obj = json.loads(text)
        except ValueError as error:
            raise asked.no_json(text) from error
        return answer

    def text(self, target: Target, query: list[tuple[str, str]]) -> bytes:
        """What is no object, such as a log.

        Raises:
            UnavailableError: The server cannot answer now.
            ApiError: It refuses.
        """
        return self._believed("get", target, query, None)[1]

    def asked(self, verb: str, target: Target) -> Asked:
        """A request, for the errors that it may end in."""
        return Asked(verb, target, self._client.configuration.host, self._deadlines)

    def _believed(
        self, verb: str, target: Target, query: list[tuple[str, str]] | None, body: Patch | None
    ) -> tuple[Asked, bytes]:
        try:
            return self._ask(verb, target, query, body)
        except ForbiddenError as error:
            # A server that has just started may not, before it has read who may do what.
            self._must_be_ready(error)
            return self._ask(verb, target, query, body)

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
        self, verb: str, target: Target, query: list[tuple[str, str]] | None, body: Patch | None
    ) -> tuple[Asked, bytes]:
        headers = {"Accept": "application/json, */*", "Content-Type": "application/json"}
        if verb == "patch":
            headers["Content-Type"] = _MERGE if isinstance(body, dict) else _JSON_PATCH
        asked = self.asked(verb, target)
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
