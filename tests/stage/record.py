"""The API server's audit log: which of their rights the accounts of the sandbox have used."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stage.places import Places

_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        # The cluster's own accounts ask all the time.
        {
            "level": "None",
            "userGroups": [f"system:serviceaccounts:{name}" for name in ("kube-system", "argocd")],
        },
        # Who asked for what, and whether it was allowed: no contents, which may be secret.
        {"level": "Metadata", "userGroups": ["system:serviceaccounts"]},
        {"level": "None"},
    ],
}


def options(places: Places) -> list[str]:
    """Those of an API server that keeps the log."""
    policy = places.directory / "audit-policy.json"
    policy.write_text(json.dumps(_POLICY))
    return [f"--audit-policy-file={policy}", f"--audit-log-path={path(places.directory)}"]


def path(directory: Path) -> Path:
    """Where a stage keeps it: a JSON document a line."""
    return directory / "logs" / "kube-apiserver-audit.log"
