"""Whether this machine can carry a stage; asked before anything of it is changed."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path

from harness.errors import ConfigurationError, RefusedError
from tests.stage import group, host
from tests.stage.places import PODS, PORTS, SERVICES

_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
_PROGRAMS = ("apt-get", "dpkg", "git", "ip", "mount", "nice", "umount")
# A unix socket's path ends at 107 characters, and the kubelet's lie deep.
_LONGEST = 60
_MEMORY_MB = 2000
_LISTENING = "0A"
_EVERYWHERE = "0.0.0.0"  # noqa: S104  compared with, not listened on


def check(directory: Path) -> None:
    """Refuse what cannot work.

    Raises:
        ConfigurationError: The machine, the user or the directory is not fit for it.
        RefusedError: Something else is in the way.
    """
    _check_system()
    _check_directory(directory)
    _check_memory()
    _check_network()
    _check_ports()
    _check_filter()


def _check_system() -> None:
    what = "a stage cannot be started"
    if sys.platform != "linux":
        raise ConfigurationError(
            what,
            found=sys.platform,
            expected="Linux",
            remedy="use a virtual machine with Debian 12",
        )
    if os.geteuid() != 0:
        raise ConfigurationError(
            what,
            found=f"user id {os.geteuid()}",
            expected="root: a kubelet mounts, and makes network and control groups",
            remedy="run it as root, best in a virtual machine",
        )
    if not group.writable():
        raise ConfigurationError(
            what,
            found="no control groups that can be written to under /sys/fs/cgroup",
            expected="a machine, or a container with --privileged and --cgroupns=private",
            remedy="run it in a virtual machine, or mount the control groups writable",
        )
    if missing := [name for name in _PROGRAMS if shutil.which(name, path=_PATH) is None]:
        raise ConfigurationError(
            what,
            found=f"no {', '.join(missing)} on PATH",
            expected="all of them",
            remedy="apt-get install git iproute2 mount",
        )


def _check_directory(directory: Path) -> None:
    what = f"a stage cannot be kept in {directory}"
    if len(str(directory)) > _LONGEST:
        raise ConfigurationError(
            what,
            found=f"{len(str(directory))} characters",
            expected=f"at most {_LONGEST}, for sockets below it have long names",
            remedy="choose a shorter one: --directory",
        )
    if directory.exists() and any(directory.iterdir()):
        raise RefusedError(
            what,
            found="it is not empty",
            expected="no such directory, or an empty one",
            remedy=f"choose another one, or: python -m tests.stage down --directory {directory}",
        )


def _check_memory() -> None:
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    told = dict(line.split(":") for line in lines)
    free = int(told["MemAvailable"].split()[0]) // 1024
    if free < _MEMORY_MB:
        raise ConfigurationError(
            "a stage cannot be started",
            found=f"{free} MB of memory to be had",
            expected=f"{_MEMORY_MB} MB: it takes half of it, what runs on it the rest",
            remedy="end something else, or use a larger machine",
        )


def _check_network() -> None:
    what = "the network of a stage cannot be made"
    if host.has_address() or host.has_bridge():
        raise RefusedError(
            what,
            found=f"the address {host.NODE_ADDRESS} or the link {host.BRIDGE} is there already",
            expected="neither",
            remedy="end what has made them: ip address show",
        )
    for network in (PODS, SERVICES):
        if routes := host.routes_to(network):
            raise RefusedError(
                what,
                found=f"a route of something else: {routes.splitlines()[0]}",
                expected=f"none into {network}",
                remedy="end what has made it, or use a machine without it",
            )


def _check_ports() -> None:
    taken = _listening()
    for name, (address, port) in PORTS.items():
        own = {address, _EVERYWHERE}
        if found := sorted(listener for listener, its in taken if its == port and listener in own):
            raise RefusedError(
                f"{name} cannot listen on {address}:{port}",
                found=f"something else listens on {', '.join(found)}, port {port}",
                expected="a free port",
                remedy=f"end it; this tells what it is: ss -ltnp sport = :{port}",
            )


def _listening() -> set[tuple[str, int]]:
    """Addresses and ports that somebody listens on; all of IPv6 counts as every address."""
    found = set()
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        _, local, _, state, *_ = line.split()
        if state == _LISTENING:
            address, _, port = local.partition(":")
            # The kernel prints the address as a number, in the order of this machine.
            packed = struct.pack("=I", int(address, 16))
            found.add((socket.inet_ntoa(packed), int(port, 16)))
    sixth = Path("/proc/net/tcp6")
    for line in sixth.read_text(encoding="ascii").splitlines()[1:] if sixth.exists() else []:
        _, local, _, state, *_ = line.split()
        address, _, port = local.partition(":")
        if state == _LISTENING and not int(address, 16):
            found.add((_EVERYWHERE, int(port, 16)))
    return found


def _check_filter() -> None:
    """Docker with its own rules lets nothing be forwarded but what it knows."""
    iptables = shutil.which("iptables", path=_PATH)
    if iptables is None:
        return
    told = subprocess.run(
        [iptables, "-w", "5", "-S", "FORWARD"], capture_output=True, text=True, check=False
    )
    if told.returncode:
        raise RefusedError(
            "nobody knows whether pods of a stage could reach one another",
            found=f"iptables -S FORWARD: exit code {told.returncode}: {told.stderr.strip()}",
            expected="its rules",
            remedy="see that `iptables -S FORWARD` works here, as root",
        )
    if "-P FORWARD DROP" in told.stdout:
        raise RefusedError(
            "pods of a stage could not reach one another",
            found="iptables drops what is forwarded (-P FORWARD DROP), as Docker sets it",
            expected="-P FORWARD ACCEPT",
            remedy="start Docker with --iptables=false, then: iptables -P FORWARD ACCEPT",
        )
