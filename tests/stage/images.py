"""Container images without a registry: archives in the OCI layout, of one layer each."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PAUSE = "stage.invalid/pause:1"
BUSYBOX = "stage.invalid/busybox:1"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_APPLETS = ("sh", "sleep", "cat", "echo", "ls", "httpd", "nc", "id", "mkdir", "rm", "test", "true")


def write_pause(directory: Path, program: Path) -> None:
    """The image that holds the namespaces of every pod."""
    files = {"pause": program.read_bytes()}
    _write(directory / "pause.tar", PAUSE, _layer(files), {"Entrypoint": ["/pause"]})


def write_busybox(directory: Path, program: Path) -> None:
    """A shell and a little more, for pods of tests."""
    links = {f"bin/{applet}": "busybox" for applet in _APPLETS}
    layer = _layer({"bin/busybox": program.read_bytes()}, links, folders=("tmp",))
    settings = {"Cmd": ["/bin/sh"], "Env": ["PATH=/bin"]}
    _write(directory / "busybox.tar", BUSYBOX, layer, settings)


def _layer(
    files: Mapping[str, bytes], links: Mapping[str, str] | None = None, folders: Sequence[str] = ()
) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in folders:
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777
            archive.addfile(entry)
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.mode, entry.size = 0o755, len(content)
            archive.addfile(entry, io.BytesIO(content))
        for name, target in (links or {}).items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
    return packed.getvalue()


def _write(path: Path, name: str, layer: bytes, settings: Mapping[str, Any]) -> None:
    blobs: dict[str, bytes] = {}

    def kept(content: bytes, kind: str) -> dict[str, Any]:
        digest = hashlib.sha256(content).hexdigest()
        blobs[digest] = content
        return {
            "mediaType": f"application/vnd.oci.image.{kind}",
            "digest": f"sha256:{digest}",
            "size": len(content),
        }

    told = {
        "os": "linux",
        "architecture": _ARCHITECTURES[os.uname().machine],
        "config": settings,
        "rootfs": {
            "type": "layers",
            "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"],
        },
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": kept(json.dumps(told).encode(), "config.v1+json"),
        "layers": [kept(gzip.compress(layer, 6, mtime=0), "layer.v1.tar+gzip")],
    }
    reference = kept(json.dumps(manifest).encode(), "manifest.v1+json")
    reference["annotations"] = {"io.containerd.image.name": name}
    index = {"schemaVersion": 2, "manifests": [reference]}
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for file, content in {
            "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
            "index.json": json.dumps(index).encode(),
            **{f"blobs/sha256/{digest}": content for digest, content in blobs.items()},
        }.items():
            entry = tarfile.TarInfo(file)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
