"""An API server as the tests see it, and the objects that they put there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kubernetes import config
from kubernetes.client import ApiClient, CoreV1Api, CustomObjectsApi
from kubernetes.client.configuration import Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.watch import Watch

from harness.deadlines import Deadline, eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

SOON = Deadline(60, "a busy machine of two cores; an idle one needs a second at most")
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLICATIONS = ("argoproj.io", "v1alpha1")

_CLIENTS: list[ApiClient] = []


def close_connections() -> None:
    """Close what the clients keep open between calls; they can be used again."""
    for client in _CLIENTS:
        client.close()


@dataclass(frozen=True)
class Cluster:
    """Where it is, and what it has beyond the API itself."""

    kubeconfig: Path
    has_controllers: bool
    enforces_admission: bool
    fills_namespaces: bool = False
    """Whether each namespace gets a config map with the authority's certificate by itself."""
    forget_history: Callable[[], object] | None = None

    @cached_property
    def _configuration(self) -> Configuration:
        configuration = Configuration()
        config.load_kube_config(str(self.kubeconfig), client_configuration=configuration)
        return configuration

    @cached_property
    def admin(self) -> ApiClient:
        return _client(self._configuration)

    def with_token(self, token: str) -> ApiClient:
        given = self._configuration
        configuration = Configuration(host=given.host)
        configuration.ssl_ca_cert = given.ssl_ca_cert
        configuration.api_key = {"authorization": f"Bearer {token}"}
        return _client(configuration)

    def as_account(self, namespace: str, name: str) -> ApiClient:
        asked = {"spec": {"expirationSeconds": 3600}}
        made = CoreV1Api(self.admin).create_namespaced_service_account_token(name, namespace, asked)
        return self.with_token(made.status.token)

    def await_applications(self) -> None:
        api = CustomObjectsApi(self.admin)
        eventually(
            lambda: api.list_namespaced_custom_object(*APPLICATIONS, "default", "applications"),
            SOON,
        )


def _client(configuration: Configuration) -> ApiClient:
    _CLIENTS.append(ApiClient(configuration))
    return _CLIENTS[-1]


def refusal(status: int, call: Callable[..., Any], *args: Any, **kwargs: Any) -> dict[str, Any]:
    """The Status object that a call is refused with."""
    try:
        answer = call(*args, **kwargs)
    except ApiException as error:
        refused = error
    else:
        # Not pytest.raises: its failure is no Exception, so `eventually` would not wait for it.
        raise AssertionError(f"not refused: {answer}")
    assert refused.status == status, refused.body
    body: dict[str, Any] = json.loads(str(refused.body))
    assert (body["kind"], body["status"], body["code"]) == ("Status", "Failure", status)
    return body


def deployment(name: str = "web", replicas: int = 0, **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, **metadata},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {
                    "containers": [{"name": "main", "image": "none", "command": ["sleep", "60"]}]
                },
            },
        },
    }


def lease(name: str = "lock", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name},
        "spec": spec,
    }


def application(name: str = "erp", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name},
        "spec": {
            "project": "default",
            "source": {"repoURL": "https://git.invalid/erp", "path": "erp"},
            "destination": {"namespace": "default", "server": "https://kubernetes.default.svc"},
            **spec,
        },
    }


def config_map(name: str, **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, **metadata},
        "data": {"key": "value"},
    }


class Applications:
    """The Applications of one namespace, for whoever asks."""

    def __init__(self, client: ApiClient, namespace: str) -> None:
        self._api = CustomObjectsApi(client)
        self._place = (*APPLICATIONS, namespace, "applications")

    def create(self, body: dict[str, Any], **options: Any) -> dict[str, Any]:
        return self._api.create_namespaced_custom_object(*self._place, body, **options)  # type: ignore[return-value]

    def get(self, name: str = "erp") -> dict[str, Any]:
        return self._api.get_namespaced_custom_object(*self._place, name)  # type: ignore[return-value]

    def list(self) -> dict[str, Any]:
        return self._api.list_namespaced_custom_object(*self._place)  # type: ignore[return-value]

    def watch(self, **how: Any) -> Generator[dict[str, Any], None, None]:
        list_them = self._api.list_namespaced_custom_object
        return Watch().stream(list_them, *self._place, **how)  # type: ignore[no-any-return]

    def patch(self, body: Any, name: str = "erp", kind: str = MERGE, **options: Any) -> Any:
        return self._api.patch_namespaced_custom_object(
            *self._place, name, body, _content_type=kind, **options
        )

    def replace(self, body: dict[str, Any], name: str = "erp", **options: Any) -> Any:
        return self._api.replace_namespaced_custom_object(*self._place, name, body, **options)


def core(cluster: Cluster) -> CoreV1Api:
    return CoreV1Api(cluster.admin)
