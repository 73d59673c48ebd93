"""The table of every kind that the stand-in serves, and what differs from kind to kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Obj = dict[str, Any]
"""One Kubernetes object, or a part of one, as JSON."""


def _nothing(_obj: Obj) -> Any:
    return None


def _spec(obj: Obj) -> Any:
    return obj.get("spec") or {}


def _spec_and_annotations(obj: Obj) -> Any:
    return _spec(obj), obj["metadata"].get("annotations") or {}


def _all_but_metadata(obj: Obj) -> Any:
    return {key: value for key, value in obj.items() if key != "metadata"}


def _all_but_metadata_and_status(obj: Obj) -> Any:
    return {key: value for key, value in obj.items() if key not in {"metadata", "status"}}


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind, as discovery shows it and as writes treat it.

    Args:
        group: The API group; empty for the core.
        version: The one version served.
        plural: The name in the path.
        kind: The name in the object.
        namespaced: Whether objects live in a namespace.
        short: What kubectl may call it.
        subresources: Those of `status`, `scale`, `log` and `token` that exist.
        generation: The part of an object whose change moves `metadata.generation`.
        unconditional: Whether a PUT may leave `resourceVersion` out.
        creatable_by_put: Whether a PUT of an absent object creates it.
        custom: Whether a CustomResourceDefinition stands behind it: no strategic merge patch.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    generation: Callable[[Obj], Any] = _nothing
    unconditional: bool = True
    creatable_by_put: bool = False
    custom: bool = False

    @property
    def api_version(self) -> str:
        """`apiVersion` of its objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """The name that error messages and the store use, as `leases.coordination.k8s.io`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def has_status(self) -> bool:
        """Whether status is written through a path of its own, and only there."""
        return "status" in self.subresources


_RBAC = "rbac.authorization.k8s.io"
_ADMISSION = "admissionregistration.k8s.io"

NAMESPACES = Resource(
    "", "v1", "namespaces", "Namespace", namespaced=False, short=("ns",), subresources=("status",)
)
PODS = Resource("", "v1", "pods", "Pod", short=("po",), subresources=("status", "log"))
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap", short=("cm",))
SECRETS = Resource("", "v1", "secrets", "Secret")
SERVICE_ACCOUNTS = Resource(
    "",
    "v1",
    "serviceaccounts",
    "ServiceAccount",
    short=("sa",),
    subresources=("token",),
    unconditional=False,
)
DEPLOYMENTS = Resource(
    "apps",
    "v1",
    "deployments",
    "Deployment",
    short=("deploy",),
    subresources=("status", "scale"),
    generation=_spec_and_annotations,
)
JOBS = Resource("batch", "v1", "jobs", "Job", subresources=("status",), generation=_spec)
LEASES = Resource(
    "coordination.k8s.io", "v1", "leases", "Lease", unconditional=False, creatable_by_put=True
)
ROLES = Resource(_RBAC, "v1", "roles", "Role", creatable_by_put=True)
ROLE_BINDINGS = Resource(_RBAC, "v1", "rolebindings", "RoleBinding", creatable_by_put=True)
CLUSTER_ROLES = Resource(
    _RBAC, "v1", "clusterroles", "ClusterRole", namespaced=False, creatable_by_put=True
)
CLUSTER_ROLE_BINDINGS = Resource(
    _RBAC,
    "v1",
    "clusterrolebindings",
    "ClusterRoleBinding",
    namespaced=False,
    creatable_by_put=True,
)
APPLICATIONS = Resource(
    "argoproj.io",
    "v1alpha1",
    "applications",
    "Application",
    short=("app", "apps"),
    # No status subresource, as in the real definition: each status write moves the generation.
    generation=_all_but_metadata,
    unconditional=False,
    custom=True,
)

RESOURCES: tuple[Resource, ...] = (
    NAMESPACES,
    PODS,
    SECRETS,
    SERVICE_ACCOUNTS,
    CONFIG_MAPS,
    Resource("", "v1", "events", "Event", short=("ev",)),
    Resource(
        "",
        "v1",
        "persistentvolumeclaims",
        "PersistentVolumeClaim",
        short=("pvc",),
        subresources=("status",),
    ),
    DEPLOYMENTS,
    JOBS,
    # Kept, for Jobs to be made from: nothing starts one by the clock.
    Resource(
        "batch",
        "v1",
        "cronjobs",
        "CronJob",
        short=("cj",),
        subresources=("status",),
        generation=_spec,
    ),
    # Kept, and enforced by nobody.
    Resource(
        "networking.k8s.io",
        "v1",
        "networkpolicies",
        "NetworkPolicy",
        short=("netpol",),
        generation=_spec,
    ),
    LEASES,
    Resource(
        "autoscaling",
        "v2",
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        short=("hpa",),
        subresources=("status",),
    ),
    ROLES,
    ROLE_BINDINGS,
    CLUSTER_ROLES,
    CLUSTER_ROLE_BINDINGS,
    Resource(
        _ADMISSION,
        "v1",
        "validatingadmissionpolicies",
        "ValidatingAdmissionPolicy",
        namespaced=False,
        subresources=("status",),
        generation=_spec,
    ),
    Resource(
        _ADMISSION,
        "v1",
        "validatingadmissionpolicybindings",
        "ValidatingAdmissionPolicyBinding",
        namespaced=False,
        generation=_spec,
    ),
    APPLICATIONS,
    Resource(
        "argoproj.io",
        "v1alpha1",
        "applicationsets",
        "ApplicationSet",
        short=("appset",),
        subresources=("status",),
        generation=_all_but_metadata_and_status,
        unconditional=False,
        custom=True,
    ),
)

REVIEWS: tuple[Resource, ...] = (
    Resource(
        "authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", namespaced=False
    ),
    Resource(
        "authorization.k8s.io",
        "v1",
        "selfsubjectaccessreviews",
        "SelfSubjectAccessReview",
        namespaced=False,
    ),
    Resource(
        "authorization.k8s.io",
        "v1",
        "selfsubjectrulesreviews",
        "SelfSubjectRulesReview",
        namespaced=False,
    ),
)
"""Kinds that can be created only, and are answered instead of kept."""

BY_PATH = {(each.group, each.version, each.plural): each for each in RESOURCES + REVIEWS}
BY_QUALIFIED = {each.qualified: each for each in RESOURCES}
BY_KIND = {(each.api_version, each.kind): each for each in RESOURCES}
