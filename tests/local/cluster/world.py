"""A small platform on the API stand-in: the objects of one sandbox, seen by its administrator."""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import yaml
from kubernetes.client import ApiClient
from kubernetes.client.configuration import Configuration
from kubernetes.client.exceptions import NotFoundException
from kubernetes.config.kube_config import load_kube_config

from harness.cluster.client import Cluster, connect
from harness.cluster.errors import LostError
from harness.cluster.holder import Holder
from harness.cluster.resources import (
    APPLICATIONS,
    DEPLOYMENTS,
    LEASES,
    PODS,
    Resource,
    Target,
)
from harness.deadlines import Deadline, Deadlines, eventually
from harness.manifests import Names, access
from harness.settings.cluster import ClusterSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.cluster.held import Held
    from harness.local.kubernetes.launch import StandIn

Obj = dict[str, Any]

SOON = Deadline(10, "a busy machine; an idle one needs a tenth of a second")
QUICK = replace(
    Deadlines(),
    connect=Deadline(2, "a test"),
    api_answer=Deadline(0.5, "a test"),
    api_outage=Deadline(3, "a test"),
    argocd_pass=Deadline(5, "a test"),
    pods_gone=Deadline(5, "a test"),
    pods_ready=Deadline(5, "a test"),
    lease_takeover=Deadline(5, "a test"),
)
IMPATIENT = replace(
    QUICK,
    api_outage=Deadline(1, "a test"),
    argocd_pass=Deadline(0.5, "a test"),
    pods_gone=Deadline(0.5, "a test"),
    pods_ready=Deadline(1, "a test"),
    lease_takeover=Deadline(0.3, "a test"),
)
HEALING = {"automated": {"prune": True, "selfHeal": True}}
NAMESPACES = Resource("", "v1", "namespaces")
KINDS = {
    ("", "ServiceAccount"): "serviceaccounts",
    ("rbac.authorization.k8s.io", "Role"): "roles",
    ("rbac.authorization.k8s.io", "RoleBinding"): "rolebindings",
    ("coordination.k8s.io", "Lease"): "leases",
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"): "validatingadmissionpolicies",
    (
        "admissionregistration.k8s.io",
        "ValidatingAdmissionPolicyBinding",
    ): "validatingadmissionpolicybindings",
}


class Admin:
    """The administrator of a stand-in, for whom nothing is checked or tried again."""

    def __init__(self, kubeconfig: Path) -> None:
        configuration = Configuration()
        load_kube_config(str(kubeconfig), client_configuration=configuration)
        self.client = ApiClient(configuration)

    def ask(self, method: str, path: str, body: Any = None, kind: str = "merge-patch+") -> Obj:
        content = f"application/{kind if method == 'PATCH' else ''}json"
        headers = {"Accept": "application/json", "Content-Type": content}
        request = self.client.param_serialize(
            method, path, header_params=headers, body=body, auth_settings=["BearerToken"]
        )
        response = self.client.call_api(*request)
        text = response.read()
        if response.status == 404:
            raise NotFoundException(http_resp=response)
        assert response.status < 300, text
        found: Obj = json.loads(text)
        return found


@dataclass(frozen=True)
class World:
    """One sandbox in namespaces of its own, and the harness's identity in it."""

    stand_in: StandIn
    admin: Admin
    settings: ClusterSettings

    @property
    def app(self) -> Target:
        return Target(APPLICATIONS, self.settings.argocd_namespace, self.settings.application)

    @property
    def deployment(self) -> Target:
        return Target(DEPLOYMENTS, self.settings.namespace, self.settings.deployment)

    @property
    def lease(self) -> Target:
        return Target(LEASES, self.settings.namespace, self.settings.lease)

    def get(self, target: Target) -> Obj:
        return self.admin.ask("GET", target.path)

    def patch(self, target: Target, patch: Any) -> Obj:
        kind = "json-patch+" if isinstance(patch, list) else "merge-patch+"
        return self.admin.ask("PATCH", target.path, patch, kind)

    def delete(self, target: Target) -> Obj:
        return self.admin.ask("DELETE", target.path)

    def create(self, resource: Resource, namespace: str, body: Obj) -> Obj:
        return self.admin.ask("POST", Target(resource, namespace).path, body)

    def fault(self, action: str, **how: Any) -> None:
        """Order what goes wrong with the next requests."""
        self.stand_in.order("faults", action=action, **how)

    def outage(self, seconds: float) -> None:
        """Let the API be away; it is when this returns."""
        self.stand_in.order("outage", seconds=seconds)
        address = urlsplit(self.stand_in.url)

        def must_be_away() -> None:
            try:
                socket.create_connection((address.hostname, address.port)).close()
            except ConnectionRefusedError:
                return
            raise TimeoutError

        eventually(must_be_away, SOON, every=0.01)

    def no_faults(self) -> int:
        """Forget all faults; returns how many were not hit yet."""
        left: int = self.stand_in.order("faults", action="status", times=0)["outstanding"]
        self.stand_in.order("faults")
        return left

    def make_application(self, policy: Any = HEALING, **metadata: Any) -> Obj:
        """An Application of that sync policy; without one where it is `...`."""
        spec: Obj = {
            "project": "default",
            "source": {"repoURL": "https://git.invalid/erp", "path": self.settings.namespace},
            "destination": {"namespace": self.settings.namespace, "server": "https://here.invalid"},
        }
        if policy is not ...:
            spec["syncPolicy"] = policy
        body = {
            "apiVersion": APPLICATIONS.api_version,
            "kind": "Application",
            "metadata": {"name": self.settings.application, **metadata},
            "spec": spec,
        }
        return self.create(APPLICATIONS, self.settings.argocd_namespace, body)

    def make_deployment(self, replicas: int = 1, script: str = "exec sleep 60") -> Obj:
        return self.create(DEPLOYMENTS, self.settings.namespace, self.manifest(replicas, script))

    def manifest(self, replicas: int = 1, script: str = "exec sleep 60") -> Obj:
        name = self.settings.deployment
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": {"app": name}},
                "template": {
                    "metadata": {"labels": {"app": name}},
                    "spec": {
                        "containers": [
                            {"name": "main", "image": "none", "command": ["/bin/sh", "-c", script]}
                        ]
                    },
                },
            },
        }

    def with_starter(self) -> ClusterSettings:
        """The settings, with another context for whoever starts Jobs."""
        where, name = self.settings.namespace, f"{self.settings.service_account}-jobs"
        account = Target(Resource("", "v1", "serviceaccounts"), where, name)
        token = self.admin.ask("POST", f"{account.path}/token", {"spec": {}})["status"]["token"]
        assert self.settings.kubeconfig is not None
        content: Obj = yaml.safe_load(self.settings.kubeconfig.read_text())
        content["users"].append({"name": name, "user": {"token": token}})
        context = {"cluster": content["clusters"][0]["name"], "user": name}
        content["contexts"].append({"name": "jobs", "context": context})
        kubeconfig = self.settings.kubeconfig.with_name("both.kubeconfig")
        kubeconfig.write_text(yaml.safe_dump(content))
        changed = {"kubeconfig": kubeconfig, "job_context": "jobs"}
        return self.settings.model_copy(update=changed)

    def pods(self) -> list[Obj]:
        found: list[Obj] = self.get(Target(PODS, self.settings.namespace))["items"]
        return found

    def policy(self) -> Any:
        """The sync policy that is stored; `...` for none."""
        return self.get(self.app)["spec"].get("syncPolicy", ...)

    @contextmanager
    def harness(self, deadlines: Deadlines = QUICK, **changed: Any) -> Iterator[Cluster]:
        """The cluster as the harness sees it, under its own identity."""
        with connect(self.settings.model_copy(update=changed), deadlines) as cluster:
            yield cluster

    @contextmanager
    def working(self, deadlines: Deadlines = QUICK) -> Iterator[tuple[Cluster, Held]]:
        """The harness with the Lease in its hands."""
        with self.harness(deadlines) as cluster, cluster.lease.acquire(Holder.here("run")) as held:
            yield cluster, held

    @contextmanager
    def losing(self, **changed: Any) -> Iterator[tuple[Cluster, Held]]:
        """The same, for a Lease that will be lost: at the end that is told."""
        with (
            pytest.raises(LostError, match="is no longer this run's") as caught,
            self.harness(**changed) as cluster,
            cluster.lease.acquire(Holder.here("run"), "journal") as held,
        ):
            yield cluster, held
        assert "fencing token 1" in str(caught.value)


def lay_out(stand_in: StandIn, admin: Admin, name: str, directory: Path) -> World:
    """Make a sandbox's namespaces in a stand-in, and what the manifests say of rights in them."""
    names = Names(f"{name}-sandbox", "erp", f"{name}-argocd", "erp-sandbox")
    prod = f"{name}-prod"
    for namespace in (names.sandbox_namespace, names.argocd_namespace, prod):
        body = {"metadata": {"name": namespace}}
        admin.ask("POST", Target(NAMESPACES).path, body)
    texts = [text for _, text in access(names)]
    for obj in (each for text in texts for each in yaml.safe_load_all(text)):
        group, _, version = obj["apiVersion"].rpartition("/")
        if group == "admissionregistration.k8s.io":
            continue  # one for the whole cluster, and not enforced here
        resource = Resource(group, version, KINDS[group, obj["kind"]])
        admin.ask("POST", Target(resource, obj["metadata"]["namespace"]).path, obj)
    account = Target(
        Resource("", "v1", "serviceaccounts"), names.sandbox_namespace, names.service_account
    )
    token = admin.ask("POST", f"{account.path}/token", {"spec": {}})["status"]["token"]
    kubeconfig = directory / "harness.kubeconfig"
    write_kubeconfig(stand_in, kubeconfig, user={"token": token})
    return World(
        stand_in,
        admin,
        ClusterSettings(
            kubeconfig=kubeconfig,
            argocd_namespace=names.argocd_namespace,
            application=names.application,
            namespace=names.sandbox_namespace,
            deployment=names.deployment,
            prod_namespace=prod,
            prod_application="erp-prod",
        ),
    )


def write_kubeconfig(
    stand_in: StandIn, path: Path, *, user: Obj, cluster: Obj | None = None
) -> Obj:
    """A kubeconfig like the administrator's, with another user or cluster."""
    content: Obj = yaml.safe_load(stand_in.kubeconfig.read_text())
    content["users"][0]["user"] = user
    content["clusters"][0]["cluster"] |= cluster or {}
    path.write_text(yaml.safe_dump(content))
    return content
