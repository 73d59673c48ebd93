"""Refresh: make the sandbox the same as prod, and prove it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from harness.lifecycle.alone import working_alone
from harness.lifecycle.content import (
    Replacement,
    putting_back,
    read_mark,
    replace_content,
)
from harness.lifecycle.operation import operation
from harness.lifecycle.preflight import check_prod, check_sandbox
from harness.lifecycle.recover import recover_first
from harness.postgres.capture import capture
from harness.postgres.connection import Run
from harness.postgres.difference import differences
from harness.postgres.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.lifecycle.operation import Operation
    from harness.postgres.fence import Fence
    from harness.postgres.fingerprint import Fingerprint
    from harness.postgres.tools import Finished
    from harness.postgres.watch import Watched
    from harness.postgres.wipe import Wiped
    from harness.progress import Progress
    from harness.settings import Settings

# The transient dump lives for seconds on the machine's own disk, and both sides of it are busy
# processors: compressing it costs more time than it saves room.
_COMPRESSION = 0


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A refresh that was verified.

    Args:
        run: Id of the run.
        company: The company that prod and sandbox belong to.
        fingerprint: What prod's snapshot saw, and the sandbox holds.
        dump_bytes: Size of the transient dump, which is deleted.
        dumped: How pg_dump ended.
        watched: What was seen of the run's sessions on prod. Our own transactions were asked before
            they ended; pg_dump's can only be sampled.
        wiped: What the wipe took.
        restored: How pg_restore ended; evidence, not a verdict.
        told: What was found on the way that somebody should know.
        seconds: How long each phase took.
    """

    run: str
    company: str
    fingerprint: Fingerprint
    dump_bytes: int
    dumped: Finished
    watched: Watched
    wiped: Wiped
    restored: Finished
    told: list[str]
    seconds: Mapping[str, float]

    def report(self) -> dict[str, Any]:
        """The same for a machine, with numbers in place of the fingerprint."""
        kinds = ("rows", "sequence value", *self.fingerprint.objects)
        return {
            "run": self.run,
            "company": self.company,
            "equal": {kind: self.fingerprint.count(kind) for kind in kinds},
            "dump_bytes": self.dump_bytes,
            "dumped": asdict(self.dumped),
            "prod": asdict(self.watched),
            "wiped": asdict(self.wiped),
            "restored": asdict(self.restored),
            "told": self.told,
            "seconds": dict(self.seconds),
        }


def refresh_from_prod(settings: Settings, progress: Progress, run: Run | None = None) -> Refreshed:
    """Copy prod's schema public into the sandbox, and verify it object by object.

    Args:
        settings: The target.
        progress: Is told of every phase.
        run: The run, where the caller wants to know its id beforehand.

    Raises:
        ConfigurationError, RefusedError: Something is wrong; nothing has been changed.
        FailedError: The copy is not the same as prod; the last golden content was put back.
        UndoOutstandingError: That failed too.
    """
    with operation(settings, progress, run) as op:
        recover_first(op)
        with op.phase("preflight"):
            # Missed, if they are missing, before anything is changed.
            op.find_tools()
            company = check_prod(op)
            check_sandbox(op)
            # A damaged golden copy is better found while the sandbox can still do without one.
            op.golden.refuse_unreadable()
            op.golden.latest()
        with working_alone(op, "refresh-from-prod") as fence:
            return _refresh(op, fence, company)


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A sandbox that needed no refresh.

    Args:
        fingerprint: What prod holds, and the sandbox too.
    """

    fingerprint: Fingerprint


def ensure_same_as_prod(settings: Settings, progress: Progress) -> Refreshed | Unchanged:
    """Refresh, unless the sandbox is complete and was just now compared and found the same.

    Raises:
        As `refresh_from_prod`.
    """
    run = Run()
    with operation(settings, progress, run) as op, op.fenced():
        prod = fingerprint_of(op.prod, run, settings)
        if read_mark(op).content == "complete" and not differences(
            prod, fingerprint_of(op.sandbox, run, settings), grants=False
        ):
            return Unchanged(prod)
    return refresh_from_prod(settings, progress)


def _refresh(op: Operation, fence: Fence, company: str) -> Refreshed:
    with op.work_folder() as work:
        with op.phase("dump prod and take its fingerprint"):
            prod = capture(
                op.prod,
                work / "prod.dump",
                tools=op.tools,
                run=op.run,
                settings=op.settings,
                compression=_COMPRESSION,
            )
        new = Replacement(
            source="prod",
            dump=prod.path,
            contents=prod.contents,
            fingerprint=prod.fingerprint,
            company=company,
            grants=False,
        )
        with putting_back(op, fence):
            replaced = replace_content(op, fence, new)
    return Refreshed(
        run=op.run.id,
        company=company,
        fingerprint=prod.fingerprint,
        dump_bytes=prod.size,
        dumped=prod.made_by,
        watched=prod.watched,
        wiped=replaced.wiped,
        restored=replaced.restored,
        told=op.told,
        seconds=op.seconds,
    )
