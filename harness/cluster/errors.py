"""What the Kubernetes API answers instead of doing what was asked, as errors of this project."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.errors import ConfigurationError, FailedError

if TYPE_CHECKING:
    from collections.abc import Iterator

APPLY_MANIFESTS = "sandbox-lifecycle manifests | kubectl apply -f -"


class ApiError(FailedError):
    """A request was refused, or could not be made, and asking again would not help."""


class UnauthorizedError(ApiError):
    """The server does not know who asks: no token, or one that has expired."""


class ForbiddenError(ApiError):
    """The server knows who asks, and they may not."""


class MissingError(ApiError):
    """The object is not there."""


class ConflictError(ApiError):
    """A compare-and-swap lost: somebody else has written the object."""


class UnfitError(ApiError):
    """The object would not be valid, or the patch does not fit the object as it is now."""


class UnavailableError(ApiError):
    """The server could not answer now; asking again may help.

    Args:
        what: As for every error.
        retry_after: For how many seconds the server asks to be left alone.
        found: As for every error.
        expected: As for every error.
        remedy: As for every error.
    """

    def __init__(
        self,
        what: str,
        *,
        retry_after: float = 0,
        found: str | None = None,
        expected: str | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(what, found=found, expected=expected, remedy=remedy)
        self.retry_after = retry_after


class ChangedMeanwhileError(FailedError):
    """Somebody else has changed what the run relies on; theirs is left as it is."""


class LostError(FailedError):
    """The Lease is no longer this run's, and with it the right to write."""


class NotYetError(FailedError):
    """What is waited for has not happened; it reaches the caller when the deadline is over."""


@contextmanager
def before_any_change() -> Iterator[None]:
    """Tell an error of the API as one of the configuration, for questions asked in preflight.

    Raises:
        ConfigurationError: A request in the block failed; nothing has been changed.
    """
    try:
        yield
    except ApiError as error:
        remedy = f"{error.remedy}; " if error.remedy else ""
        raise ConfigurationError(
            error.what,
            found=error.found,
            expected=error.expected,
            remedy=f"{remedy}nothing has been changed",
        ) from error
