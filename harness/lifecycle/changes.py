"""Changes: what a rehearsal has changed since the checkpoint, without touching it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.golden.account import changes_since
from harness.golden.masking import masked
from harness.lifecycle.content import refuse_unless_complete
from harness.lifecycle.operation import operation
from harness.lifecycle.reset import newest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.golden.changes import Changes
    from harness.progress import Progress
    from harness.settings import Settings


@dataclass(frozen=True, slots=True)
class Changed:
    """What was changed.

    Args:
        run: Id of the run that asked.
        changes: The account, without secrets.
        seconds: How long each phase took.
    """

    run: str
    changes: Changes
    seconds: Mapping[str, float]


def changes(settings: Settings, progress: Progress) -> Changed:
    """Compare the sandbox with the newest golden copy, and change nothing.

    Args:
        settings: The target.
        progress: Is told of every phase.

    Raises:
        ConfigurationError, RefusedError: The sandbox cannot be reached, its content is incomplete,
            or there is no golden copy.
        FailedError: The golden copy is damaged.
    """
    with operation(settings, progress) as op:
        refuse_unless_complete(op, "changes")
        folder = newest(op)
        with op.phase("compare with the golden copy"):
            found = changes_since(op.sandbox, op.run, op.settings, folder)
        return Changed(op.run.id, masked(found), op.seconds)
