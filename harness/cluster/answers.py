"""What an answer that is no success means, and what to do about it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.cluster.errors import (
    APPLY_MANIFESTS,
    ApiError,
    ConflictError,
    ForbiddenError,
    MissingError,
    UnauthorizedError,
    UnavailableError,
    UnfitError,
)

if TYPE_CHECKING:
    from harness.cluster.resources import Target
    from harness.deadlines import Deadlines

_UNPROCESSABLE = 422
_TOO_MANY_REQUESTS = 429
_SERVER_ERRORS = range(500, 600)
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, for the errors that it may end in.

    Args:
        verb: What was asked for, as RBAC calls it.
        target: Of what.
        host: Of which server.
        deadlines: The table of deadlines.
    """

    verb: str
    target: Target
    host: str
    deadlines: Deadlines

    def unauthorized(self, told: str) -> UnauthorizedError:
        """The server does not know the caller."""
        return UnauthorizedError(
            f"the cluster does not know who asks to {self.verb} {self.target}",
            found=told,
            expected="a token that is valid now; it has expired, or is another cluster's",
            remedy="renew the credentials in the kubeconfig",
        )

    def no_connection(self, reason: str) -> ApiError:
        """Nothing was answered, or nothing that is to be believed."""
        reason = " ".join(reason.split())
        if "CERTIFICATE_VERIFY_FAILED" in reason:
            return ApiError(
                f"{self.host} does not prove that it is the cluster meant",
                found=reason,
                expected="a certificate of the authority that the kubeconfig names",
                remedy="correct certificate-authority or server in the kubeconfig",
            )
        return UnavailableError(
            f"the Kubernetes API at {self.host} does not answer",
            found=f"{self.verb} {self.target}: {reason}",
            expected=f"an answer within {self.deadlines.api_answer.seconds:g} s, and after an"
            f" outage again within {self.deadlines.api_outage.seconds:g} s",
            remedy="look whether the cluster is up and can be reached from here",
        )

    def no_json(self, text: bytes) -> ApiError:
        """Something else than an API server has answered."""
        return ApiError(
            f"{self.host} answers something that is no Kubernetes API",
            found=text[:_SHOWN].decode(errors="replace"),
            expected="JSON",
            remedy="look whether a proxy stands in between",
        )

    def refusal(self, status: int, text: bytes, retry_after: str | None) -> ApiError:
        """The answer is an error.

        Args:
            status: The HTTP status.
            text: The body, a Status object where it comes from an API server.
            retry_after: The header of this name.
        """
        told = f"HTTP {status}: {_message(text)}"
        if status in _SERVER_ERRORS or status == _TOO_MANY_REQUESTS:
            return UnavailableError(
                f"the Kubernetes API at {self.host} cannot serve {self.verb} {self.target}",
                retry_after=_seconds(retry_after),
                found=told,
                expected=f"a success within {self.deadlines.api_outage.seconds:g} s",
                remedy="look at the API server's own log",
            )
        match status:
            case 401:
                return self.unauthorized(told)
            case 403:
                return ForbiddenError(
                    f"the harness may not {self.verb} {self.target}",
                    found=told,
                    expected="the rights of the manifests, and no more",
                    remedy=APPLY_MANIFESTS,
                )
            case 404:
                return MissingError(
                    f"there is no {self.target}",
                    found=told,
                    expected="the object that the settings name",
                    remedy="correct the settings of the cluster, or create the object",
                )
            case 409:
                return self.conflict(told)
            case _:
                kind = UnfitError if status == _UNPROCESSABLE else ApiError
                return kind(
                    f"the API refuses to {self.verb} {self.target}",
                    found=told,
                    expected="a request that the kind's schema and the admission policies allow",
                    remedy="look which of them forbids it, and at the object as it is now",
                )

    def conflict(self, told: str) -> ConflictError:
        """Somebody else has written the object since it was read."""
        return ConflictError(
            f"others keep changing {self.target}",
            found=told,
            expected="one write that nobody gets ahead of within"
            f" {self.deadlines.api_outage.seconds:g} s",
            remedy="look who else writes it, and run the command again",
        )


def _seconds(retry_after: str | None) -> float:
    return float(retry_after) if retry_after is not None and retry_after.isdecimal() else 0


def _message(text: bytes) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, TypeError, KeyError):
        return text[:_SHOWN].decode(errors="replace")
