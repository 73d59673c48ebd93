"""What the local cluster holds beside the harness's own manifests: an ERP for prod and sandbox."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.local.erp import READY
from harness.settings import ENVIRONMENT_PREFIX
from harness.sides import Prod, Sandbox

if TYPE_CHECKING:
    from harness.local.kubernetes.resources import Obj
    from harness.settings import Settings
    from harness.sides import Login

ARGOCD = "argocd"
DEPLOYMENT = "dolibarr"

_ROOT = str(Path(__file__).parents[2])
_LABELS = {"app": DEPLOYMENT}
_SECRET = "dolibarr-database"  # noqa: S105  its name
_GRACE_SECONDS = 10
_PROBE_SECONDS = 3


@dataclass(frozen=True, slots=True)
class Erp:
    """The ERP of one side.

    Args:
        name: Its namespace; its Application and its folder in git are called the same.
        login: The application's login.
        port: Where it listens, so that it is found there again after each restart.
        variables: What else it is told; see `harness.local.erp`.
    """

    name: str
    login: Login
    port: int
    variables: dict[str, str]

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def secret(self) -> Obj:
        """The Secret with its login."""
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": _SECRET, "namespace": self.name},
            "stringData": {"dsn": self.login.conninfo},
        }

    @property
    def deployment(self) -> Obj:
        """The Deployment, as git holds it."""
        told = {"PORT": str(self.port), "PYTHONPATH": _ROOT, **self.variables}
        dsn = {"secretKeyRef": {"name": _SECRET, "key": "dsn"}}
        container = {
            "name": "erp",
            "image": "harness.local.erp",
            "command": [sys.executable, "-m", "harness.local.erp"],
            "env": [
                {"name": "ERP_DSN", "valueFrom": dsn},
                *({"name": name, "value": value} for name, value in told.items()),
            ],
            "ports": [{"name": "http", "containerPort": self.port}],
            "readinessProbe": {
                "httpGet": {"path": READY, "port": "http"},
                "periodSeconds": _PROBE_SECONDS,
            },
        }
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": DEPLOYMENT, "labels": _LABELS},
            "spec": {
                "replicas": 1,
                # Two pods would want one port, as two of a real one want one volume.
                "strategy": {"type": "Recreate"},
                "selector": {"matchLabels": _LABELS},
                "template": {
                    "metadata": {"labels": _LABELS},
                    "spec": {
                        "containers": [container],
                        "terminationGracePeriodSeconds": _GRACE_SECONDS,
                    },
                },
            },
        }

    @property
    def application(self) -> Obj:
        """The Application by which Argo CD keeps it as git says."""
        return {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": self.name, "namespace": ARGOCD},
            "spec": {
                "project": "default",
                "source": {
                    "repoURL": "https://git.example/erp.git",
                    "path": self.name,
                    "targetRevision": "HEAD",
                },
                "destination": {
                    "server": "https://kubernetes.default.svc",
                    "namespace": self.name,
                },
                "syncPolicy": {"automated": {"prune": True, "selfHeal": True}},
            },
        }


def namespace(name: str) -> Obj:
    """A namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def credentials(settings: Settings, where: str) -> Obj:
    """The Secret that the harness's pods take their variables from: logins, and this host's paths.

    Args:
        settings: The target.
        where: The namespace.
    """
    sandbox, tools = Sandbox.of(settings), settings.tools.companion_directory
    variables = {
        "PROD__DSN": Prod.of(settings).login.conninfo,
        "SANDBOX__DSN": sandbox.login.conninfo,
        "SANDBOX__APPLICATION_DSN": sandbox.application.conninfo,
        **({"TOOLS__COMPANION_DIRECTORY": str(tools)} if tools else {}),
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": settings.in_cluster.secret, "namespace": where},
        "stringData": {f"{ENVIRONMENT_PREFIX}{name}": value for name, value in variables.items()},
    }
