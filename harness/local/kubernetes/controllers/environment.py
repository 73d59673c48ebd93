"""The command and the environment of a container, with what they refer to filled in."""

from __future__ import annotations

import base64
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.local.kubernetes.resources import CONFIG_MAPS, SECRETS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.local.kubernetes.resources import Obj, Resource
    from harness.local.kubernetes.store import Store

_FROM_HOST = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR")
"""All that a container sees of the host's own environment: what a program needs to start."""

_REFERENCE = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_]*)\)")
_ROOT = Path(__file__).parents[4]
_PROGRAMS = Path(sys.executable).parent
_SOURCES = (
    ("secretRef", "secretKeyRef", SECRETS),
    ("configMapRef", "configMapKeyRef", CONFIG_MAPS),
)


class MissingReferenceError(Exception):
    """A Secret or ConfigMap that a variable is to come from is not there."""


def environment_of(store: Store, pod: Obj, container: Obj) -> dict[str, str]:
    """Every variable that the container is started with."""
    variables = {name: os.environ[name] for name in _FROM_HOST if name in os.environ}
    variables |= _of_the_image(variables)
    for entry in container.get("envFrom") or []:
        variables |= _all_of(store, pod, entry)
    for entry in container.get("env") or []:
        if "valueFrom" in entry:
            variables[entry["name"]] = _referred(store, pod, entry["valueFrom"])
        else:
            variables[entry["name"]] = expand(entry.get("value") or "", variables)
    return variables


def _of_the_image(variables: Mapping[str, str]) -> dict[str, str]:
    """There is one image: this project, under the Python that runs the stand-in."""
    path = os.pathsep.join(filter(None, [str(_PROGRAMS), variables.get("PATH")]))
    return {"PATH": path, "PYTHONPATH": str(_ROOT)}


def command_of(container: Obj, variables: Mapping[str, str]) -> list[str]:
    """Program and arguments. An image has no entrypoint here, so `command` is needed."""
    words = [*(container.get("command") or []), *(container.get("args") or [])]
    return [expand(word, variables) for word in words]


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Replace `$(NAME)`; an unknown name stays as it is."""
    return _REFERENCE.sub(lambda found: variables.get(found[1], found[0]), text)


def _referred(store: Store, pod: Obj, source: Obj) -> str:
    if "fieldRef" in source:
        value = pod
        for part in source["fieldRef"]["fieldPath"].split("."):
            value = value.get(part, "")
        return str(value)
    for _, field, resource in _SOURCES:
        if field in source:
            name, key = source[field]["name"], source[field]["key"]
            data = _data(store, pod, resource, name) or {}
            if key not in data:
                raise MissingReferenceError(f"couldn't find key {key} in {resource.kind} {name}")
            return data[key]
    raise MissingReferenceError(f"no source that is known here: {sorted(source)}")


def _all_of(store: Store, pod: Obj, entry: Obj) -> dict[str, str]:
    for field, _, resource in _SOURCES:
        if field in entry:
            name = entry[field]["name"]
            data = _data(store, pod, resource, name)
            if data is None and not entry[field].get("optional"):
                raise MissingReferenceError(f'{resource.kind.lower()} "{name}" not found')
            prefix = entry.get("prefix", "")
            return {f"{prefix}{key}": value for key, value in (data or {}).items()}
    raise MissingReferenceError(f"no source that is known here: {sorted(entry)}")


def _data(store: Store, pod: Obj, resource: Resource, name: str) -> dict[str, str] | None:
    found = store.get(resource, pod["metadata"]["namespace"], name)
    if found is None:
        return None
    data: dict[str, str] = found.get("data") or {}
    if resource is SECRETS:
        return {key: base64.b64decode(value).decode() for key, value in data.items()}
    return data
