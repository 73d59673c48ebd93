"""Deletions that take others along: owner references, finalizers of propagation, namespaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.local.kubernetes.controllers.sweeping import Sweeper
from harness.local.kubernetes.patches import MERGE, Patch
from harness.local.kubernetes.registry import FOREGROUND, ORPHAN, Deletion
from harness.local.kubernetes.resources import NAMESPACES

if TYPE_CHECKING:
    from harness.local.kubernetes.resources import Obj, Resource
    from harness.local.kubernetes.store import Event

    Objects = list[tuple[Resource, Obj]]


class Garbage(Sweeper):
    """The garbage collector and the namespace controller."""

    def concerns(self, event: Event) -> bool:
        """Deletions, done or marked, and whatever has an owner."""
        metadata = event.new["metadata"]
        return (
            event.change == "DELETED"
            or "deletionTimestamp" in metadata
            or "ownerReferences" in metadata
        )

    def sweep(self) -> None:
        """Delete what has lost its owners, and finish the deletions that wait for others."""
        objects = self._registry.store.everything()
        uids = {obj["metadata"]["uid"] for _, obj in objects}
        for resource, obj in objects:
            owners = obj["metadata"].get("ownerReferences", [])
            if owners and all(owner["uid"] not in uids for owner in owners):
                self._delete(resource, obj)
            if "deletionTimestamp" in obj["metadata"]:
                self._finish(resource, obj, objects)

    def _finish(self, resource: Resource, obj: Obj, objects: Objects) -> None:
        finalizers = obj["metadata"].get("finalizers", [])
        dependents = _dependents(obj, objects)
        if ORPHAN in finalizers:
            for kind, dependent in dependents:
                self._abandon(kind, dependent, obj["metadata"]["uid"])
            self._release(resource, obj, ORPHAN)
        elif FOREGROUND in finalizers:
            for kind, dependent in dependents:
                self._delete(kind, dependent, "Foreground")
            if not dependents:
                self._release(resource, obj, FOREGROUND)
        elif resource is NAMESPACES:
            name = obj["metadata"]["name"]
            content = [each for each in objects if each[1]["metadata"].get("namespace") == name]
            for kind, inside in content:
                self._delete(kind, inside)
            if not content:
                self._registry.store.commit("DELETED", resource, obj)

    def _delete(self, resource: Resource, obj: Obj, propagation: str = "Background") -> None:
        metadata = obj["metadata"]
        if "deletionTimestamp" not in metadata and self._is_there(resource, obj):
            deletion = Deletion(propagation=propagation, uid=metadata["uid"])
            where = metadata.get("namespace", "")
            self._registry.delete(resource, where, metadata["name"], deletion)

    def _abandon(self, resource: Resource, dependent: Obj, owner: str) -> None:
        references = dependent["metadata"]["ownerReferences"]
        left = [reference for reference in references if reference["uid"] != owner]
        self._patch(resource, dependent, {"ownerReferences": left})

    def _release(self, resource: Resource, obj: Obj, finalizer: str) -> None:
        left = [each for each in obj["metadata"]["finalizers"] if each != finalizer]
        self._patch(resource, obj, {"finalizers": left})

    def _patch(self, resource: Resource, obj: Obj, metadata: Obj) -> None:
        if self._is_there(resource, obj):
            where, name = obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
            self._registry.patch(resource, where, name, Patch(MERGE, {"metadata": metadata}))

    def _is_there(self, resource: Resource, obj: Obj) -> bool:
        """Whether an earlier step of the same sweep has left it."""
        where, name = obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
        return self._registry.store.get(resource, where, name) is not None


def _dependents(owner: Obj, objects: Objects) -> Objects:
    uid = owner["metadata"]["uid"]
    return [
        (resource, obj)
        for resource, obj in objects
        if any(each["uid"] == uid for each in obj["metadata"].get("ownerReferences", []))
    ]
