"""Reset: bring the sandbox back to the golden copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import RefusedError
from harness.lifecycle.alone import working_alone
from harness.lifecycle.content import from_golden, putting_back, read_mark, replace_content
from harness.lifecycle.operation import operation
from harness.lifecycle.preflight import check_sandbox
from harness.lifecycle.recover import recover_first

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        tables: Number of tables, all equal to the golden copy's.
        rows: Number of rows, all equal.
        wiped: What the wipe took.
        restored: How pg_restore ended; evidence, not a verdict.
        told: What was found on the way that somebody should know.
        seconds: How long each phase took.
    """

    run: str
    generation: str
    tables: int
    rows: int
    wiped: Wiped
    restored: Finished
    told: list[str]
    seconds: Mapping[str, float]


def reset(settings: Settings, progress: Progress, run: Run | None = None) -> ResetDone:
    """Wipe the sandbox, load the newest golden copy, and verify it against its fingerprint.

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
        with op.phase("preflight"):
            check_sandbox(op)
            golden = _latest(op)
            new = from_golden(op, golden)
        with working_alone(op, "reset") as fence, putting_back(op, fence):
            replaced = replace_content(op, fence, new)
        return ResetDone(
            run=op.run.id,
            generation=golden.manifest.generation,
            tables=len(new.fingerprint.rows),
            rows=new.fingerprint.total_rows,
            wiped=replaced.wiped,
            restored=replaced.restored,
            told=op.told,
            seconds=op.seconds,
        )


def _latest(op: Operation) -> Generation:
    golden = op.golden.latest()
    if golden is None:
        raise RefusedError(
            "there is no golden copy to go back to",
            found=f"no generation in {op.golden.directory}; the content of the sandbox is marked"
            f" {read_mark(op).content}",
            expected="a checkpoint taken earlier",
            remedy="sandbox-lifecycle refresh-from-prod, then sandbox-lifecycle checkpoint",
        )
    return golden
