"""What a live cluster needs before the harness can work on it, for `kubectl apply`.

The local target loads the very same files, so a right that is missing there is missing here first.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import yaml

from harness.manifests.pods import Pods
from harness.manifests.templates import filled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.settings.cluster import ClusterSettings

JOURNAL_ANNOTATION = "sandbox-lifecycle.dev/journal"
"""Where the Application carries the journal: pause and journal are one write."""

REFRESH_ANNOTATION = "argocd.argoproj.io/refresh"
"""Argo CD removes it when a pass has seen the object: the barrier after the pause."""

_ACCESS = (
    "service-account.yaml",
    "sandbox-access.yaml",
    "argocd-access.yaml",
    "job-access.yaml",
    "lease.yaml",
    "admission-policy.yaml",
)
_RUNNING = (
    "settings.yaml",
    "golden-cache.yaml",
    "network-policies.yaml",
    "nightly.yaml",
    "watchdog.yaml",
)
_JOBS = ("refresh-from-prod", "checkpoint", "reset", "recover")
"""The verbs that there is a template of a Job for."""

_BASE = "kustomization.yaml"


@dataclass(frozen=True, slots=True)
class Names:
    """The names in the manifests.

    Args:
        sandbox_namespace: Where the sandbox's application runs, and the harness's account lives.
        deployment: The sandbox's application.
        argocd_namespace: Where Argo CD keeps its Applications.
        application: The Application of the sandbox.
        service_account: The harness's own identity; all other names of its own begin with it.
        lease: What keeps two runs apart.
    """

    sandbox_namespace: str
    deployment: str
    argocd_namespace: str
    application: str
    service_account: str = "sandbox-lifecycle"
    lease: str = "sandbox-lifecycle"

    @classmethod
    def of(cls, cluster: ClusterSettings) -> Self:
        """The names of a target."""
        return cls(
            sandbox_namespace=cluster.namespace,
            deployment=cluster.deployment,
            argocd_namespace=cluster.argocd_namespace,
            application=cluster.application,
            service_account=cluster.service_account,
            lease=cluster.lease,
        )

    @property
    def user(self) -> str:
        """The harness's identity as the API server calls it."""
        return f"system:serviceaccount:{self.sandbox_namespace}:{self.service_account}"

    @property
    def starter(self) -> str:
        """The account of whoever starts Jobs from outside."""
        return f"{self.service_account}-jobs"

    @property
    def job(self) -> str:
        """The one Job that is started from outside: its name is all that rights can narrow down."""
        return f"{self.service_account}-job"

    def template(self, verb: str) -> str:
        """The CronJob that a Job of a verb is made from."""
        return f"{self.service_account}-{verb}"


def files(
    names: Names, pods: Pods | None = None, further: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The manifests as a kustomize base: the text of each file, the base's own last.

    Args:
        names: The names.
        pods: What the pods are; None for the defaults, told nothing.
        further: Name and text of files that depend on where logins come from.
    """
    found = dict((*access(names), *(further or {}).items(), *running(names, pods)))
    return found | {_BASE: filled(_BASE, {"resources": "\n".join(f"  - {name}" for name in found)})}


def render(names: Names, pods: Pods | None = None, further: Mapping[str, str] | None = None) -> str:
    """Every manifest with its names filled in, as one YAML stream; see `files`."""
    texts = [text for name, text in files(names, pods, further).items() if name != _BASE]
    return "---\n".join(texts)


def objects(names: Names, pods: Pods | None = None) -> list[dict[str, Any]]:
    """The same as objects, in an order in which they can be created."""
    return [obj for obj in yaml.safe_load_all(render(names, pods)) if obj]


def access(names: Names) -> Iterator[tuple[str, str]]:
    """Name and text of each file about who may do what."""
    values = _values(names)
    for name in _ACCESS:
        yield name, filled(name, values)


def running(names: Names, pods: Pods | None = None) -> Iterator[tuple[str, str]]:
    """Name and text of each file about what runs in the cluster, and what that needs.

    Args:
        names: The names.
        pods: What the pods are; None for the defaults, told nothing.
    """
    values = _values(names) | (pods or Pods()).values
    for name in _RUNNING:
        yield name, filled(name, values)
    for verb in _JOBS:
        yield f"job-{verb}.yaml", filled("job.yaml", {**values, "verb": verb})


def _values(names: Names) -> dict[str, str]:
    return {
        **asdict(names),
        "user": names.user,
        "journal_annotation": JOURNAL_ANNOTATION,
        "refresh_annotation": REFRESH_ANNOTATION,
    }
