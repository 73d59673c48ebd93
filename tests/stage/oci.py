"""An image as a file: an OCI layout in one tar, as `ctr images import` takes it."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_LAYER = "application/vnd.oci.image.layer.v1.tar"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"
_NAMES = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True)
class Image:
    """What an image is made of.

    Args:
        name: Its name with its tag.
        layers: Plain tars, the lowest first. Not compressed: they never leave the machine.
        config: How it is run, in the words of the OCI image specification.
    """

    name: str
    layers: tuple[Path, ...]
    config: dict[str, Any] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write it to a file, under its name only when it is whole."""
        unfinished = path.with_name(f"{path.name}.new")
        with tarfile.open(unfinished, "w") as tar:
            _add(tar, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
            layers = [_add_layer(tar, layer) for layer in self.layers]
            config = _blob(tar, _CONFIG, _json(self._run_as(layers)))
            manifest = {
                "schemaVersion": 2,
                "mediaType": _MANIFEST,
                "config": config,
                "layers": layers,
            }
            told = _blob(tar, _MANIFEST, _json(manifest))
            told["annotations"] = dict.fromkeys(_NAMES, self.name)
            index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": [told]}
            _add(tar, "index.json", _json(index))
        unfinished.rename(path)

    def _run_as(self, layers: Iterable[dict[str, Any]]) -> dict[str, Any]:
        machine = platform.machine()
        return {
            "architecture": _ARCHITECTURES.get(machine, machine),
            "os": "linux",
            "config": self.config,
            # Of a layer that is not compressed this is the digest, too.
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]},
        }


def _add_layer(tar: tarfile.TarFile, layer: Path) -> dict[str, Any]:
    with layer.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        told = _described(_LAYER, digest, layer.stat().st_size)
        file.seek(0)
        tar.addfile(_entry(f"blobs/sha256/{digest}", told["size"]), file)
    return told


def _blob(tar: tarfile.TarFile, kind: str, content: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    _add(tar, f"blobs/sha256/{digest}", content)
    return _described(kind, digest, len(content))


def _described(kind: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": kind, "digest": f"sha256:{digest}", "size": size}


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    tar.addfile(_entry(name, len(content)), io.BytesIO(content))


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o644
    return entry


def _json(content: Any) -> bytes:
    return json.dumps(content, sort_keys=True).encode()
