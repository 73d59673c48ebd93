"""A stage that runs, as whoever tests on it uses it."""

from __future__ import annotations

import json
import signal
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.errors import FailedError
from tests.stage import argocd, components, repository
from tests.stage.bundle import program
from tests.stage.host import NODE_ADDRESS
from tests.stage.node import socket
from tests.stage.places import API_URL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.stage.argocd import SelfHeal


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
        return self.directory / "admin.kubeconfig"

    @property
    def node_address(self) -> str:
        """The address at which pods and processes of this machine reach one another."""
        return NODE_ADDRESS

    @property
    def api_url(self) -> str:
        """Where the API server listens, for pods too."""
        return API_URL

    @property
    def authority(self) -> Path:
        """The certificate that the API server's is checked against."""
        return self.directory / "certificates" / "authority.crt"

    @property
    def repository_url(self) -> str:
        """The git repository that Argo CD reads; its branch is `main`."""
        return f"file://{self.repository}"

    @property
    def repository(self) -> Path:
        """Where that repository lies."""
        return self.directory / "repository.git"

    @property
    def logs(self) -> Path:
        """The directory with a log for each component."""
        return self.directory / "logs"

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """Run kubectl as the administrator; returns what it printed.

        Raises:
            FailedError: It ended with another exit code than 0.
        """
        way_in = f"--kubeconfig={self.kubeconfig}"
        return self._run("kubectl", way_in, *arguments, stdin=stdin)

    def apply(self, *objects: Mapping[str, Any]) -> None:
        """Apply objects on the server's side."""
        everything = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        options = ("--server-side", "--force-conflicts", "--filename=-")
        self.kubectl("apply", *options, stdin=json.dumps(everything))

    def get(self, kind: str, name: str, namespace: str = "default") -> dict[str, Any]:
        """Read one object.

        Raises:
            FailedError: There is none.
        """
        told = self.kubectl("get", kind, name, f"--namespace={namespace}", "--output=json")
        found: dict[str, Any] = json.loads(told)
        return found

    def import_image(self, archive: Path) -> None:
        """Import images from an archive; pods use them with `imagePullPolicy: Never`.

        Args:
            archive: A tar in the OCI layout, or what `docker save` writes.
        """
        address = f"--address={socket(self.directory)}"
        self._run("ctr", address, "--namespace=k8s.io", "images", "import", str(archive))

    def push(self, files: Mapping[str, str | None], message: str = "Change") -> str:
        """Commit files to the branch `main`; returns the revision.

        Argo CD looks every 10 s, and at once after `refresh_application`.

        Args:
            files: New content by path; None removes one.
            message: Of the commit.
        """
        return repository.push(self.repository, files, message)

    def read(self, name: str) -> str:
        """A file as the branch `main` has it."""
        return repository.read(self.repository, name)

    def refresh_application(self, name: str) -> None:
        """Have Argo CD look at an Application now."""
        wanted = "argocd.argoproj.io/refresh=normal"
        where = f"--namespace={argocd.NAMESPACE}"
        self.kubectl("annotate", "application", name, wanted, "--overwrite", where)

    def provide_volume(self, name: str, *, claim: str, namespace: str, size: str = "1Gi") -> Path:
        """Make a volume for one claim, which asks for the storage class "" (none).

        Returns:
            Its directory on this machine; it goes with the stage.
        """
        path = self.directory / "volumes" / name
        path.mkdir(mode=0o777, parents=True)
        path.chmod(0o777)  # the process in the pod may be any user
        self.apply(
            {
                "apiVersion": "v1",
                "kind": "PersistentVolume",
                "metadata": {"name": name},
                "spec": {
                    "capacity": {"storage": size},
                    "accessModes": ["ReadWriteOnce", "ReadWriteMany"],
                    "persistentVolumeReclaimPolicy": "Retain",
                    "claimRef": {"namespace": namespace, "name": claim},
                    "hostPath": {"path": str(path), "type": "Directory"},
                },
            }
        )
        return path

    def components(self) -> list[str]:
        """The names of the processes that are no containers."""
        return components.names(self.directory)

    def pid(self, component: str) -> int | None:
        """The process of a component; None while it is stopped."""
        return components.pid(self.directory, component)

    def stop_component(self, name: str, *, kill: bool = False) -> None:
        """End a component and return when it is gone; containers run on."""
        components.kept(self.directory, name)
        number = signal.SIGKILL if kill else signal.SIGTERM
        components.stop(self.directory, name, number)

    def start_component(self, name: str) -> None:
        """Start a stopped component as before, and return when it answers."""
        component = components.kept(self.directory, name)
        components.start(self.directory, component)
        components.await_answer(self.directory, component, self.authority)

    def use_self_heal(self, how: SelfHeal) -> None:
        """Restart Argo CD's controller with another back-off.

        What is changed before its first pass, up to 10 s later, is reverted in that pass only.
        """
        component = components.kept(self.directory, argocd.CONTROLLER)
        self.stop_component(argocd.CONTROLLER)
        argocd.healing(component, how).keep(self.directory)
        self.start_component(argocd.CONTROLLER)

    def _run(self, name: str, *arguments: str, stdin: str = "") -> str:
        done = subprocess.run(
            [program(self.bundle, name), *arguments],
            input=stdin,
            # No setting or proxy of the shell's; the cache of what the API offers is the stage's.
            env={"HOME": str(self.directory / "home"), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise FailedError(
                f"{name} {arguments[1]} failed",
                found=f"exit code {done.returncode}: {done.stderr.strip()}",
                expected="exit code 0",
                remedy=f"read the logs in {self.logs}",
            )
        return done.stdout
