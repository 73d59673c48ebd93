"""What a live cluster needs before the harness can work on it, for `kubectl apply -f -`.

The local target loads the very same files, so a right that is missing there is missing here first.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib import resources
from string import Template
from typing import Any

import yaml

JOURNAL_ANNOTATION = "sandbox-lifecycle.dev/journal"
"""Where the Application carries the journal: pause and journal are one write."""

REFRESH_ANNOTATION = "argocd.argoproj.io/refresh"
"""Argo CD removes it when a pass has seen the object: the barrier after the pause."""

_FILES = (
    "service-account.yaml",
    "sandbox-access.yaml",
    "argocd-access.yaml",
    "lease.yaml",
    "admission-policy.yaml",
)


@dataclass(frozen=True, slots=True)
class Names:
    """The names in the manifests.

    Args:
        sandbox_namespace: Where the sandbox's application runs, and the harness's account lives.
        deployment: The sandbox's application.
        argocd_namespace: Where Argo CD keeps its Applications.
        application: The Application of the sandbox.
        service_account: The harness's own identity.
        lease: What keeps two runs apart.
    """

    sandbox_namespace: str
    deployment: str
    argocd_namespace: str
    application: str
    service_account: str = "sandbox-lifecycle"
    lease: str = "sandbox-lifecycle"

    @property
    def user(self) -> str:
        """The harness's identity as the API server calls it."""
        return f"system:serviceaccount:{self.sandbox_namespace}:{self.service_account}"


def render(names: Names) -> str:
    """Every manifest with its names filled in, as one YAML stream."""
    values = {
        **asdict(names),
        "user": names.user,
        "journal_annotation": JOURNAL_ANNOTATION,
        "refresh_annotation": REFRESH_ANNOTATION,
    }
    folder = resources.files(__name__)
    texts = [(folder / name).read_text(encoding="utf-8") for name in _FILES]
    return "---\n".join(Template(text).substitute(values) for text in texts)


def objects(names: Names) -> list[dict[str, Any]]:
    """The same as objects, in an order in which they can be created."""
    return [obj for obj in yaml.safe_load_all(render(names)) if obj]
