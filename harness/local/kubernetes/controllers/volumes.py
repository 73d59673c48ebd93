"""Volumes of ConfigMaps and Secrets, as files of this host.

Containers are processes that share the host's files, so a mount path is a folder of the host: it is
filled where it lies in the stand-in's own directory, and is otherwise taken to be there already.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

from harness.local.kubernetes.controllers.environment import MissingReferenceError
from harness.local.kubernetes.resources import CONFIG_MAPS, SECRETS

if TYPE_CHECKING:
    from harness.local.kubernetes.resources import Obj
    from harness.local.kubernetes.store import Store

_KINDS = (("configMap", "name", CONFIG_MAPS), ("secret", "secretName", SECRETS))


def fill(store: Store, pod: Obj, container: Obj, own: Path) -> None:
    """Write what the volumes of a container hold.

    Args:
        store: The objects.
        pod: The pod.
        container: The container's part of it.
        own: The stand-in's directory.

    Raises:
        MissingReferenceError: A ConfigMap or Secret is not there.
    """
    volumes = {each["name"]: each for each in pod["spec"].get("volumes") or []}
    for mount in container.get("volumeMounts") or []:
        folder, volume = Path(mount["mountPath"]), volumes.get(mount["name"], {})
        if not folder.is_relative_to(own):
            continue
        for source, key, resource in _KINDS:
            if source in volume:
                name = volume[source][key]
                found = store.get(resource, pod["metadata"]["namespace"], name)
                if found is None:
                    raise MissingReferenceError(f'{resource.kind.lower()} "{name}" not found')
                _write(folder, found.get("data") or {}, encoded=resource is SECRETS)


def _write(folder: Path, data: dict[str, str], *, encoded: bool) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, text in data.items():
        fresh = folder / f".{name}.new"
        fresh.touch(mode=0o600)
        fresh.write_bytes(base64.b64decode(text) if encoded else text.encode())
        fresh.replace(folder / name)
