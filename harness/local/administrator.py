"""The local cluster's administrator: sets it up, and does what a human does at a bad moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration

from harness.local.kubernetes.resources import (
    APPLICATIONS,
    BY_KIND,
    DEPLOYMENTS,
    LEASES,
    PODS,
    SERVICE_ACCOUNTS,
)

if TYPE_CHECKING:
    from typing import Self

    from harness.deadlines import Deadlines
    from harness.local.kubernetes.launch import StandIn
    from harness.local.kubernetes.resources import Obj, Resource

_JSON = "application/json"
_MERGE_PATCH = "application/merge-patch+json"
_JSON_PATCH = "application/json-patch+json"


class Administrator:
    """Somebody who may do anything, by the official client; objects pass as JSON.

    Args:
        client: The client, configured; closed by `close`.
        deadlines: The table of deadlines.
    """

    def __init__(self, client: ApiClient, deadlines: Deadlines) -> None:
        self._client = client
        self._deadlines = deadlines

    @classmethod
    def of(cls, standin: StandIn, deadlines: Deadlines) -> Self:
        """The administrator of a stand-in, also after it was killed and revived."""
        configuration = Configuration(
            host=standin.url,
            api_key={"authorization": f"Bearer {standin.token}"},
            ssl_ca_cert=str(standin.authority),
        )
        configuration.no_proxy = "127.0.0.1"  # whatever the shell sets
        return cls(ApiClient(configuration), deadlines)

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def create(self, obj: Obj) -> Obj:
        """Create an object of any kind."""
        resource = BY_KIND[obj["apiVersion"], obj["kind"]]
        return self.ask("POST", path(resource, obj["metadata"].get("namespace", "")), obj)

    def deployment(self, namespace: str, name: str) -> Obj:
        """A Deployment."""
        return self.ask("GET", path(DEPLOYMENTS, namespace, name))

    def scale(self, namespace: str, name: str, replicas: int) -> None:
        """Scale a Deployment, as by `kubectl scale`."""
        wanted = {"spec": {"replicas": replicas}}
        self.ask("PATCH", path(DEPLOYMENTS, namespace, name, "scale"), wanted)

    def pods(self, namespace: str) -> list[Obj]:
        """Every pod of a namespace, those that are ending included."""
        found: list[Obj] = self.ask("GET", path(PODS, namespace))["items"]
        return found

    def application(self, namespace: str, name: str) -> Obj:
        """An Application of Argo CD."""
        return self.ask("GET", path(APPLICATIONS, namespace, name))

    def set_sync_policy(self, namespace: str, name: str, policy: Obj | None) -> None:
        """Pause or re-arm an Application: its `syncPolicy` is then this, and None is none."""
        where = {"path": "/spec/syncPolicy"}
        # `add` replaces what is there, and `remove` needs something that is.
        change = [{"op": "add", **where, "value": policy or {}}]
        if policy is None:
            change.append({"op": "remove", **where})
        self.ask("PATCH", path(APPLICATIONS, namespace, name), change)

    def lease(self, namespace: str, name: str) -> Obj:
        """A Lease."""
        return self.ask("GET", path(LEASES, namespace, name))

    def delete_lease(self, namespace: str, name: str) -> None:
        """Delete a Lease, as somebody does who thinks that it is stale."""
        self.ask("DELETE", path(LEASES, namespace, name))

    def token(self, namespace: str, account: str, seconds: int) -> str:
        """A token of a service account, good for so many seconds."""
        wanted = {"spec": {"expirationSeconds": seconds}}
        made = self.ask("POST", path(SERVICE_ACCOUNTS, namespace, account, "token"), wanted)
        token: str = made["status"]["token"]
        return token

    def ask(self, method: str, where: str, body: Any = None) -> Obj:
        """One request; a list as the body of a PATCH is a JSON patch, an object a merge patch.

        Raises:
            ApiException: The server refuses it.
        """
        kind = _JSON
        if method == "PATCH":
            kind = _JSON_PATCH if isinstance(body, list) else _MERGE_PATCH
        headers = {"Accept": _JSON, "Content-Type": kind}
        request = self._client.param_serialize(
            method, where, header_params=headers, body=body, auth_settings=["BearerToken"]
        )
        response = self._client.call_api(*request, _request_timeout=self._deadlines.connect.seconds)
        response.read()
        answer: Any = self._client.response_deserialize(response, {"2XX": "object"}).data
        return dict(answer)


def path(resource: Resource, namespace: str = "", name: str = "", subresource: str = "") -> str:
    """The path of an object, of a part of it, or of all objects of a kind in a namespace."""
    group = f"apis/{resource.group}" if resource.group else "api"
    where = f"namespaces/{namespace}" if resource.namespaced and namespace else ""
    parts = (group, resource.version, where, resource.plural, name, subresource)
    return "/" + "/".join(part for part in parts if part)
