"""The rules that hold for an identity, as the API server tells them, and the harmful ones.

A table of questions finds what its author has thought of. The rules also tell of rights over single
objects, and of kinds that others have added to the cluster.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from harness.cluster.harm import ANY, ENTERING, READ, Harm
from harness.cluster.rights import Right

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cluster.resources import Obj
    from harness.settings.cluster import ClusterSettings

# What every identity may do: ask about itself.
_REVIEWS = frozenset(
    {
        ("authentication.k8s.io", "selfsubjectreviews"),
        ("authorization.k8s.io", "selfsubjectaccessreviews"),
        ("authorization.k8s.io", "selfsubjectrulesreviews"),
    }
)
# Paths that are no objects, and that tell nothing of prod.
_DISCOVERY = (
    "/api",
    "/apis",
    "/healthz",
    "/livez",
    "/readyz",
    "/version",
    "/openapi",
    "/openid",
    "/.well-known",
    "/metrics",
)


@dataclass(frozen=True, slots=True)
class Rules:
    """What an API server says that an identity may do in one namespace, and in the whole cluster.

    Args:
        namespace: The namespace.
        resources: Rules about objects.
        paths: Rules about paths that are no objects.
        obstacle: Why some may be missing; None where the server vouches that none is.
    """

    namespace: str
    resources: list[Obj]
    paths: list[Obj]
    obstacle: str | None

    @classmethod
    def of(cls, namespace: str, status: Obj) -> Rules:
        """Read the status of a SelfSubjectRulesReview."""
        told = status.get("evaluationError") or "the server says so, and not why"
        return cls(
            namespace,
            status.get("resourceRules") or [],
            status.get("nonResourceRules") or [],
            told if status.get("incomplete") else None,
        )

    def harms(self, settings: ClusterSettings) -> Iterator[Harm]:
        """Every right that they grant and that could hurt prod."""
        for rule in self.resources:
            cells = product(rule["verbs"], rule.get("apiGroups") or [], rule.get("resources") or [])
            for verb, group, kind in cells:
                for name in rule.get("resourceNames") or [""]:
                    resource, _, part = kind.partition("/")
                    right = Right(verb, group, resource, self.namespace, name, part)
                    if not _is_harmless(right, settings):
                        yield Harm(right, _why(right))
        for rule in self.paths:
            for verb, path in product(rule["verbs"], rule.get("nonResourceURLs") or []):
                if verb not in {"get", "head"} or not _is_discovery(path):
                    yield Harm(Right(verb, "", path), "it is no object, and no discovery either")


def _is_harmless(right: Right, settings: ClusterSettings) -> bool:
    if (right.group, right.resource) in _REVIEWS:
        return right.verb == "create"
    if right.verb in READ and right.resource not in {"secrets", ANY}:
        return right.subresource not in ENTERING
    # The one right in Argo CD's namespace that a run needs; the admission policy narrows it.
    own = Right(
        "patch", "argoproj.io", "applications", settings.argocd_namespace, settings.application
    )
    return right == own


def _why(right: Right) -> str:
    return f"it is an object of {right.namespace}" if right.name else "nothing there needs it"


def _is_discovery(path: str) -> bool:
    bare = path.removesuffix("*").rstrip("/")
    return any(bare == known or bare.startswith(f"{known}/") for known in _DISCOVERY)
