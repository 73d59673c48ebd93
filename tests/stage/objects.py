"""Small objects that tests put into the real cluster."""

from __future__ import annotations

from typing import Any

from tests.stage.images import BUSYBOX


def pod(name: str, *command: str) -> dict[str, Any]:
    """A pod that runs a command of the shell, or waits."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": template(*command)["spec"],
    }


def template(*command: str, **spec: Any) -> dict[str, Any]:
    """What a workload makes its pods of."""
    container = {
        "name": "main",
        "image": BUSYBOX,
        "imagePullPolicy": "Never",
        "command": list(command) or ["sleep", "3600"],
    }
    container |= spec.pop("container", {})
    return {"spec": {"terminationGracePeriodSeconds": 1, "containers": [container], **spec}}


def deployment(name: str, pod_template: dict[str, Any], replicas: int = 1) -> dict[str, Any]:
    """A Deployment of such pods."""
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, **pod_template},
        },
    }
