"""From the path and method of a request to what is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.local.kubernetes.rbac import Access
from harness.local.kubernetes.resources import BY_PATH, REVIEWS, Resource
from harness.local.kubernetes.selectors import selected_name
from harness.local.kubernetes.status import method_not_allowed

if TYPE_CHECKING:
    from collections.abc import Mapping

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names. The resource need not be served: rights are asked for first."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def served(self) -> bool:
        """Whether there is such a resource and subresource here."""
        resource = self.resource
        known = BY_PATH.get((resource.group, resource.version, resource.plural)) is resource
        return known and (not self.subresource or self.subresource in resource.subresources)

    @property
    def where(self) -> str:
        """The namespace that the object is kept in; empty for a kind that lives in none."""
        return self.namespace if self.resource.namespaced else ""

    def access(self, verb: str) -> Access:
        """The right that the verb takes."""
        resource = self.resource
        return Access(
            verb, resource.group, resource.plural, self.subresource, self.namespace, self.name
        )


def parse(path: str) -> Target | None:
    """Read `/api/v1/…` or `/apis/GROUP/VERSION/…`; None where the path names no resource."""
    parts = [part for part in path.split("/") if part]
    match parts:
        case ["api", version, *rest]:
            group = ""
        case ["apis", group, version, *rest]:
            pass
        case _:
            return None
    namespace = ""
    if rest[:1] == ["namespaces"] and len(rest) > 2 and rest[2] not in {"status", "finalize"}:  # noqa: PLR2004  namespaces, a name, and something below it
        namespace, rest = rest[1], rest[2:]
    if not rest:
        return None
    plural, name, subresource, *_ = [*rest, "", ""]
    resource = BY_PATH.get((group, version, plural))
    if resource is None or (namespace and not resource.namespaced):
        resource = Resource(group, version, plural, kind="")
    elif resource.plural == "namespaces":
        namespace = name  # a Role of the namespace itself may speak of it
    return Target(resource, namespace, name, subresource)


def verb_of(method: str, target: Target, query: Mapping[str, str]) -> str:
    """The verb that RBAC knows: what a method means on a collection or on one object."""
    if method == "GET":
        if target.name:
            return "get"
        return "watch" if query.get("watch") in {"1", "true"} else "list"
    if method == "DELETE":
        return "delete" if target.name else "deletecollection"
    if method not in _VERBS:
        raise method_not_allowed()
    verb = _VERBS[method]
    if target.resource in REVIEWS and verb != "create":
        raise method_not_allowed()
    if bool(target.name) is (verb == "create") and not target.subresource:
        raise method_not_allowed()
    return verb


def named_by_selector(target: Target, query: Mapping[str, str]) -> Target:
    """As the real server: a list or watch of one name takes the right on that name only."""
    name = selected_name(query.get("fieldSelector", ""))
    if target.name or name is None:
        return target
    return Target(target.resource, target.namespace, name, target.subresource)
