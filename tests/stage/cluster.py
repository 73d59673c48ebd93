"""A real Kubernetes with a real Argo CD on this machine: started, used, and ended without a trace.

Everything about a stage lies in its directory, so any later process finds it there: another
starter, a test, or the `down` of somebody whose `up` was killed.
"""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEFAULT_DIRECTORY = Path("/var/tmp/sandbox-lifecycle-stage")
NODE_ADDRESS = "10.254.0.1"


class SelfHeal(Enum):
    """How long Argo CD waits between two reverts of the same Application."""

    FAST = "fast"  # 1 s, always
    DEFAULT = "default"  # 2 s, tripled each time, up to 300 s


@dataclass(frozen=True, slots=True)
class Stage:
    """A running stage.

    Args:
        directory: Its state. Nothing else is needed to use it or to end it.
        bundle: The programs it was started from.
    """

    directory: Path
    bundle: Path

    @property
    def kubeconfig(self) -> Path:
        """The administrator's way in."""

    @property
    def node_address(self) -> str:
        """The address that pods and processes of this machine both reach: 10.254.0.1."""

    @property
    def api_url(self) -> str:
        """Where the API server listens: https://10.254.0.1:<port>; pods reach it there too."""

    @property
    def repository_url(self) -> str:
        """The git repository that Argo CD reads (branch main)."""

    @property
    def logs(self) -> Path:
        """Directory with one <component>.log each."""

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl as administrator; returns what it printed.

        Raises:
            FailedError: It ended with another exit code than 0.
        """

    def apply(self, *objects: Mapping[str, Any]) -> None:
        """Server-side apply of objects."""

    def import_image(self, archive: Path) -> None:
        """Import an OCI or docker-save tar. Pods use it with `imagePullPolicy: Never`."""

    def push(self, files: Mapping[str, str | None], message: str = "Change") -> str:
        """Commit files (path → content, None removes) to branch main; returns the revision.

        Argo CD sees it after at most about 10 s; at once after `refresh_application`.
        """

    def refresh_application(self, name: str) -> None:
        """Have Argo CD look at an Application now (annotation refresh: normal)."""

    def provide_volume(self, name: str, *, claim: str, namespace: str, size: str = "1Gi") -> Path:
        """Make a static PersistentVolume (hostPath below the stage) bound for one claim.

        Class is "" (none); the claim must ask for storageClassName "". Returns the directory.
        """

    def components(self) -> list[str]:
        """Names: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, containerd,
        kubelet, redis, argocd-repo-server, argocd-application-controller, git-daemon."""

    def pid(self, component: str) -> int | None:
        """Its process, or None while it is stopped."""

    def stop_component(self, name: str, *, kill: bool = False) -> None:
        """End one component (SIGTERM, or SIGKILL) and return when it is gone. Containers run on."""

    def start_component(self, name: str) -> None:
        """Start a stopped component again, as before, and return when it answers."""

    def use_self_heal(self, how: SelfHeal) -> None:
        """Restart the application controller with another back-off."""


def up(
    directory: Path = DEFAULT_DIRECTORY, *, self_heal: SelfHeal = SelfHeal.FAST
) -> Stage:
    """Start a stage and return when its API, its node and its Argo CD answer.

    Raises:
        ConfigurationError: This machine cannot carry one; nothing was changed.
        RefusedError: Another one is up, or something else is in the way; nothing was changed.
    """


def down(directory: Path | None = None) -> None:
    """End the stage in a directory (None: the one that is up), and put the machine back."""


def find(directory: Path | None = None) -> Stage | None:
    """The stage that is up, or None."""


@contextmanager
def running(
    directory: Path = DEFAULT_DIRECTORY, *, self_heal: SelfHeal = SelfHeal.FAST
) -> Iterator[Stage]:
    """A stage for the length of a block."""
