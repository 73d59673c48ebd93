"""The command and the environment of a container, with what they refer to filled in."""

from __future__ import annotations

import base64
import os
import re
from typing import TYPE_CHECKING

from harness.local.kubernetes.resources import BY_QUALIFIED, SECRETS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.local.kubernetes.resources import Obj
    from harness.local.kubernetes.store import Store

_FROM_HOST = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR")
"""All that a container sees of the host's own environment: what a program needs to start."""

_REFERENCE = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_]*)\)")
_CONFIG_MAPS = BY_QUALIFIED["configmaps"]


class MissingReferenceError(Exception):
    """A Secret or ConfigMap that a variable is to come from is not there."""


def environment_of(store: Store, pod: Obj, container: Obj) -> dict[str, str]:
    """Every variable that the container is started with."""
    variables = {name: os.environ[name] for name in _FROM_HOST if name in os.environ}
    for entry in container.get("env") or []:
        if "valueFrom" in entry:
            variables[entry["name"]] = _referred(store, pod, entry["valueFrom"])
        else:
            variables[entry["name"]] = expand(entry.get("value") or "", variables)
    return variables


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
    for field, resource in (("secretKeyRef", SECRETS), ("configMapKeyRef", _CONFIG_MAPS)):
        if field in source:
            name, key = source[field]["name"], source[field]["key"]
            found = store.get(resource, pod["metadata"]["namespace"], name) or {}
            if key not in found.get("data", {}):
                raise MissingReferenceError(f"couldn't find key {key} in {resource.kind} {name}")
            value = found["data"][key]
            return base64.b64decode(value).decode() if resource is SECRETS else str(value)
    raise MissingReferenceError(f"no source that is known here: {sorted(source)}")
