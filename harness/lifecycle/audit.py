"""Audit: prove the guarantees about prod, with questions to prod and attempts on a twin alone."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from harness.cluster import client
from harness.credentials.sources import logins
from harness.integrity import vault_plane
from harness.integrity.approved import read_approved
from harness.integrity.attempted import NOTHING_ATTEMPTED, attempt_on_a_twin
from harness.integrity.closure import closure
from harness.integrity.cluster_plane import look
from harness.integrity.network import try_network
from harness.integrity.questions import starts_read_only
from harness.integrity.report.making import Answers, report_of
from harness.lifecycle.interrupts import Interrupts
from harness.lifecycle.operation import failed
from harness.postgres.connection import Run
from harness.sides import Prod

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.integrity.cluster_plane import ClusterPlane
    from harness.integrity.report.model import Report
    from harness.progress import Progress
    from harness.settings import Settings


@dataclass(slots=True)
class _Clock:
    """Tells the listener of every part, and notes how long it took."""

    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, title: str) -> Iterator[None]:
        with self.timed(title), self.progress.phase(title):
            yield

    @contextmanager
    def timed(self, title: str) -> Iterator[None]:
        """For what tells of phases of its own."""
        started = time.monotonic()
        yield
        self.seconds[title] = round(time.monotonic() - started, 3)


def audit(settings: Settings, progress: Progress, *, attempts: bool) -> Report:
    """Look for every path from the sandbox to prod. Nothing is changed, and nobody is kept out.

    Args:
        settings: The target.
        progress: Is told of every part.
        attempts: Also attempt, on a twin, what must fail.

    Raises:
        ConfigurationError: A side or the cluster cannot be reached, or the approved list is not
            usable.
        RefusedError: The two sides are on two servers, or behind a pooler.
        FailedError: Something was not answered, so nothing is proven.
    """
    entries = read_approved(settings.checks.approved)
    run, clock, attempted = Run(), _Clock(progress), NOTHING_ATTEMPTED
    try:
        with ExitStack() as stack:
            interrupts = stack.enter_context(Interrupts())
            # Whatever is leased is revoked, however often somebody presses Ctrl-C meanwhile.
            stack.enter_context(interrupts.held_off())
            settings = stack.enter_context(logins(settings, run.id)).settings
            stack.enter_context(interrupts.let_through())
            with clock.phase("ask the catalogues"):
                audited = closure(settings, run)
                reads_only = (
                    starts_read_only(Prod.of(settings), settings)
                    if audited.dump_identity is not None
                    else None
                )
            with clock.phase("ask the Kubernetes API"):
                cluster = _ask_cluster(settings)
            vault = None
            if settings.vault is not None:
                with clock.phase("ask Vault"):
                    vault = vault_plane.look(settings, settings.vault)
            if attempts:
                with clock.timed("attempt on a twin"):
                    attempted = attempt_on_a_twin(settings, run, progress)
    except psycopg.Error as error:
        raise failed(error) from error
    return report_of(
        Answers(settings, audited, reads_only, cluster, attempted, vault), entries, clock.seconds
    )


def _ask_cluster(settings: Settings) -> ClusterPlane | None:
    if settings.cluster is None:
        return None
    own, deadlines = settings.cluster, settings.deadlines
    network = try_network(own, settings.in_cluster.denied_address, deadlines)
    with ExitStack() as stack:
        cluster = stack.enter_context(client.connect(own, deadlines))
        starts_jobs_too = own.for_jobs == own
        starter = () if starts_jobs_too else (client.connect(own.for_jobs, deadlines),)
        return look(cluster, *map(stack.enter_context, starter), network=network)
