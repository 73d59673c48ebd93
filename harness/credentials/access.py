"""What the harness needs in the cluster where its logins lie in Secrets, for `kubectl apply`."""

from __future__ import annotations

import json
from importlib import resources
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.manifests import Names
    from harness.settings import Settings

_FILE = "secret-access.yaml"


def render(settings: Settings, names: Names) -> dict[str, str]:
    """A file with a Role and its binding for each namespace with such Secrets, or no file.

    Args:
        settings: The target.
        names: The names in the other manifests.
    """
    found: dict[str, list[str]] = {}
    for side in (settings.prod, settings.sandbox):
        if side.secret is not None:
            found.setdefault(side.secret.namespace, []).append(side.secret.name)
    text = Template(resources.files(__package__).joinpath(_FILE).read_text(encoding="utf-8"))
    parts = [
        text.substitute(
            service_account=names.service_account,
            sandbox_namespace=names.sandbox_namespace,
            namespace=namespace,
            names=json.dumps(sorted(set(secrets))),
        )
        for namespace, secrets in found.items()
    ]
    return {_FILE: "---\n".join(parts)} if parts else {}
