"""What the stand-in says of itself: groups, resources, version, and just enough OpenAPI.

kubectl reads OpenAPI only to learn whether the server checks fields by itself (`fieldValidation`).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from harness.local.kubernetes.resources import BY_PATH, RESOURCES

if TYPE_CHECKING:
    from harness.local.kubernetes.resources import Obj, Resource

VERSION: Obj = {
    "major": "1",
    "minor": "36",
    "gitVersion": "v1.36.0+stand-in",
    "gitCommit": "",
    "gitTreeState": "",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "",
}

_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
_PATCH_TYPES: Obj = {
    "application/json-patch+json": {},
    "application/merge-patch+json": {},
    "application/strategic-merge-patch+json": {},
}


def document(path: str) -> Obj | None:
    """The discovery document at a path, not to be changed, or None where there is none."""
    return _documents().get(path.rstrip("/"))


@cache
def _documents() -> dict[str, Obj]:
    documents = {
        "/version": VERSION,
        "/api": {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
        "/apis": {
            "kind": "APIGroupList",
            "apiVersion": "v1",
            "groups": [_group(group) for group in _groups()],
        },
        "/openapi/v3": {
            "paths": {
                _prefix(*key)[1:]: {"serverRelativeURL": "/openapi/v3" + _prefix(*key)}
                for key in sorted({(group, version) for group, version, _ in BY_PATH})
            }
        },
    }
    for group, version, _ in BY_PATH:
        documents[_prefix(group, version)] = _resource_list(group, version)
        documents["/openapi/v3" + _prefix(group, version)] = _openapi(group, version)
        if group:
            documents[f"/apis/{group}"] = {"apiVersion": "v1", "kind": "APIGroup", **_group(group)}
    return documents


def _groups() -> list[str]:
    return sorted({group for group, _, _ in BY_PATH if group})


def _prefix(group: str, version: str) -> str:
    return f"/apis/{group}/{version}" if group else f"/api/{version}"


def _group(group: str) -> Obj:
    version = next(version for name, version, _ in BY_PATH if name == group)
    entry = {"groupVersion": f"{group}/{version}", "version": version}
    return {"name": group, "versions": [entry], "preferredVersion": entry}


def _resource_list(group: str, version: str) -> Obj:
    entries: list[Obj] = []
    for (of_group, of_version, _), resource in BY_PATH.items():
        if (of_group, of_version) == (group, version):
            entries.append(_entry(resource))
            entries += [_subresource(resource, name) for name in resource.subresources]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/{version}" if group else version,
        "resources": entries,
    }


def _entry(resource: Resource) -> Obj:
    return {
        "name": resource.plural,
        "singularName": resource.kind.lower(),
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": _VERBS if resource in RESOURCES else ["create"],
        "shortNames": list(resource.short),
    }


def _subresource(resource: Resource, name: str) -> Obj:
    entry = {
        "name": f"{resource.plural}/{name}",
        "singularName": "",
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": ["get", "patch", "update"],
    }
    if name == "scale":
        entry |= {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    elif name == "log":
        entry["verbs"] = ["get"]
    elif name == "token":
        entry |= {"group": "authentication.k8s.io", "version": "v1", "kind": "TokenRequest"}
        entry["verbs"] = ["create"]
    return entry


def _openapi(group: str, version: str) -> Obj:
    checked = [{"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}]
    paths: Obj = {}
    for resource in RESOURCES:
        if (resource.group, resource.version) != (group, version):
            continue
        kind = {"group": group, "version": version, "kind": resource.kind}
        scope = "/namespaces/{namespace}" if resource.namespaced else ""
        paths[f"{_prefix(group, version)}{scope}/{resource.plural}/{{name}}"] = {
            "patch": {
                "x-kubernetes-action": "patch",
                "x-kubernetes-group-version-kind": kind,
                "parameters": checked,
                "requestBody": {"content": _PATCH_TYPES},
                "responses": {"200": {"description": "OK"}},
            }
        }
    return {
        "openapi": "3.0.0",
        "info": {"title": "stand-in", "version": VERSION["gitVersion"]},
        "paths": paths,
        "components": {"schemas": {}},
    }
