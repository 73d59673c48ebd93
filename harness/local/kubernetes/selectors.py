"""Label and field selectors, as lists and watches take them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.local.kubernetes.status import bad_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.local.kubernetes.resources import Obj, Resource

    Matches = Callable[[Obj], bool]

_NAME = r"[A-Za-z0-9][A-Za-z0-9_./-]*"
_REQUIREMENT = re.compile(
    rf"""\s*(?:
        (?P<absent>!)\s*(?P<absent_key>{_NAME})
      | (?P<key>{_NAME})\s*
        (?: (?P<set>in|notin)\s*\((?P<values>[^()]*)\)
          | (?P<operator>==?|!=)\s*(?P<value>[A-Za-z0-9_.-]*)
        )?
    )\s*(?:,|$)""",
    re.VERBOSE,
)

_FIELDS = {
    "pods": {
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.serviceAccountName",
        "status.phase",
        "status.podIP",
    },
    "secrets": {"type"},
    "events": {"involvedObject.kind", "involvedObject.name", "involvedObject.uid", "reason"},
    "namespaces": {"status.phase"},
    "jobs": {"status.successful"},
}
"""What can be selected by, beside name and namespace."""


def labels_match(selector: str) -> Matches:
    """Parse a label selector such as `app=erp,tier in (web),!old`; 400 if it is none."""
    requirements = []
    position = 0
    while position < len(selector):
        found = _REQUIREMENT.match(selector, position)
        if found is None or found.end() == position:
            raise bad_request(f"unable to parse requirement: found {selector[position:]!r}")
        requirements.append(_requirement(found))
        position = found.end()

    def matches(obj: Obj) -> bool:
        labels = obj["metadata"].get("labels") or {}
        return all(requirement(labels) for requirement in requirements)

    return matches


def _requirement(found: re.Match[str]) -> Callable[[dict[str, str]], bool]:
    key = found["absent_key"] or found["key"]
    if found["absent"]:
        return lambda labels: key not in labels
    if found["set"]:
        wanted = {value.strip() for value in found["values"].split(",")}
        if found["set"] == "in":
            return lambda labels: labels.get(key) in wanted
        return lambda labels: labels.get(key) not in wanted
    value = found["value"]
    if found["operator"] is None:
        return lambda labels: key in labels
    if found["operator"] == "!=":
        return lambda labels: labels.get(key) != value
    return lambda labels: labels.get(key) == value


def fields_match(resource: Resource, selector: str) -> Matches:
    """Parse a field selector such as `metadata.name=erp`; 400 for a field that cannot be used."""
    terms = []
    for term in filter(None, selector.split(",")):
        found = re.fullmatch(r"([A-Za-z.]+)(==?|!=)(.*)", term)
        if found is None:
            raise bad_request(f"invalid selector: {selector!r}; can't understand {term!r}")
        path, operator, value = found.groups()
        known = {"metadata.name", "metadata.namespace"} | _FIELDS.get(resource.qualified, set())
        if path not in known:
            raise bad_request(f"field label not supported: {path}")
        terms.append((path.split("."), operator != "!=", value))

    def matches(obj: Obj) -> bool:
        return all((_value(obj, path) == value) is wanted for path, wanted, value in terms)

    return matches


def selected_name(selector: str) -> str | None:
    """The one name that a field selector asks for: a right bound to that name then covers it."""
    found = re.fullmatch(r"metadata\.name==?([^,]+)", selector)
    return found[1] if found else None


def _value(obj: Obj, path: list[str]) -> str:
    value = obj
    for part in path:
        value = value.get(part) or {}
    return str(value) if value else ""
