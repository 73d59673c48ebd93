"""The application out of the way: self-heal paused, no pod left; and everything put back after it.

What has to be put back is written down before anything is changed, in the Lease, and once more on
the Application in the same write as the pause. So whoever finds it later can do what this run could
not; `put_back` is the one way back for both.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from harness.cluster.holder import Holder
from harness.cluster.policy import SyncPolicy
from harness.dolibarr.gate import company_name
from harness.dolibarr.question import expect_company
from harness.errors import UndoOutstandingError
from harness.lifecycle.content import read_mark
from harness.lifecycle.journal import ApplicationBefore, Journal, WorkloadBefore
from harness.postgres.connection import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.cluster.appstate import Rearmed
    from harness.cluster.client import Cluster
    from harness.cluster.held import Held
    from harness.lifecycle.journal import Verb
    from harness.lifecycle.operation import Operation


@contextmanager
def leased(op: Operation, cluster: Cluster, verb: Verb) -> Iterator[tuple[Held, Journal]]:
    """Hold the Lease, with the journal of what the run is about to change in it.

    Signals wait in the block, but where it lets them through.

    Raises:
        ConfigurationError, RefusedError: The run cannot begin; nothing has been changed.
    """
    with op.interrupts.held_off():
        with op.phase("take the Lease"):
            with op.interrupts.let_through():
                cluster.access.refuse_missing()
                journal = _journal(op, cluster, verb)
                free = cluster.lease.wait_until_free()
            held = cluster.lease.acquire(Holder.here(op.run.id), journal.text, free=free)
        with held:
            yield held, journal


@contextmanager
def standstill(op: Operation, cluster: Cluster, verb: Verb) -> Iterator[Held]:
    """Stop the application for the length of the block, and put everything back after it.

    Raises:
        ConfigurationError, RefusedError: The run cannot begin; nothing has been changed.
        FailedError: The application could not be stopped; everything is put back.
        UndoOutstandingError: Something could not be put back; `recover` will.
    """
    with leased(op, cluster, verb) as (held, journal), ExitStack() as undo:
        undo.callback(_put_back_whatever_comes, op, cluster, held, journal)
        with op.interrupts.let_through():
            _stop(op, cluster, held, journal)
            yield held


def still_away(cluster: Cluster, held: Held) -> Callable[[], None]:
    """What asserts that the Lease is held, and that nobody has started the application again."""

    def assert_away() -> None:
        held.assert_held()
        cluster.workload.wait_gone()

    return assert_away


def put_back(op: Operation, cluster: Cluster, held: Held, journal: Journal) -> list[str]:
    """Scale back, re-arm, clear the journal, give the Lease up; tell what others have changed.

    Self-heal is re-armed even where the application does not become Ready: that is what it would be
    needed for.

    Raises:
        FailedError: The application does not become Ready, or does not answer; all else is done.
        ApiError, LostError: Something could not be put back; the journal stays.
    """
    told = []
    with op.phase("scale the application back"):
        told += _scale_back(cluster, held, journal)
    with ExitStack() as last:
        last.callback(held.release)
        last.callback(_rearm, op, cluster, held, journal, told)
        _wait_ready(op, cluster)
    return told


def _journal(op: Operation, cluster: Cluster, verb: Verb) -> Journal:
    application = cluster.application.refuse_unpausable()
    workload = cluster.workload.refuse_autoscaled()
    generations = op.golden.generations()
    return Journal(
        run=op.run.id,
        verb=verb,
        started=datetime.now(UTC),
        system_identifier=op.identity.system_identifier,
        database_oid=op.identity.database_oid,
        golden=generations[0] if generations else None,
        application=ApplicationBefore(uid=application.uid, policy=application.policy.text),
        workload=WorkloadBefore(uid=workload.uid, replicas=workload.replicas),
    )


def _stop(op: Operation, cluster: Cluster, held: Held, journal: Journal) -> None:
    with op.phase("pause self-heal"):
        original = SyncPolicy(journal.application.policy)
        cluster.application.pause(journal.text, original, held=held)
    with op.phase("wait until Argo CD has seen the pause"):
        cluster.application.wait_until_seen()
    with op.phase("scale the application to 0"):
        cluster.workload.scale(0, expected=journal.workload.replicas, held=held)
    with op.phase("wait until the application is gone"):
        cluster.workload.wait_gone()


def _put_back_whatever_comes(op: Operation, cluster: Cluster, held: Held, journal: Journal) -> None:
    try:
        op.told.extend(put_back(op, cluster, held, journal))
    except Exception as error:
        raise UndoOutstandingError(
            "the application could not be put back as it was",
            found=str(error).partition("\n")[0],
            expected=f"{journal.workload.replicas} replicas Ready, self-heal as before",
            remedy="sandbox-lifecycle recover",
        ) from error


def _scale_back(cluster: Cluster, held: Held, journal: Journal) -> list[str]:
    found, before = cluster.workload.read(), journal.workload
    if found.uid != before.uid:
        return ["the Deployment was made anew meanwhile, and was left as it is"]
    if found.replicas == 0:
        cluster.workload.scale(before.replicas, expected=0, held=held)
    elif found.replicas != before.replicas:
        now = f"{found.replicas} replicas now, {before.replicas} before"
        return [f"somebody has scaled the application meanwhile, which was left: {now}"]
    return []


def _rearm(op: Operation, cluster: Cluster, held: Held, journal: Journal, told: list[str]) -> None:
    with op.phase("re-arm self-heal"):
        before = journal.application
        done = cluster.application.rearm(SyncPolicy(before.policy), uid=before.uid, held=held)
    told += _what_others_did(done)


def _what_others_did(done: Rearmed) -> list[str]:
    match done.outcome:
        case "another":
            return ["the Application was made anew meanwhile, and was left as it is"]
        case "left":
            return [f"somebody has changed the sync policy, which was left: {done.policy}"]
        case "partly":
            return [f"somebody has changed parts of the sync policy, now: {done.policy}"]
        case _:
            return []


def _wait_ready(op: Operation, cluster: Cluster) -> None:
    replicas = cluster.workload.read().replicas
    if replicas == 0:
        return
    with op.phase("wait until the application is Ready"):
        cluster.workload.wait_ready(replicas)
    url = cluster.settings.application_url
    if url is not None and read_mark(op).content == "complete":
        with op.phase("ask the application for its company"):
            with connect(op.sandbox, op.run, "company", op.deadlines, read_only=True) as session:
                company = company_name(session)
            expect_company(url, company, op.deadlines)
