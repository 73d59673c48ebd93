"""The errors of the Kubernetes API: one exception, and the bodies that the real server sends."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.local.kubernetes.resources import Obj, Resource


class StatusError(Exception):
    """A request that ends in an error; `body` is what the client gets."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        details: Obj | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.details = details
        self.retry_after = retry_after
        if retry_after is not None:
            self.details = {**(details or {}), "retryAfterSeconds": retry_after}

    @property
    def body(self) -> Obj:
        """The Status object."""
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": str(self),
            "reason": self.reason,
            **({} if self.details is None else {"details": self.details}),
            "code": self.code,
        }


def success(resource: Resource, name: str, uid: str) -> Obj:
    """The answer to a deletion that is complete."""
    details = {"name": name, "group": resource.group, "kind": resource.plural, "uid": uid}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {key: value for key, value in details.items() if value},
    }


def _named(resource: Resource, name: str | None) -> Obj:
    details = {"name": name, "group": resource.group, "kind": resource.plural}
    return {key: value for key, value in details.items() if value}


def not_found(resource: Resource, name: str) -> StatusError:
    """The object is not there."""
    return StatusError(
        HTTPStatus.NOT_FOUND,
        "NotFound",
        f'{resource.qualified} "{name}" not found',
        details=_named(resource, name),
    )


def no_such_path() -> StatusError:
    """The group is served, the resource is not."""
    return StatusError(
        HTTPStatus.NOT_FOUND,
        "NotFound",
        "the server could not find the requested resource",
        details={},
    )


def already_exists(resource: Resource, name: str) -> StatusError:
    """A POST of a name that is taken."""
    return StatusError(
        HTTPStatus.CONFLICT,
        "AlreadyExists",
        f'{resource.qualified} "{name}" already exists',
        details=_named(resource, name),
    )


def conflict(resource: Resource, name: str, why: str | None = None) -> StatusError:
    """A compare-and-swap that lost."""
    why = why or (
        "the object has been modified; please apply your changes to the latest version"
        " and try again"
    )
    return StatusError(
        HTTPStatus.CONFLICT,
        "Conflict",
        f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}',
        details=_named(resource, name),
    )


class FieldError(Exception):
    """One field is wrong; `of` makes the answer, once it is known whose field it is."""

    def __init__(self, field: str, message: str, *, reason: str = "FieldValueInvalid") -> None:
        super().__init__(f"{field}: {message}")
        self.cause = {"reason": reason, "message": message, "field": field}

    def of(self, kind: str, group: str, name: str) -> StatusError:
        """The field was one of this object's."""
        subject = f"{kind}.{group}" if group else kind
        details = {"name": name, "group": group, "kind": kind, "causes": [self.cause]}
        return StatusError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "Invalid",
            f'{subject} "{name}" is invalid: {self}',
            details={key: value for key, value in details.items() if value},
        )


def required(field: str, why: str = "") -> FieldError:
    """The field is missing."""
    message = f"Required value: {why}" if why else "Required value"
    return FieldError(field, message, reason="FieldValueRequired")


def rejected_patch() -> StatusError:
    """A patch that is well-formed and cannot be applied; the real server does not say why."""
    return StatusError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "Invalid",
        "the server rejected our request due to an error in our request",
        details={},
    )


def bad_request(message: str) -> StatusError:
    """The request makes no sense, whatever the state of the server."""
    return StatusError(HTTPStatus.BAD_REQUEST, "BadRequest", message)


def unauthorized() -> StatusError:
    """No token, or one that is unknown or over."""
    return StatusError(HTTPStatus.UNAUTHORIZED, "Unauthorized", "Unauthorized")


def forbidden(resource: Resource, name: str | None, why: str) -> StatusError:
    """The caller is known and may not."""
    subject = f'{resource.qualified} "{name}"' if name else resource.qualified
    return StatusError(
        HTTPStatus.FORBIDDEN,
        "Forbidden",
        f"{subject} is forbidden: {why}",
        details=_named(resource, name),
    )


def expired(asked: int, oldest: int) -> StatusError:
    """The history that the client asks for is gone: it has to list again."""
    return StatusError(HTTPStatus.GONE, "Expired", f"too old resource version: {asked} ({oldest})")


def method_not_allowed() -> StatusError:
    """The resource has no such verb."""
    return StatusError(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "MethodNotAllowed",
        "the server does not allow this method on the requested resource",
        details={},
    )


def unsupported_media_type(accepted: str) -> StatusError:
    """The body is of a type that is not read here."""
    return StatusError(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include:"
        f" {accepted}",
    )


def injected(code: int, retry_after: int | None) -> StatusError:
    """An error that a test ordered."""
    phrase = HTTPStatus(code)
    reasons = {409: "Conflict", 429: "TooManyRequests", 500: "InternalError"}
    reason = reasons.get(code, phrase.phrase.replace(" ", ""))
    return StatusError(
        code, reason, f"{phrase.phrase} (ordered by a test)", retry_after=retry_after
    )
