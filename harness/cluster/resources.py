"""The kinds of objects that the harness asks the Kubernetes API about, and how each is named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

Obj = dict[str, Any]
"""One object, or a part of one, as JSON."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind, as a path and as RBAC name it.

    Args:
        group: The API group; empty for the core.
        version: The version that is spoken.
        plural: The name in paths and rules.
    """

    group: str
    version: str
    plural: str

    @property
    def api_version(self) -> str:
        """`apiVersion` of its objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """The name that kubectl takes, as `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


APPLICATIONS = Resource("argoproj.io", "v1alpha1", "applications")
APPLICATION_SETS = Resource("argoproj.io", "v1alpha1", "applicationsets")
AUTOSCALERS = Resource("autoscaling", "v2", "horizontalpodautoscalers")
CRON_JOBS = Resource("batch", "v1", "cronjobs")
DEPLOYMENTS = Resource("apps", "v1", "deployments")
JOBS = Resource("batch", "v1", "jobs")
LEASES = Resource("coordination.k8s.io", "v1", "leases")
PODS = Resource("", "v1", "pods")
SECRETS = Resource("", "v1", "secrets")
ACCESS_REVIEWS = Resource("authorization.k8s.io", "v1", "selfsubjectaccessreviews")
IDENTITY_REVIEWS = Resource("authentication.k8s.io", "v1", "selfsubjectreviews")
RULES_REVIEWS = Resource("authorization.k8s.io", "v1", "selfsubjectrulesreviews")


@dataclass(frozen=True, slots=True)
class Target:
    """What a request is about; without a name, all objects of the kind in the namespace.

    Args:
        resource: The kind.
        namespace: The namespace; empty for what has none.
        name: The object.
        subresource: The part of it that has a path of its own.
    """

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def path(self) -> str:
        """The path of the URL."""
        kind = self.resource
        root = ("apis", kind.group, kind.version) if kind.group else ("api", kind.version)
        where = ("namespaces", self.namespace) if self.namespace else ()
        what = [part for part in (self.name, self.subresource) if part]
        return "".join(f"/{quote(part, safe='')}" for part in (*root, *where, kind.plural, *what))

    def __str__(self) -> str:
        kind = self.resource.qualified
        if self.subresource:
            kind = f"{self.resource.plural}/{self.subresource}.{self.resource.group}".rstrip(".")
        name = f" {self.name}" if self.name else ""
        where = f" in namespace {self.namespace}" if self.namespace else ""
        return f"{kind}{name}{where}"
