"""Reset: bring the sandbox back to the golden copy, by undoing what was changed where that can be.

Two ways lead back. The differential one undoes what was changed, in one transaction, while the
application runs. Whatever it cannot undo exactly it leaves to the durable one, which stops the
application, wipes, and restores.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.errors import LifecycleError, RefusedError
from harness.golden.account import changes_since
from harness.golden.differential import reset_differentially
from harness.golden.doubt import DoubtError
from harness.golden.masking import masked, masked_line
from harness.lifecycle.alone import reading_alone, working_alone
from harness.lifecycle.content import from_golden, putting_back, read_mark, replace_content
from harness.lifecycle.operation import operation
from harness.lifecycle.preflight import check_sandbox
from harness.lifecycle.recover import recover_first
from harness.lifecycle.shadow import renew_shadow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.golden.changes import Changes
    from harness.golden.differential import Undone
    from harness.golden.store import Generation
    from harness.lifecycle.operation import Operation
    from harness.postgres.connection import Run
    from harness.postgres.tools import Finished
    from harness.postgres.wipe import Wiped
    from harness.progress import Progress
    from harness.settings import Settings


@dataclass(frozen=True, slots=True)
class ResetDone:
    """A reset that was verified.

    Args:
        run: Id of the run.
        generation: Id of the golden copy that the sandbox holds now.
        way: `differential`, or `durable` where that could not be.
        reason: Why it was not differential; None if it was.
        tables: Number of tables, all equal to the golden copy's.
        rows: Number of rows, all equal.
        changes: What had been changed, without secrets; None where nobody can tell.
        wiped: What the wipe took, the durable way.
        restored: How pg_restore ended, the durable way; evidence, not a verdict.
        told: What was found on the way that somebody should know.
        seconds: How long each phase took.
    """

    run: str
    generation: str
    way: Literal["differential", "durable"]
    reason: str | None
    tables: int
    rows: int
    changes: Changes | None
    wiped: Wiped | None
    restored: Finished | None
    told: list[str]
    seconds: Mapping[str, float]


def reset(settings: Settings, progress: Progress, run: Run | None = None) -> ResetDone:
    """Bring the sandbox back to the newest golden copy, verified.

    Args:
        settings: The target.
        progress: Is told of every phase.
        run: The run, where the caller wants to know its id beforehand.

    Raises:
        ConfigurationError, RefusedError: Something is wrong; nothing has been changed.
        FailedError: The golden copy is damaged (then nothing was changed), or the content is not
            what it was at the checkpoint.
        UndoOutstandingError: The reset was cut short and could not be completed either.
    """
    with operation(settings, progress, run) as op:
        recover_first(op)
        folder = newest(op)
        try:
            undone = _differential(op, folder)
        except DoubtError as doubt:
            return _durable(op, folder, masked_line(doubt.reason))
        return _done_differentially(op, folder, undone)


def newest(op: Operation) -> Path:
    """The folder of the newest golden copy, its files not checked.

    Raises:
        RefusedError: There is none.
        ConfigurationError: It cannot be read whether there is one.
    """
    op.golden.refuse_unreadable()
    folder = op.golden.newest_folder()
    if folder is None:
        raise RefusedError(
            "there is no golden copy to go back to",
            found=f"no generation in {op.golden.directory}; the content of the sandbox is marked"
            f" {read_mark(op).content}",
            expected="a checkpoint taken earlier",
            remedy="sandbox-lifecycle refresh-from-prod, then sandbox-lifecycle checkpoint",
        )
    return folder


def _differential(op: Operation, folder: Path) -> Undone:
    if not op.settings.golden.shadow:
        raise DoubtError("golden.shadow is off")
    with reading_alone(op, "reset") as fence, op.phase("undo what was changed"):
        return reset_differentially(op.sandbox, op.run, op.settings, folder, fence)


def _done_differentially(op: Operation, folder: Path, undone: Undone) -> ResetDone:
    return ResetDone(
        run=op.run.id,
        generation=folder.name,
        way="differential",
        reason=None,
        tables=undone.tables,
        rows=undone.rows,
        changes=undone.changes,
        wiped=None,
        restored=None,
        told=op.told,
        seconds=op.seconds,
    )


def _durable(op: Operation, folder: Path, reason: str) -> ResetDone:
    with op.phase("preflight"):
        check_sandbox(op)
        golden = _checked(op)
        new = from_golden(op, golden)
    changed = _account(op, folder)
    with working_alone(op, "reset") as fence:
        with putting_back(op, fence):
            replaced = replace_content(op, fence, new)
        if op.settings.golden.shadow:
            doubt = renew_shadow(op, fence, golden)
            op.told.extend([f"no shadow: {doubt}"] if doubt else [])
    return ResetDone(
        run=op.run.id,
        generation=folder.name,
        way="durable",
        reason=reason,
        tables=len(new.fingerprint.rows),
        rows=new.fingerprint.total_rows,
        changes=changed,
        wiped=replaced.wiped,
        restored=replaced.restored,
        told=op.told,
        seconds=op.seconds,
    )


def _account(op: Operation, folder: Path) -> Changes | None:
    """What had been changed; content that is incomplete has no changes, and is not compared."""
    if read_mark(op).content != "complete":
        return None
    try:
        with op.phase("compare with the golden copy"):
            return masked(changes_since(op.sandbox, op.run, op.settings, folder))
    except LifecycleError as error:
        op.told.append(f"what was changed could not be told: {error.what}")
        return None


def _checked(op: Operation) -> Generation:
    golden = op.golden.latest()
    if golden is None:
        raise RefusedError("the golden copy was removed while the reset began")
    return golden
