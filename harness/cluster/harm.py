"""What an identity could do to prod through the Kubernetes API: the table that an audit asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.cluster.rights import Right

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cluster.resources import Obj
    from harness.settings.cluster import ClusterSettings

_READ = ("get", "list", "watch")
_REMOVE = ("delete", "deletecollection")
_WRITE = ("create", "patch", "update", *_REMOVE)
_CHANGE = ("patch", "update")
_CONNECT = ("create", "get")

_RUNS = "whoever runs something in a namespace has every Secret and account of it"
_ENTERS = "it reaches into what runs there"
_SECRETS = "prod's credentials are in there"
_TAKES_RIGHTS = "it gives itself further rights"
_STOPS = "it stops prod, or changes what runs"

# Kind, part of it, verbs, and the harm; in prod's namespace and in Argo CD's.
_IN_NAMESPACE: tuple[tuple[str, str, str, tuple[str, ...], str], ...] = (
    ("", "pods", "", _WRITE, _RUNS),
    ("", "pods", "exec", _CONNECT, _ENTERS),
    ("", "pods", "attach", _CONNECT, _ENTERS),
    ("", "pods", "portforward", _CONNECT, _ENTERS),
    ("", "pods", "proxy", _CONNECT, _ENTERS),
    ("", "pods", "ephemeralcontainers", _CHANGE, _ENTERS),
    ("", "pods", "eviction", ("create",), _STOPS),
    ("", "services", "proxy", _CONNECT, _ENTERS),
    ("", "secrets", "", (*_READ, *_WRITE), _SECRETS),
    ("", "serviceaccounts", "token", ("create",), _TAKES_RIGHTS),
    ("", "serviceaccounts", "", ("impersonate",), _TAKES_RIGHTS),
    ("", "configmaps", "", _WRITE, _STOPS),
    ("", "services", "", _WRITE, _STOPS),
    ("", "persistentvolumeclaims", "", _WRITE, "prod's files are on it"),
    ("apps", "deployments", "", _WRITE, _RUNS),
    ("apps", "deployments", "scale", _CHANGE, _STOPS),
    ("apps", "statefulsets", "", _WRITE, _RUNS),
    ("apps", "statefulsets", "scale", _CHANGE, _STOPS),
    ("apps", "replicasets", "", _WRITE, _RUNS),
    ("apps", "replicasets", "scale", _CHANGE, _STOPS),
    ("apps", "daemonsets", "", _WRITE, _RUNS),
    ("batch", "jobs", "", _WRITE, _RUNS),
    ("batch", "cronjobs", "", _WRITE, _RUNS),
    ("autoscaling", "horizontalpodautoscalers", "", _WRITE, _STOPS),
    ("networking.k8s.io", "ingresses", "", _WRITE, _STOPS),
    ("networking.k8s.io", "networkpolicies", "", _WRITE, _STOPS),
    ("rbac.authorization.k8s.io", "roles", "", (*_WRITE, "bind", "escalate"), _TAKES_RIGHTS),
    ("rbac.authorization.k8s.io", "rolebindings", "", _WRITE, _TAKES_RIGHTS),
)

# In Argo CD's namespace only: what tells it to put something else in prod's place.
_IN_ARGOCD: tuple[tuple[str, str, str, tuple[str, ...], str], ...] = (
    ("argoproj.io", "applications", "", _WRITE, "it makes Argo CD deploy anything anywhere"),
    ("argoproj.io", "applicationsets", "", _WRITE, "it makes Argo CD deploy anything anywhere"),
    ("argoproj.io", "appprojects", "", _WRITE, "it widens what Argo CD may deploy"),
)

_IN_CLUSTER: tuple[tuple[str, str, str, tuple[str, ...], str], ...] = (
    ("", "users", "", ("impersonate",), _TAKES_RIGHTS),
    ("", "groups", "", ("impersonate",), _TAKES_RIGHTS),
    ("", "nodes", "proxy", _CONNECT, _ENTERS),
    ("", "persistentvolumes", "", (*_CHANGE, *_REMOVE), "prod's files are on one"),
    ("rbac.authorization.k8s.io", "clusterroles", "", (*_WRITE, "bind", "escalate"), _TAKES_RIGHTS),
    ("rbac.authorization.k8s.io", "clusterrolebindings", "", _WRITE, _TAKES_RIGHTS),
    (
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations",
        "",
        _WRITE,
        "it rewrites whatever others write",
    ),
    (
        "admissionregistration.k8s.io",
        "validatingadmissionpolicies",
        "",
        _WRITE,
        "it lifts the limits on its own writes",
    ),
    ("apiextensions.k8s.io", "customresourcedefinitions", "", _WRITE, _STOPS),
)


@dataclass(frozen=True, slots=True)
class Harm:
    """A right that must be denied.

    Args:
        right: The right.
        why: What could be done with it.
    """

    right: Right
    why: str


def harms(settings: ClusterSettings) -> Iterator[Harm]:
    """Every right that the harness's identity must not have."""
    prod, argocd = settings.prod_namespace, settings.argocd_namespace
    for namespace, table in (
        (prod, _IN_NAMESPACE),
        (argocd, _IN_NAMESPACE + _IN_ARGOCD),
        ("", _IN_CLUSTER),
    ):
        for group, resource, part, verbs, why in table:
            for verb in verbs:
                yield Harm(Right(verb, group, resource, namespace, subresource=part), why)
    for verb in (*_CHANGE, "delete"):
        one = Right(verb, "argoproj.io", "applications", argocd, settings.prod_application)
        yield Harm(one, "it is prod's own Application")
    for verb in (*_CHANGE, "delete"):
        yield Harm(Right(verb, "", "namespaces", name=prod), "everything of prod is in it")


def is_harmful(rule: Obj) -> bool:
    """Whether a rule lets more be done than looking, or lets Secrets be looked at."""
    resources = rule.get("resources") or []
    return not set(rule["verbs"]) <= set(_READ) or not {"*", "secrets"}.isdisjoint(resources)
