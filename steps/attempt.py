"""An attempt: what came of something that may well fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bdd import parsers, then

from harness.errors import LifecycleError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Attempt:
    """What was attempted, and the error that it ended with, if any."""

    error: LifecycleError | None

    @classmethod
    def of(cls, action: Callable[[], object]) -> Attempt:
        """Do it, and keep the error."""
        try:
            action()
        except LifecycleError as error:
            return cls(error)
        return cls(None)


@then(parsers.parse('it fails, and names "{text}"'))
def fails_and_names(attempt: Attempt, text: str) -> None:
    assert attempt.error is not None, "it succeeded"
    assert attempt.error.exit_code == 1, attempt.error
    assert text in str(attempt.error)


@then(parsers.parse('it is refused, and names "{text}"'))
def is_refused_and_names(attempt: Attempt, text: str) -> None:
    assert isinstance(attempt.error, RefusedError), attempt.error
    assert text in str(attempt.error)
