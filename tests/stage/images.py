"""The two images of the stage itself: what holds a pod's namespaces, and a shell for tests."""

from __future__ import annotations

import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

from tests.stage.oci import Image

PAUSE = "stage.invalid/pause:1"
BUSYBOX = "stage.invalid/busybox:1"
_APPLETS = ("sh", "sleep", "cat", "echo", "ls", "httpd", "nc", "id", "mkdir", "rm", "test", "true")


def write(directory: Path, *, pause: Path, busybox: Path) -> None:
    """Write both to a directory that is made.

    Args:
        directory: Where to.
        pause: The program that waits in every pod.
        busybox: That of Debian's busybox-static.
    """
    directory.mkdir()
    _write(directory / "pause.tar", PAUSE, pause, {}, {"Entrypoint": ["/pause"]})
    links = {f"bin/{applet}": "/busybox" for applet in _APPLETS}
    shell = {"Cmd": ["/bin/sh"], "Env": ["PATH=/bin"]}
    _write(directory / "busybox.tar", BUSYBOX, busybox, links, shell)


def _write(
    path: Path, name: str, program: Path, links: dict[str, str], settings: dict[str, list[str]]
) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent) as layer:
        with tarfile.open(fileobj=layer, mode="w") as archive:
            content = program.read_bytes()
            entry = tarfile.TarInfo(program.name)
            entry.mode, entry.size = 0o755, len(content)
            archive.addfile(entry, BytesIO(content))
            for link, target in links.items():
                entry = tarfile.TarInfo(link)
                entry.type, entry.linkname = tarfile.SYMTYPE, target
                archive.addfile(entry)
        layer.flush()
        Image(name, (Path(layer.name),), settings).write(path)
