"""Addresses and paths of a stage that more than one component has to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.stage.bundle import program
from tests.stage.host import NODE_ADDRESS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stage.certificates import Authority

LOOPBACK = "127.0.0.1"
# The first address of this range is that of the Service `kubernetes`. It being the node's own, and
# the port the one of an API server's Service, a pod's usual way in works without a kube-proxy.
SERVICES = "10.254.0.0/24"
PODS = "10.244.0.0/24"
API_PORT = 443
PORTS = {
    "kube-apiserver": (NODE_ADDRESS, API_PORT),
    "etcd": (LOOPBACK, 21379),
    "etcd, for its peers": (LOOPBACK, 21380),
    "kube-controller-manager": (LOOPBACK, 21257),
    "kube-scheduler": (LOOPBACK, 21259),
    "kubelet": (NODE_ADDRESS, 10250),
    "kubelet, of its health": (LOOPBACK, 21248),
    "redis": (LOOPBACK, 21637),
    "argocd-repo-server": (LOOPBACK, 21081),
    "argocd-repo-server, of its metrics": (LOOPBACK, 21084),
    # It can be told the port only; it listens on every address.
    "argocd-application-controller": (LOOPBACK, 21082),
    "vault": (NODE_ADDRESS, 8200),
}
API_URL = f"https://{NODE_ADDRESS}"
NODE_NAME = "stage"


@dataclass(frozen=True, slots=True)
class Places:
    """What the makers of components need.

    Args:
        directory: The stage's own.
        bundle: The programs.
        authority: Signs for everything but etcd.
    """

    directory: Path
    bundle: Path
    authority: Authority

    def program(self, name: str) -> str:
        """The path of a program, as a command begins with it."""
        return str(program(self.bundle, name))

    def folder(self, name: str, mode: int = 0o700) -> Path:
        """A folder of the stage, made if need be."""
        path = self.directory / name
        path.mkdir(mode=mode, parents=True, exist_ok=True)
        return path

    def kubeconfig(self, file: str, name: str, *groups: str) -> Path:
        """A way in for a component, as a user."""
        pair = self.authority.issue(f"client-{file}", name, *groups)
        path = self.directory / f"{file}.kubeconfig"
        return self.authority.kubeconfig(path, API_URL, pair)


def at(name: str) -> str:
    """The address and port of a component, joined by a colon."""
    address, port = PORTS[name]
    return f"{address}:{port}"
