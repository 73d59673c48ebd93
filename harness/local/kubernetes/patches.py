"""The three kinds of patch: merge (RFC 7386), JSON (RFC 6902), and Kubernetes' strategic merge."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.local.kubernetes.status import bad_request, rejected_patch, unsupported_media_type

if TYPE_CHECKING:
    from harness.local.kubernetes.resources import Obj, Resource

JSON = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"

_MERGE_KEYS = {
    "conditions": ("type",),
    "containers": ("name",),
    "env": ("name",),
    "imagePullSecrets": ("name",),
    "initContainers": ("name",),
    "ownerReferences": ("uid",),
    "ports": ("containerPort", "port"),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
}
"""Lists that a strategic merge matches by a key; every other list is replaced as a whole."""

_MERGED_SETS = {"finalizers"}
"""Lists of plain values that a strategic merge adds to."""

_DIRECTIVES = ("$setElementOrder/", "$retainKeys", "$deleteFromPrimitiveList/", "$patch")


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch as it came: the type that it says it is, and its JSON."""

    content_type: str
    content: Any


def check_type(resource: Resource, content_type: str) -> None:
    """Refuse a patch of a type that the kind does not take."""
    accepted = [JSON, MERGE] if resource.custom else [JSON, MERGE, STRATEGIC]
    if content_type not in accepted:
        raise unsupported_media_type(", ".join(accepted))


def apply_patch(asked: Patch, current: Obj) -> Obj:
    """The object that results; `current` is left as it is."""
    patch = asked.content
    fits = isinstance(patch, list if asked.content_type == JSON else dict)
    if not fits:
        raise bad_request(f"error decoding patch: json: cannot unmarshal {type(patch).__name__}")
    if asked.content_type == JSON:
        patched = json_patch(current, patch)
    elif asked.content_type == MERGE:
        patched = merge_patch(current, patch)
    else:
        patched = strategic_merge(current, patch)
    if not isinstance(patched, dict) or not isinstance(patched.get("metadata"), dict):
        raise bad_request("the patched object has no metadata")
    return patched


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386: null deletes, objects are merged, anything else replaces."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def json_patch(target: Obj, operations: list[Obj]) -> Any:
    """RFC 6902, applied as a whole or not at all."""
    document: Any = copy.deepcopy(target)
    for operation in operations:
        kind, path = operation.get("op"), operation.get("path")
        if not isinstance(path, str) or (path and not path.startswith("/")):
            raise bad_request(f"invalid JSON pointer: {path!r}")
        if kind in {"move", "copy"}:
            value = copy.deepcopy(_resolve(document, operation["from"]))
            if kind == "move":
                document = _remove(document, operation["from"])
            document = _add(document, path, value)
        elif kind == "add":
            document = _add(document, path, copy.deepcopy(operation.get("value")))
        elif kind == "remove":
            document = _remove(document, path)
        elif kind == "replace":
            _resolve(document, path)  # it must be there
            document = _add(_remove(document, path), path, copy.deepcopy(operation.get("value")))
        elif kind == "test":
            if _resolve(document, path, missing=None) != operation.get("value"):
                raise rejected_patch()
        else:
            raise rejected_patch()
    return document


_ABSENT = object()


def _keys(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _index(array: list[Any], key: str, *, end: bool = False) -> int:
    if end and key == "-":
        return len(array)
    if not key.isdigit() or int(key) >= len(array) + end:
        raise rejected_patch()
    return int(key)


def _resolve(document: Any, pointer: str, missing: Any = _ABSENT) -> Any:
    for key in _keys(pointer):
        if isinstance(document, list):
            document = document[_index(document, key)]
        elif isinstance(document, dict) and key in document:
            document = document[key]
        elif missing is not _ABSENT:
            return missing
        else:
            raise rejected_patch()
    return document


def _add(document: Any, pointer: str, value: Any) -> Any:
    if not pointer:
        return value
    parent_pointer, _, _ = pointer.rpartition("/")
    parent, last = _resolve(document, parent_pointer), _keys(pointer)[-1]
    if isinstance(parent, list):
        parent.insert(_index(parent, last, end=True), value)
    elif isinstance(parent, dict):
        parent[last] = value
    else:
        raise rejected_patch()
    return document


def _remove(document: Any, pointer: str) -> Any:
    _resolve(document, pointer)
    if not pointer:
        return None
    parent_pointer, _, _ = pointer.rpartition("/")
    parent, last = _resolve(document, parent_pointer), _keys(pointer)[-1]
    del parent[_index(parent, last) if isinstance(parent, list) else last]
    return document


def strategic_merge(target: Obj, patch: Obj) -> Obj:
    """Kubernetes' own merge: as RFC 7386, but lists of named things are merged by name."""
    if patch.get("$patch") == "replace":
        return copy.deepcopy({key: value for key, value in patch.items() if key != "$patch"})
    merged = copy.deepcopy(target)
    if "$retainKeys" in patch:
        merged = {key: value for key, value in merged.items() if key in patch["$retainKeys"]}
    for key, gone in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            field = key.partition("/")[2]
            merged[field] = [value for value in merged.get(field, []) if value not in gone]
    for key, value in patch.items():
        if key.startswith(_DIRECTIVES):
            continue
        old = merged.get(key)
        if value is None or (isinstance(value, dict) and value.get("$patch") == "delete"):
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = strategic_merge(old if isinstance(old, dict) else {}, value)
        elif isinstance(value, list) and isinstance(old, list):
            merged[key] = _merge_lists(key, old, value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def _merge_lists(field: str, old: list[Any], patch: list[Any]) -> list[Any]:
    if field in _MERGED_SETS:
        return old + [value for value in patch if value not in old]
    items = [value for value in patch if isinstance(value, dict)]
    keys = _MERGE_KEYS.get(field, ())
    key = next((key for key in keys if items and all(key in item for item in items)), None)
    if key is None:
        return [value for value in copy.deepcopy(patch) if value != {"$patch": "replace"}]
    if {"$patch": "replace"} in patch:
        old = []
    merged = {item[key]: item for item in old}
    for item in items:
        if item.get("$patch") == "delete":
            merged.pop(item[key], None)
        else:
            merged[item[key]] = strategic_merge(merged.get(item[key], {}), item)
    return list(merged.values())
