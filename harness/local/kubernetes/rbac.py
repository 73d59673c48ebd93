"""Role-based access: who may do what, asked by every request and by the self-reviews."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.local.kubernetes.identity import MASTERS
from harness.local.kubernetes.resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    REVIEWS,
    ROLE_BINDINGS,
    ROLES,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.local.kubernetes.identity import User
    from harness.local.kubernetes.resources import Obj
    from harness.local.kubernetes.store import Store


@dataclass(frozen=True, slots=True)
class Access:
    """One thing that somebody wants to do. An empty name or namespace means all of them."""

    verb: str
    group: str
    resource: str
    subresource: str = ""
    namespace: str = ""
    name: str = ""


class Rbac:
    """Answers from the Roles and bindings in the store; there is no deny rule."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def allows(self, user: User, access: Access) -> bool:
        """Whether any rule of the user covers the access."""
        return any(_covers(rule, access) for rule in self.rules(user, access.namespace))

    def rules(self, user: User, namespace: str) -> Iterator[Obj]:
        """Every rule that holds for the user in a namespace."""
        if MASTERS in user.groups:
            yield {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
        for review in REVIEWS:  # as the real role system:basic-user allows everybody
            yield {"verbs": ["create"], "apiGroups": [review.group], "resources": [review.plural]}
        bindings = self._store.find(CLUSTER_ROLE_BINDINGS)
        if namespace:
            bindings += self._store.find(ROLE_BINDINGS, namespace)
        for binding in bindings:
            if any(_is(user, subject, binding) for subject in binding.get("subjects") or []):
                yield from self._role(binding).get("rules") or []

    def _role(self, binding: Obj) -> Obj:
        reference = binding["roleRef"]
        if reference["kind"] == "ClusterRole":
            return self._store.get(CLUSTER_ROLES, "", reference["name"]) or {}
        namespace = binding["metadata"].get("namespace", "")
        return self._store.get(ROLES, namespace, reference["name"]) or {}


def _is(user: User, subject: Obj, binding: Obj) -> bool:
    if subject["kind"] == "Group":
        return subject["name"] in user.groups
    if subject["kind"] == "ServiceAccount":
        namespace = subject.get("namespace") or binding["metadata"].get("namespace")
        return user.name == f"system:serviceaccount:{namespace}:{subject['name']}"
    return bool(user.name == subject["name"])


def _covers(rule: Obj, access: Access) -> bool:
    full = f"{access.resource}/{access.subresource}" if access.subresource else access.resource
    resources = {"*", full}
    if access.subresource:
        resources.add(f"*/{access.subresource}")
    names = rule.get("resourceNames") or []
    return (
        not {"*", access.verb}.isdisjoint(rule.get("verbs") or [])
        and not {"*", access.group}.isdisjoint(rule.get("apiGroups") or [])
        and not resources.isdisjoint(rule.get("resources") or [])
        and (not names or access.name in names)
    )
