"""What a write is given that it left out, and what it is refused for.

Only what the harness or kubectl can meet: names, times, replicas, immutable selectors. Unknown
fields are kept, where a real server prunes them.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from harness.local.kubernetes.resources import (
    APPLICATIONS,
    DEPLOYMENTS,
    JOBS,
    LEASES,
    NAMESPACES,
    PODS,
    ROLES,
    SECRETS,
)
from harness.local.kubernetes.status import FieldError, bad_request, required

if TYPE_CHECKING:
    from harness.local.kubernetes.resources import Obj, Resource

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.',"
    " and must start and end with an alphanumeric character (e.g. 'example.com', regex used for"
    f" validation is '{_SUBDOMAIN.pattern}')"
)
_MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)")
_DEFAULT_GRACE_SECONDS = 30
_DEFAULT_BACKOFF_LIMIT = 6
_AUTOMATED = {"allowEmpty", "enabled", "prune", "selfHeal"}
_JSON_TYPES = {type(None): "null", bool: "boolean", dict: "object", list: "array", str: "string"}


class Validator:
    """Defaults and checks of every write.

    Args:
        old_application_definition: Know no `automated.enabled`, as Argo CD before 3.1, and drop it
            from what is written without a word.
    """

    def __init__(self, *, old_application_definition: bool = False) -> None:
        self._old_definition = old_application_definition

    def prepare(self, resource: Resource, new: Obj, old: Obj | None, *, strict: bool) -> None:
        """Complete `new` in place, or raise the error that the client gets.

        Args:
            resource: What kind it is.
            new: The object as it would be stored.
            old: The object that it replaces, if any.
            strict: Whether the client asked that unknown fields be refused.
        """
        try:
            self._prepare(resource, new, old, strict=strict)
        except FieldError as wrong:
            name = new["metadata"]["name"]
            raise wrong.of(resource.kind, resource.group, name) from wrong

    def _prepare(self, resource: Resource, new: Obj, old: Obj | None, *, strict: bool) -> None:
        _check_metadata(resource, new)
        if resource is DEPLOYMENTS:
            _prepare_deployment(new, old)
        elif resource is JOBS:
            _prepare_job(new, old)
        elif resource is PODS:
            _prepare_pod(new["spec"])
            if old is None:
                new["status"] = {"phase": "Pending"}
        elif resource is LEASES:
            _check_lease(new.setdefault("spec", {}))
        elif resource is SECRETS:
            _prepare_secret(new)
        elif resource is NAMESPACES:
            _prepare_namespace(new, old)
        elif resource is APPLICATIONS:
            known = _AUTOMATED - {"enabled"} if self._old_definition else _AUTOMATED
            _check_application(new, known, strict=strict)


def check_replicas(replicas: Any) -> None:
    """Refuse a number of replicas that is none."""
    if isinstance(replicas, bool) or not isinstance(replicas, int):
        raise bad_request(f"json: cannot unmarshal {replicas!r} into Go value of type int32")
    if replicas < 0:
        message = f"Invalid value: {replicas}: must be greater than or equal to 0"
        raise FieldError("spec.replicas", message)


def _check_metadata(resource: Resource, new: Obj) -> None:
    metadata = new["metadata"]
    name = metadata["name"]
    if resource.group != ROLES.group and not _SUBDOMAIN.fullmatch(name):
        raise FieldError("metadata.name", f'Invalid value: "{name}": {_SUBDOMAIN_RULE}')
    for field in ("labels", "annotations"):
        for key, value in (metadata.get(field) or {}).items():
            if not isinstance(value, str):
                raise bad_request(f"json: cannot unmarshal {key}: {value!r} into type string")
    for field in ("labels", "annotations", "finalizers", "ownerReferences"):
        if not metadata.get(field):
            metadata.pop(field, None)


def _prepare_deployment(new: Obj, old: Obj | None) -> None:
    spec = new.setdefault("spec", {})
    if spec.get("replicas") is None:
        spec["replicas"] = 1
    check_replicas(spec["replicas"])
    selector = spec.get("selector", {}).get("matchLabels")
    if not selector:
        raise required("spec.selector")
    template = spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    if any(labels.get(key) != value for key, value in selector.items()):
        message = (
            f"Invalid value: {json.dumps(labels)}: `selector` does not match template `labels`"
        )
        raise FieldError("spec.template.metadata.labels", message)
    if old is not None and old["spec"]["selector"] != spec["selector"]:
        raise FieldError(
            "spec.selector", f"Invalid value: {json.dumps(selector)}: field is immutable"
        )
    _prepare_pod(template.setdefault("spec", {}))


def _prepare_job(new: Obj, old: Obj | None) -> None:
    spec = new.setdefault("spec", {})
    spec.setdefault("suspend", False)
    spec.setdefault("backoffLimit", _DEFAULT_BACKOFF_LIMIT)
    pod = spec.setdefault("template", {}).setdefault("spec", {})
    if pod.get("restartPolicy") not in {"Never", "OnFailure"}:
        raise required("spec.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"')
    _prepare_pod(pod)
    if old is not None and old["spec"]["template"] != spec["template"]:
        raise FieldError("spec.template", "Invalid value: field is immutable")


def _prepare_pod(spec: Obj) -> None:
    if not spec.get("containers"):
        raise required("spec.containers")
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", _DEFAULT_GRACE_SECONDS)
    spec.setdefault("serviceAccountName", "default")


def _check_lease(spec: Obj) -> None:
    for field in ("acquireTime", "renewTime"):
        if spec.get(field) is not None:
            spec[field] = _micro_time(spec[field])
    for field, least, rule in (
        ("leaseDurationSeconds", 1, "must be greater than 0"),
        ("leaseTransitions", 0, "must be greater than or equal to 0"),
    ):
        if spec.get(field) is not None and spec[field] < least:
            raise FieldError(f"spec.{field}", f"Invalid value: {spec[field]}: {rule}")


def _micro_time(text: Any) -> str:
    """A MicroTime as the real server gives it back.

    It reads exactly six digits: a whole second, which Python's isoformat() writes without a
    fraction, is refused.
    """
    if not isinstance(text, str) or not _MICRO_TIME.fullmatch(text):
        raise bad_request(
            'Lease in version "v1" cannot be handled as a Lease: parsing time'
            f' "{text}" as "2006-01-02T15:04:05.000000Z07:00": cannot parse'
        )
    moment = datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="microseconds") + "Z"


def _prepare_secret(new: Obj) -> None:
    new.setdefault("type", "Opaque")
    for key, text in (new.pop("stringData", None) or {}).items():
        new.setdefault("data", {})[key] = base64.b64encode(text.encode()).decode()


def _prepare_namespace(new: Obj, old: Obj | None) -> None:
    metadata = new["metadata"]
    metadata.setdefault("labels", {})["kubernetes.io/metadata.name"] = metadata["name"]
    if old is None:
        new["spec"] = {"finalizers": ["kubernetes"]}
        new["status"] = {"phase": "Active"}


def _check_application(application: Obj, known: set[str], *, strict: bool) -> None:
    """Treat `spec.syncPolicy.automated` as the schema does; unknown fields go without a word."""
    if not isinstance(application.get("spec"), dict):
        raise required("spec")
    application["spec"] = _without_nulls(application["spec"])
    policy = _typed("spec.syncPolicy", application["spec"].get("syncPolicy", {}), dict)
    automated: Obj = _typed("spec.syncPolicy.automated", policy.get("automated", {}), dict)
    for field in automated.keys() - known:
        if strict:
            path = f"spec.syncPolicy.automated.{field}"
            raise bad_request(f'strict decoding error: unknown field "{path}"')
        del automated[field]
    for field, value in automated.items():
        _typed(f"spec.syncPolicy.automated.{field}", value, bool)


def _without_nulls(value: Any) -> Any:
    """What the schema prunes without a word: no field of the definition may be null."""
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return value


def _typed(field: str, value: Any, wanted: type) -> Any:
    if isinstance(value, wanted):
        return value
    found = _JSON_TYPES.get(type(value), "number")
    message = f"{field} in body must be of type {_JSON_TYPES[wanted]}"
    reason = "FieldValueTypeInvalid"
    raise FieldError(field, f'Invalid value: "{found}": {message}: "{found}"', reason=reason)
