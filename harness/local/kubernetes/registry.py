"""What a write means: identity, preconditions, generation, finalizers, graceful deletion.

Requests of clients and of the controllers come through here alike, so both meet the same conflicts.
"""

from __future__ import annotations

import json
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from harness.local.kubernetes import status
from harness.local.kubernetes.patches import apply_patch, check_type
from harness.local.kubernetes.resources import NAMESPACES, PODS

if TYPE_CHECKING:
    from harness.local.kubernetes.patches import Patch
    from harness.local.kubernetes.resources import Obj, Resource
    from harness.local.kubernetes.store import Store
    from harness.local.kubernetes.validation import Validator

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
_PROPAGATION = {"Foreground": [FOREGROUND], "Orphan": [ORPHAN]}

_SET_BY_SERVER = (
    "uid",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "resourceVersion",
)
_ENDED = {"Succeeded", "Failed"}
_SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


@dataclass(frozen=True, slots=True)
class Write:
    """How a write is to be done.

    Args:
        dry: Answer as if, and keep nothing.
        strict: Refuse unknown fields.
        subresource: `status` where only that part is written.
    """

    dry: bool = False
    strict: bool = False
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Deletion:
    """DeleteOptions.

    Args:
        grace_seconds: Time to end in; None is the object's own.
        propagation: `Background`, `Foreground` or `Orphan`.
        uid: Delete only the object with this uid.
        revision: Delete only the object at this resourceVersion.
        dry: Answer as if, and keep nothing.
    """

    grace_seconds: int | None = None
    propagation: str = "Background"
    uid: str | None = None
    revision: str | None = None
    dry: bool = False


PLAIN = Write()


def timestamp(seconds_from_now: float = 0) -> str:
    """A time as Kubernetes writes it."""
    moment = datetime.now(UTC) + timedelta(seconds=seconds_from_now)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def suffix(length: int = 5) -> str:
    """Random letters as Kubernetes appends them to a generated name."""
    return "".join(secrets.choice(_SUFFIX_ALPHABET) for _ in range(length))


class Registry:
    """The verbs create, replace, patch and delete on the store."""

    def __init__(self, store: Store, validator: Validator) -> None:
        self.store = store
        self._validator = validator

    def require(self, resource: Resource, namespace: str, name: str) -> Obj:
        """The object, or 404."""
        found = self.store.get(resource, namespace, name)
        if found is None:
            raise status.not_found(resource, name)
        return found

    def create(self, resource: Resource, namespace: str, body: Obj, write: Write = PLAIN) -> Obj:
        """POST."""
        new = _addressed(resource, namespace, None, body)
        metadata = new["metadata"]
        if metadata.get("resourceVersion"):
            raise status.bad_request("resourceVersion should not be set on objects to be created")
        if not metadata.get("name"):
            prefix = metadata.get("generateName")
            if not prefix:
                missing = status.required("metadata.name", "name or generateName is required")
                raise missing.of(resource.kind, resource.group, "")
            metadata["name"] = prefix + suffix()
        name = metadata["name"]
        if resource.namespaced:
            self._require_open_namespace(resource, namespace, name)
        if self.store.get(resource, namespace, name) is not None:
            raise status.already_exists(resource, name)
        for field in ("deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink"):
            metadata.pop(field, None)
        metadata["uid"] = str(uuid.uuid4())
        metadata["creationTimestamp"] = timestamp()
        if resource.generation(new) is not None:
            metadata["generation"] = 1
        if resource.has_status:
            new["status"] = {}
        self._validator.prepare(resource, new, None, strict=write.strict)
        return new if write.dry else self.store.commit("ADDED", resource, new)

    def replace(
        self, resource: Resource, namespace: str, name: str, body: Obj, write: Write = PLAIN
    ) -> Obj:
        """PUT: of an object that is there, or of a new one where the kind allows it."""
        current = self.store.get(resource, namespace, name)
        if current is None:
            if resource.creatable_by_put and not write.subresource:
                return self.create(resource, namespace, body, write)
            raise status.not_found(resource, name)
        new = _addressed(resource, namespace, name, body)
        _check_preconditions(resource, current, new)
        return self._update(resource, current, new, write)

    def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        patch: Patch,
        write: Write = PLAIN,
    ) -> Obj:
        """PATCH; a `metadata.resourceVersion` in the patch makes it a compare-and-swap."""
        check_type(resource, patch.content_type)
        current = self.require(resource, namespace, name)
        patched = apply_patch(patch, current)
        new = _addressed(resource, namespace, name, patched)
        if new["metadata"].get("uid") != current["metadata"]["uid"]:
            message = f'Invalid value: "{new["metadata"].get("uid")}": field is immutable'
            fixed = status.FieldError("metadata.uid", message)
            raise fixed.of(resource.kind, resource.group, name)
        _check_preconditions(resource, current, new)
        try:
            return self._update(resource, current, new, write)
        except status.StatusError as error:
            if error.reason != "BadRequest":
                raise
            # What cannot be read is the client's fault in a PUT, and the patch's in a patch.
            unreadable = status.FieldError("patch", f"Invalid value: {json.dumps(new)}: {error}")
            raise unreadable.of("", "", "") from error

    def delete(
        self, resource: Resource, namespace: str, name: str, deletion: Deletion | None = None
    ) -> Obj:
        """DELETE: at once, or a mark for whoever has to finish it first."""
        deletion = deletion or Deletion()
        current = self.require(resource, namespace, name)
        metadata = current["metadata"]
        if deletion.uid not in {None, metadata["uid"]}:
            raise _precondition_failed(resource, current, "UID", deletion.uid)
        if deletion.revision not in {None, metadata["resourceVersion"]}:
            raise _precondition_failed(resource, current, "ResourceVersion", deletion.revision)
        finalizers = metadata.get("finalizers", [])
        if "deletionTimestamp" not in metadata:
            asked = _PROPAGATION.get(deletion.propagation, [])
            finalizers = finalizers + [each for each in asked if each not in finalizers]
        grace = _grace(resource, current, deletion)
        if not finalizers and grace == 0 and resource is not NAMESPACES:
            if not deletion.dry:
                current = self.store.commit("DELETED", resource, current)
            return current if resource is PODS else status.success(resource, name, metadata["uid"])
        if grace >= metadata.get("deletionGracePeriodSeconds", grace + 1):
            return current  # it is on its way, and no sooner end was asked for
        metadata["deletionTimestamp"] = timestamp(grace)
        metadata["deletionGracePeriodSeconds"] = grace
        if "generation" in metadata:
            metadata["generation"] += 1
        if finalizers:
            metadata["finalizers"] = finalizers
        if resource is NAMESPACES:
            current["status"]["phase"] = "Terminating"
        return current if deletion.dry else self.store.commit("MODIFIED", resource, current)

    def _update(self, resource: Resource, current: Obj, new: Obj, write: Write) -> Obj:
        if write.subresource == "status":
            kept = {**current, "metadata": dict(current["metadata"])}
            new = {**kept, "status": new.get("status", {})}
        elif resource.has_status:
            new["status"] = current.get("status", {})
        for field in _SET_BY_SERVER:
            new["metadata"].pop(field, None)
            if field in current["metadata"]:
                new["metadata"][field] = current["metadata"][field]
        self._validator.prepare(resource, new, current, strict=write.strict)
        if "generation" in new["metadata"]:
            moved = resource.generation(new) != resource.generation(current)
            new["metadata"]["generation"] += moved
        if write.dry or new == current:
            return new
        metadata = new["metadata"]
        released = "deletionTimestamp" in metadata and not metadata.get("finalizers")
        if released and metadata["deletionGracePeriodSeconds"] == 0 and resource is not NAMESPACES:
            return self.store.commit("DELETED", resource, new)
        return self.store.commit("MODIFIED", resource, new)

    def _require_open_namespace(self, resource: Resource, namespace: str, name: str) -> None:
        found = self.require(NAMESPACES, "", namespace)
        if "deletionTimestamp" in found["metadata"]:
            why = "because it is being terminated"
            raise status.forbidden(
                resource, name, f"unable to create new content in namespace {namespace} {why}"
            )


def _addressed(resource: Resource, namespace: str, name: str | None, body: Any) -> Obj:
    """The body, if it is the object that the path speaks of; 400 otherwise."""
    if not isinstance(body, dict) or not isinstance(body.get("metadata", {}), dict):
        raise status.bad_request(f"the body is no {resource.kind}")
    if resource.custom and not {"apiVersion", "kind"} <= body.keys():
        raise status.bad_request(
            f"the object provided is unrecognized (must be of type {resource.kind}):"
            " Object 'Kind' is missing"
        )
    new = {"apiVersion": resource.api_version, "kind": resource.kind, **body}
    if (new["apiVersion"], new["kind"]) != (resource.api_version, resource.kind):
        raise status.bad_request(
            f"{new['kind']} in version {new['apiVersion']!r} cannot be handled as a {resource.kind}"
        )
    metadata = new["metadata"] = dict(new.get("metadata", {}))
    if resource.namespaced and metadata.setdefault("namespace", namespace) != namespace:
        raise status.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if name is not None and metadata.setdefault("name", name) != name:
        raise status.bad_request(
            f"the name of the object ({metadata['name']}) does not match the name on the URL"
            f" ({name})"
        )
    return new


def _check_preconditions(resource: Resource, current: Obj, new: Obj) -> None:
    name, held, given = current["metadata"]["name"], current["metadata"], new["metadata"]
    if given.get("uid") not in {None, "", held["uid"]}:
        raise _precondition_failed(resource, current, "UID", given["uid"])
    if not given.get("resourceVersion"):
        if not resource.unconditional:
            missing = status.FieldError(
                "metadata.resourceVersion", "Invalid value: 0: must be specified for an update"
            )
            raise missing.of(resource.plural, resource.group, name)  # so says the real one
    elif given["resourceVersion"] != held["resourceVersion"]:
        raise status.conflict(resource, name)


def _precondition_failed(
    resource: Resource, current: Obj, what: str, wanted: Any
) -> status.StatusError:
    held = current["metadata"][{"UID": "uid", "ResourceVersion": "resourceVersion"}[what]]
    why = f"Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {held}"
    return status.conflict(resource, current["metadata"]["name"], why)


def _grace(resource: Resource, current: Obj, deletion: Deletion) -> int:
    """Seconds that the kubelet has for a pod; nothing else ends gracefully."""
    if resource is not PODS or "nodeName" not in current.get("spec", {}):
        return 0
    if current.get("status", {}).get("phase") in _ENDED:
        return 0
    if deletion.grace_seconds is not None:
        return max(0, deletion.grace_seconds)
    return int(current["spec"].get("terminationGracePeriodSeconds", 0))
