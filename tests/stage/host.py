"""What a stage changes on the machine outside its own directory: noted first, put back at the end.

All of it is named here. What a kubelet, containerd or a network plugin lets one place elsewhere is
placed in the stage's directory, and is no concern of this module.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.deadlines import Deadline, eventually
from harness.errors import FailedError

NODE_ADDRESS = "10.254.0.1"
BRIDGE = "stage0"
NETWORK = "sandbox-lifecycle-stage"

# The kubelet insists on the first six; the bridge plugin forwards.
_SETTINGS = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "net/ipv4/ip_forward",
)
# Paths that are fixed in the programs. What is not ours in them stays.
_DEVICE_PLUGINS = Path("/var/lib/kubelet/device-plugins")
_LINKS_TO_LOGS = Path("/var/log/containers")
_NETWORK_RESULTS = Path("/var/lib/cni/results")
_SHIM_SOCKETS = Path("/run/containerd/s")
_FOLDERS = (
    _DEVICE_PLUGINS,
    _LINKS_TO_LOGS,
    Path("/var/log/pods"),
    _NETWORK_RESULTS,
    Path("/var/lib/cni/networks"),
    _SHIM_SOCKETS,
    Path("/run/containerd/runc"),
    Path("/run/netns"),
    Path("/run/mount"),
    Path("/opt/containerd/bin"),
    Path("/opt/containerd/lib"),
)
_UNMOUNTED = Deadline(20, "a mount is busy until the last process in it is gone")
_RECORD = "host.json"


def note(directory: Path) -> None:
    """Write down how the machine is, before anything of it is changed."""
    record = {
        "settings": {name: _setting(name).read_text().strip() for name in _present_settings()},
        "missing": [str(path) for path in _with_parents() if not path.exists()],
        "device_plugins": sorted(_entries(_DEVICE_PLUGINS)),
    }
    temporary = directory / f"{_RECORD}.new"
    temporary.write_text(json.dumps(record, indent=1))
    temporary.rename(directory / _RECORD)


def change() -> None:
    """Give the machine the node's address. Forwarding is left to the network plugin."""
    _ip("address", "add", f"{NODE_ADDRESS}/32", "dev", "lo")


def shim_sockets(directory: Path) -> list[Path]:
    """Sockets of the stage's containers; a container that was removed has taken its own along."""
    found = []
    for path in directory.glob("containerd-run/io.containerd.runtime.v2.task/*/*/address"):
        with suppress(OSError):
            found.append(Path(path.read_text().strip().removeprefix("unix://")))
    return found


def restore(directory: Path, sockets: list[Path]) -> None:
    """Put everything back as `note` found it. What is done already is no error.

    Args:
        directory: That of the stage.
        sockets: What `shim_sockets` found before the processes were ended.
    """
    unmount_below(directory)
    if has_bridge():
        _ip("link", "delete", BRIDGE)
    if has_address():
        _ip("address", "delete", f"{NODE_ADDRESS}/32", "dev", "lo")
    path = directory / _RECORD
    if not path.exists():
        return  # ended before it was begun
    record: dict[str, Any] = json.loads(path.read_text())
    for name, value in record["settings"].items():
        if _setting(name).read_text().strip() != value:
            _setting(name).write_text(value)
    _remove_entries(directory, set(record["device_plugins"]), sockets)
    for missing in record["missing"]:
        with suppress(OSError):  # somebody else has put something in it meanwhile
            Path(missing).rmdir()


def unmount_below(directory: Path) -> None:
    """Unmount all that is mounted below a directory, the innermost first."""

    def none_left() -> None:
        for point in reversed(_mounted_below(directory)):
            done = _run("umount", str(point))
            if done.returncode and point in _mounted_below(directory):
                raise FailedError(f"{point} cannot be unmounted", found=done.stderr.strip())

    eventually(none_left, _UNMOUNTED, on=FailedError)


def _remove_entries(directory: Path, device_plugins: set[str], sockets: list[Path]) -> None:
    for name in set(_entries(_DEVICE_PLUGINS)) - device_plugins:
        (_DEVICE_PLUGINS / name).unlink()
    for name in _entries(_LINKS_TO_LOGS):
        link = _LINKS_TO_LOGS / name
        if link.is_symlink() and link.readlink().is_relative_to(directory):
            link.unlink()
    pods = _entries(directory / "containerd" / "io.containerd.grpc.v1.cri" / "sandboxes")
    for name in _entries(_NETWORK_RESULTS):
        # Those of its loopback have no name of ours in theirs.
        if any(pod in name for pod in pods):
            (_NETWORK_RESULTS / name).unlink(missing_ok=True)
    for socket in sockets:
        if socket.parent == _SHIM_SOCKETS:
            socket.unlink(missing_ok=True)


def _mounted_below(directory: Path) -> list[Path]:
    # In the order in which they were mounted; a space in a path is written \040.
    points = [
        Path(line.split()[4].replace("\\040", " "))
        for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    ]
    return [point for point in points if point.is_relative_to(directory)]


def _with_parents() -> list[Path]:
    """The folders and all above them, the innermost first: removed in this order."""
    every = {parent for path in _FOLDERS for parent in (path, *path.parents)}
    return sorted(every, key=lambda path: len(path.parts), reverse=True)


def _present_settings() -> list[str]:
    return [name for name in _SETTINGS if _setting(name).exists()]


def _setting(name: str) -> Path:
    return Path("/proc/sys") / name


def _entries(folder: Path) -> list[str]:
    with suppress(FileNotFoundError):
        return os.listdir(folder)  # noqa: PTH208
    return []


def has_address() -> bool:
    """Whether the machine has the node's address."""
    return f"inet {NODE_ADDRESS}/" in _ip("-4", "address", "show")


def routes_to(network: str) -> str:
    """Routes of the machine into a network or a part of it, as `ip` prints them."""
    return _ip("-4", "route", "show", "table", "all", "to", "root", network).strip()


def has_bridge() -> bool:
    """Whether there is a link of the name of the stage's bridge."""
    # Not asked of /sys: that shows the network of whoever mounted it.
    return f": {BRIDGE}:" in _ip("-o", "link", "show")


def _ip(*words: str) -> str:
    done = _run("ip", *words)
    if done.returncode:
        raise FailedError(f"ip {' '.join(words)} failed", found=done.stderr.strip())
    return done.stdout


def _run(name: str, *words: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which(name) or f"/usr/sbin/{name}"
    return subprocess.run([program, *words], capture_output=True, text=True, check=False)
