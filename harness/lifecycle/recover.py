"""Recover: finish the undo of a run that died, from its journal alone.

Self-heal is never switched off here, and what somebody has changed meanwhile is left and told.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.cluster.errors import before_any_change
from harness.cluster.holder import Holder
from harness.deadlines import eventually
from harness.errors import RefusedError, UndoOutstandingError
from harness.lifecycle.content import from_golden, read_mark, replace_content
from harness.lifecycle.journal import agreed, refusal
from harness.lifecycle.operation import operation
from harness.lifecycle.standstill import put_back, still_away

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from harness.cluster.appstate import AppState
    from harness.cluster.client import Cluster
    from harness.cluster.held import Held
    from harness.cluster.term import LeaseState
    from harness.golden.store import Generation
    from harness.lifecycle.journal import Journal
    from harness.lifecycle.operation import Operation
    from harness.postgres.connection import Run
    from harness.progress import Progress
    from harness.settings import Settings


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a recovery found and did.

    Args:
        run: Id of the recovering run.
        dead_run: Id of the run whose undo was outstanding; None if none was.
        content: The mark of the content now.
        golden: The golden copy that was put back; None if none had to be.
        told: What others have changed meanwhile, and what stays as it is.
        seconds: How long each phase took.
    """

    run: str
    dead_run: str | None
    content: str
    golden: str | None
    told: list[str]
    seconds: Mapping[str, float]


def recover(
    settings: Settings,
    progress: Progress,
    run: Run | None = None,
    *,
    free: LeaseState | None = None,
) -> Recovered:
    """Put right whatever a dead run has left, in the cluster and in the database.

    Args:
        settings: The target.
        progress: Is told of every phase.
        run: The run, where the caller wants to know its id beforehand.
        free: The Lease, as the caller has seen that it may be taken; None: it is waited for here.

    Raises:
        ConfigurationError, RefusedError: Another run is at work, or the target cannot be reached.
        UndoOutstandingError: The journal cannot be followed, or something could not be put right.
    """
    with operation(settings, progress, run) as op:
        done = recover_outstanding(op, op.cluster, free) if op.cluster is not None else None
        if done is not None:
            return replace(done, told=[*op.told, *done.told])
        golden, told = None, op.told
        if read_mark(op).content == "incomplete":
            if op.cluster is None:
                golden = _put_content_back(op)
            told = [*op.told, *_told_of_content(golden, op.golden.directory)]
        return _recovered(op, None, golden, told)


def recover_first(op: Operation) -> None:
    """What every verb does before anything else: finish what a dead run has left, if one has.

    Raises:
        RefusedError: Another run is at work.
        UndoOutstandingError: Something could not be put right.
    """
    if op.cluster is not None and (done := recover_outstanding(op, op.cluster)) is not None:
        op.told.append(f"finished the undo of run {done.dead_run or 'unknown'} first")
        op.told.extend(done.told)


def recover_outstanding(
    op: Operation, cluster: Cluster, free: LeaseState | None = None
) -> Recovered | None:
    """Finish what a dead run has left; None if nothing is outstanding.

    Args:
        op: The recovering run.
        cluster: What runs the application.
        free: The Lease, as it was seen that it may be taken; None: it is waited for.

    Raises:
        ConfigurationError: The cluster cannot be asked; nothing has been changed.
        RefusedError: The run is not dead.
        UndoOutstandingError: Its journal cannot be followed, or something could not be put right.
    """
    with before_any_change():
        lease, application = cluster.lease.read(), cluster.application.read()
    journal = agreed(lease.journal, application.journal)
    if journal is None and lease.identity is None:
        return None
    if journal is not None:
        _refuse_another_database(op, journal)
        _refuse_another_application(application, journal)
    with op.interrupts.held_off():
        with op.phase("wait until the Lease may be taken"):
            with op.interrupts.let_through():
                free = free or cluster.lease.wait_until_free()
            held = cluster.lease.acquire(Holder.here(op.run.id), free=free)
        with held:
            try:
                return _finish(op, cluster, held, journal)
            except UndoOutstandingError:
                raise
            except Exception as error:
                raise UndoOutstandingError(
                    "what a dead run has left could not be put right",
                    found=str(error).partition("\n")[0],
                    expected="replicas, self-heal and content as its journal says",
                    remedy="mend the cause, then sandbox-lifecycle recover",
                ) from error


def _finish(op: Operation, cluster: Cluster, held: Held, journal: Journal | None) -> Recovered:
    golden, told, running = None, [], False
    if read_mark(op).content == "incomplete":
        with _stopped(cluster, held) as is_stopped:
            golden = _put_content_back(op, still_away(cluster, held)) if is_stopped else None
        running = not is_stopped
        told = _told_of_content(golden, op.golden.directory, journal.golden if journal else None)
    if journal is None:
        held.release()
    else:
        told += put_back(op, cluster, held, journal)
    if running and op.golden.generations():
        raise UndoOutstandingError(
            "the content of the sandbox is incomplete, and the application runs on it",
            found="; ".join(["somebody has started it and re-armed self-heal", *told]),
            expected="an application that stays away while its content is put back",
            remedy="sandbox-lifecycle reset, which pauses self-heal first",
        )
    return _recovered(op, journal, golden, told)


@contextmanager
def _stopped(cluster: Cluster, held: Held) -> Iterator[bool]:
    """Whether the application is away for the length of the block.

    Where somebody has scaled it up again, it is stopped meanwhile and given back the same number of
    replicas; where self-heal is on it cannot be kept away, and is left alone.
    """
    replicas = cluster.workload.read().replicas
    if replicas and cluster.application.read().policy.automated_on:
        yield False
        return
    with ExitStack() as undo:
        if replicas:
            undo.callback(cluster.workload.scale, replicas, expected=0, held=held)
            cluster.workload.scale(0, expected=replicas, held=held)
        cluster.workload.wait_gone()
        yield True


def _put_content_back(op: Operation, *also: Callable[[], None]) -> Generation | None:
    golden = op.golden.latest()
    if golden is None:
        return None
    with ExitStack() as stack:
        # The server may not have noticed yet that the dead run's session is gone.
        fence = eventually(
            lambda: stack.enter_context(op.fenced(*also)), op.deadlines.leftover, on=RefusedError
        )
        op.drain()
        with op.phase("put the last golden content back"):
            replace_content(op, fence, from_golden(op, golden))
    return golden


def _told_of_content(
    golden: Generation | None, directory: Path, known: str | None = None
) -> list[str]:
    """What was not put back; an older copy than the one that the run knew is never in silence."""
    told = []
    if golden is None:
        told.append("the content stays incomplete until the next reset or refresh-from-prod")
    if known is not None and (golden is None or golden.manifest.generation < known):
        instead = f"; {golden.manifest.generation} was put back" if golden else ""
        told.append(
            f"the run knew golden copy {known}, which is not in {directory} or cannot be read there"
            f"{instead}: sandbox-lifecycle reset --job, where it is on the cluster's volume"
        )
    return told


def _recovered(
    op: Operation, journal: Journal | None, golden: Generation | None, told: list[str]
) -> Recovered:
    return Recovered(
        run=op.run.id,
        dead_run=journal.run if journal else None,
        content=read_mark(op).content,
        golden=golden.manifest.generation if golden else None,
        told=told,
        seconds=op.seconds,
    )


def _refuse_another_application(application: AppState, journal: Journal) -> None:
    """A journal lies on the Application that it is about; one made anew has none, or is a copy."""
    if application.journal is not None and application.uid != journal.application.uid:
        raise refusal(
            "the journal on the Application is about another one",
            f"uid {journal.application.uid} in it, on the Application of uid {application.uid}",
        )


def _refuse_another_database(op: Operation, journal: Journal) -> None:
    own = (op.identity.system_identifier, op.identity.database_oid)
    if (journal.system_identifier, journal.database_oid) != own:
        raise refusal(
            "the journal is about another database",
            f"OID {journal.database_oid} on server {journal.system_identifier}, not OID {own[1]}"
            f" on {own[0]}",
        )
