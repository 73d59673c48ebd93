"""What Argo CD makes of an Application: desired against live, in sync or not, healthy or not."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.local.kubernetes.patches import MERGE, Patch
from harness.local.kubernetes.resources import BY_KIND, DEPLOYMENTS
from harness.local.kubernetes.status import StatusError

if TYPE_CHECKING:
    from harness.local.kubernetes.git import Git
    from harness.local.kubernetes.registry import Registry
    from harness.local.kubernetes.resources import Obj, Resource


@dataclass(frozen=True, slots=True)
class Managed:
    """One manifest of an Application, and what there is of it."""

    resource: Resource
    desired: Obj
    live: Obj | None

    @property
    def synced(self) -> bool:
        """Whether everything that the manifest says is so."""
        return self.live is not None and _says(self.desired, self.live)

    @property
    def health(self) -> str:
        """Healthy, Progressing or Missing."""
        if self.live is None:
            return "Missing"
        if self.resource is not DEPLOYMENTS:
            return "Healthy"
        status, replicas = self.live.get("status", {}), self.live["spec"]["replicas"]
        seen = status.get("observedGeneration") == self.live["metadata"]["generation"]
        return (
            "Healthy" if seen and status.get("availableReplicas", 0) >= replicas else "Progressing"
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """All manifests of an Application at one revision."""

    revision: str
    managed: list[Managed]

    @property
    def out_of_sync(self) -> bool:
        """Whether a sync would change anything."""
        return not all(each.synced for each in self.managed)

    @property
    def status(self) -> Obj:
        """The parts of the Application's status that follow from it."""
        healths = {each.health for each in self.managed}
        worst = next((each for each in ("Missing", "Progressing") if each in healths), "Healthy")
        return {
            "sync": {
                "status": "OutOfSync" if self.out_of_sync else "Synced",
                "revision": self.revision,
            },
            "health": {"status": worst},
            "resources": [
                {
                    "group": each.resource.group,
                    "version": each.resource.version,
                    "kind": each.resource.kind,
                    "namespace": each.desired["metadata"].get("namespace", ""),
                    "name": each.desired["metadata"]["name"],
                    "status": "Synced" if each.synced else "OutOfSync",
                    "health": {"status": each.health},
                }
                for each in self.managed
            ],
        }


def compare(registry: Registry, git: Git, application: Obj) -> Comparison:
    """Look at what git asks for and at what is there."""
    return Comparison(
        git.revision,
        [
            Managed(resource, desired, registry.store.get(resource, *_place(resource, desired)))
            for resource, desired in manifests_of(git, application)
        ],
    )


def manifests_of(git: Git, application: Obj) -> list[tuple[Resource, Obj]]:
    """What git holds for the Application; objects without a namespace go to its destination."""
    spec = application["spec"]
    found = []
    for manifest in copy.deepcopy(git.manifests(spec.get("source", {}).get("path", "."))):
        resource = BY_KIND[manifest["apiVersion"], manifest["kind"]]
        if resource.namespaced:
            destination = spec.get("destination", {}).get("namespace", "default")
            manifest["metadata"].setdefault("namespace", destination)
        found.append((resource, manifest))
    return found


def apply_all(registry: Registry, git: Git, application: Obj) -> str | None:
    """Make everything so; returns why that failed, or None."""
    try:
        for each in compare(registry, git, application).managed:
            namespace, name = _place(each.resource, each.desired)
            if each.live is None:
                registry.create(each.resource, namespace, each.desired)
            elif not each.synced:
                registry.patch(each.resource, namespace, name, Patch(MERGE, each.desired))
    except StatusError as error:
        return f"one or more objects failed to apply, reason: {error}"
    return None


def _place(resource: Resource, manifest: Obj) -> tuple[str, str]:
    metadata = manifest["metadata"]
    return (metadata["namespace"] if resource.namespaced else ""), metadata["name"]


def _says(desired: Any, live: Any) -> bool:
    """Whether `live` has everything that `desired` names; what it has beyond that is free."""
    if isinstance(desired, dict):
        return isinstance(live, dict) and all(
            _says(value, live.get(key)) for key, value in desired.items()
        )
    if isinstance(desired, list):
        return (
            isinstance(live, list)
            and len(live) == len(desired)
            and all(_says(one, other) for one, other in zip(desired, live, strict=True))
        )
    return bool(desired == live)
