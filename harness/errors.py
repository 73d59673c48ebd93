"""Every error that the harness raises on purpose, and the exit code that each one earns.

An error tells four things: what failed, what was found, what was expected, and what to do next.
"""

from __future__ import annotations

from typing import ClassVar

INTERRUPTED = 4
"""The exit code of what a signal has ended, and of which nothing is left to be undone."""


class LifecycleError(Exception):
    """Something failed; the command line exits with `exit_code`.

    Args:
        what: What failed, as one sentence without a final stop.
        found: What was seen instead of the expectation.
        expected: What would have been right.
        remedy: The next thing to do, as a command or an instruction.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        what: str,
        *,
        found: str | None = None,
        expected: str | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.found = found
        self.expected = expected
        self.remedy = remedy

    def __str__(self) -> str:
        parts = [("found", self.found), ("expected", self.expected), ("what to do", self.remedy)]
        told = [f"  {label}: {text}" for label, text in parts if text]
        return "\n".join([self.what, *told])


class FailedError(LifecycleError):
    """The work was attempted and failed, or a guarantee does not hold. Exit code 1."""


class ConfigurationError(LifecycleError):
    """The call or the configuration is wrong; nothing was changed. Exit code 2."""

    exit_code = 2


class RefusedError(LifecycleError):
    """Going on would not be safe; nothing was changed. Exit code 3."""

    exit_code = 3


class UndoOutstandingError(LifecycleError):
    """The run ended and part of its undo did not succeed. Exit code 5."""

    exit_code = 5
