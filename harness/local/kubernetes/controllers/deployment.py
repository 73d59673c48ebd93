"""Deployments: keep as many pods as asked for, and tell how many there are.

Pods belong to the Deployment itself; there is no ReplicaSet between them. A new template first
deletes the pods of the old one.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from harness.local.kubernetes.controllers.sweeping import Sweeper
from harness.local.kubernetes.registry import Write, timestamp
from harness.local.kubernetes.resources import DEPLOYMENTS, PODS

if TYPE_CHECKING:
    from harness.local.kubernetes.resources import Obj
    from harness.local.kubernetes.store import Event

_HASH_LABEL = "pod-template-hash"
_STATUS = Write(subresource="status")


class Deployments(Sweeper):
    """The Deployment controller."""

    def concerns(self, event: Event) -> bool:
        """Deployments and pods."""
        return event.resource in {DEPLOYMENTS, PODS}

    def sweep(self) -> None:
        """Reconcile every Deployment."""
        for deployment in self._registry.store.find(DEPLOYMENTS):
            if "deletionTimestamp" not in deployment["metadata"]:
                self._reconcile(deployment)

    def _reconcile(self, deployment: Obj) -> None:
        wanted = _template_hash(deployment)
        pods = self._pods_of(deployment)
        present = [pod for pod in pods if not _is_ending(pod)]
        current = [pod for pod in present if pod["metadata"]["labels"].get(_HASH_LABEL) == wanted]
        for pod in present:
            if pod not in current:
                self._delete(pod)
        replicas = deployment["spec"]["replicas"]
        recreate = deployment["spec"].get("strategy", {}).get("type") == "Recreate"
        others_left = any(pod["metadata"]["labels"].get(_HASH_LABEL) != wanted for pod in pods)
        if not (recreate and others_left):
            missing = range(replicas - len(current))
            current += [self._create_pod(deployment, wanted) for _ in missing]
        for pod in sorted(current, key=_worth)[: max(0, len(current) - replicas)]:
            self._delete(pod)
            current.remove(pod)
        self._report(deployment, current)

    def _pods_of(self, deployment: Obj) -> list[Obj]:
        uid = deployment["metadata"]["uid"]
        return [
            pod
            for pod in self._registry.store.find(PODS, deployment["metadata"]["namespace"])
            if any(owner["uid"] == uid for owner in pod["metadata"].get("ownerReferences", []))
            and pod.get("status", {}).get("phase") not in {"Succeeded", "Failed"}
        ]

    def _create_pod(self, deployment: Obj, template_hash: str) -> Obj:
        metadata, template = deployment["metadata"], deployment["spec"]["template"]
        described = template.get("metadata") or {}
        pod = {
            "metadata": {
                "generateName": f"{metadata['name']}-{template_hash}-",
                "labels": {**described.get("labels", {}), _HASH_LABEL: template_hash},
                "annotations": described.get("annotations", {}),
                "ownerReferences": [
                    {
                        "apiVersion": DEPLOYMENTS.api_version,
                        "kind": DEPLOYMENTS.kind,
                        "name": metadata["name"],
                        "uid": metadata["uid"],
                        "controller": True,
                        "blockOwnerDeletion": True,
                    }
                ],
            },
            "spec": template["spec"],
        }
        return self._registry.create(PODS, metadata["namespace"], pod)

    def _delete(self, pod: Obj) -> None:
        self._registry.delete(PODS, pod["metadata"]["namespace"], pod["metadata"]["name"])

    def _report(self, deployment: Obj, pods: list[Obj]) -> None:
        metadata, replicas = deployment["metadata"], deployment["spec"]["replicas"]
        ready = sum(is_ready(pod) for pod in pods)
        counts = {
            "replicas": len(pods),
            "updatedReplicas": len(pods),
            "readyReplicas": ready,
            "availableReplicas": ready,
            "unavailableReplicas": max(0, replicas - ready),
        }
        available = "True" if ready >= replicas else "False"
        conditions = deployment.get("status", {}).get("conditions", [])
        if not conditions or conditions[0]["status"] != available:
            conditions = [
                {
                    "type": "Available",
                    "status": available,
                    "reason": f"MinimumReplicas{'A' if available == 'True' else 'Una'}vailable",
                    "lastTransitionTime": timestamp(),
                    "lastUpdateTime": timestamp(),
                }
            ]
        status = {
            "observedGeneration": metadata["generation"],
            # As in Go's `omitempty`: a count of none is no field.
            **{name: count for name, count in counts.items() if count},
            "conditions": conditions,
        }
        self._registry.replace(
            DEPLOYMENTS,
            metadata["namespace"],
            metadata["name"],
            {**deployment, "status": status},
            _STATUS,
        )


def is_ready(pod: Obj) -> bool:
    """Whether the pod's Ready condition holds."""
    conditions = pod.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _is_ending(pod: Obj) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def _worth(pod: Obj) -> tuple[bool, Any]:
    """The order in which pods are given up: first what is not ready, then what is oldest."""
    return is_ready(pod), pod["metadata"]["creationTimestamp"]


def _template_hash(deployment: Obj) -> str:
    template = json.dumps(deployment["spec"]["template"], sort_keys=True).encode()
    return hashlib.sha256(template).hexdigest()[:10]
