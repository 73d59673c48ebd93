"""The ERP of either side as the stage's git holds it: the local target's, run from an image."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.local.workloads import Erp
from tests.stage.layers import USER
from tests.stage.project_image import NAME

if TYPE_CHECKING:
    from harness.sides import Login

    Obj = dict[str, Any]

CLAIM = "dolibarr-documents"
_MOUNTED = "/var/www/documents"
_OF_LOCAL = {"PYTHONPATH"}


@dataclass(frozen=True, slots=True)
class StagedErp:
    """The ERP of one side.

    Args:
        erp: As the local target has it.
        node: The node's address, on which it listens.
        repository: The git repository that Argo CD reads.
    """

    erp: Erp
    node: str
    repository: str

    @classmethod
    def of(
        cls, name: str, login: Login, port: int, variables: dict[str, str], node: str, git: str
    ) -> StagedErp:
        """Make it out of the same facts."""
        return cls(Erp(name, login, port, variables), node, git)

    @property
    def name(self) -> str:
        """Its namespace; its Application and its folder in git are called the same."""
        return self.erp.name

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self.node}:{self.erp.port}"

    @property
    def files(self) -> dict[str, str]:
        """What git holds of it."""
        objects = {"deployment": self.deployment, "documents": self.claim}
        return {f"{self.name}/{name}.json": json.dumps(obj) for name, obj in objects.items()}

    @property
    def claim(self) -> Obj:
        """Its claim for the uploaded documents."""
        return {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": CLAIM},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "",
                "resources": {"requests": {"storage": "1Gi"}},
            },
        }

    @property
    def deployment(self) -> Obj:
        """Its Deployment."""
        deployment = deepcopy(self.erp.deployment)
        pod = deployment["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        variables = [each for each in container["env"] if each["name"] not in _OF_LOCAL]
        container |= {
            "image": NAME,
            "imagePullPolicy": "Never",
            "command": ["python3", "-m", "harness.local.erp"],
            "env": [*variables, {"name": "HOST", "value": self.node}],
            "volumeMounts": [{"name": "documents", "mountPath": _MOUNTED}],
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
        }
        container["livenessProbe"] = {
            "tcpSocket": {"port": "http"},
            "periodSeconds": 10,
            "failureThreshold": 6,
        }
        pod |= {
            # Found under the same address after each restart: nobody translates addresses here.
            "hostNetwork": True,
            # The ERP is then not the first process of its namespace, so it can be stopped from
            # within, as what hangs is.
            "shareProcessNamespace": True,
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": USER,
                "runAsGroup": USER,
                "fsGroup": USER,
            },
            "volumes": [{"name": "documents", "persistentVolumeClaim": {"claimName": CLAIM}}],
        }
        return deployment

    @property
    def application(self) -> Obj:
        """The Application by which Argo CD keeps it as git says."""
        application = deepcopy(self.erp.application)
        application["spec"]["source"] |= {"repoURL": self.repository, "targetRevision": "main"}
        return application
