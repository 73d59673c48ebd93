"""Status: what the sandbox is at this moment, without touching it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.cluster.errors import before_any_change
from harness.golden import visibility
from harness.golden.baseline import Baseline
from harness.golden.doubt import DoubtError
from harness.golden.shadow import refuse_emptied
from harness.golden.survey import read_marks
from harness.lifecycle.content import read_mark
from harness.lifecycle.journal import agreed
from harness.lifecycle.operation import operation
from harness.postgres.connection import connect
from harness.postgres.fence import holder

if TYPE_CHECKING:
    from pathlib import Path

    from harness.cluster.client import Cluster
    from harness.lifecycle.operation import Operation
    from harness.progress import Progress
    from harness.settings import Settings


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """How the application stands.

    Args:
        replicas: How many pods are asked for.
        ready: How many are Ready.
        self_heal: Whether Argo CD syncs by itself now, and the policy that says so.
        lease: Who holds the Lease, since when and until when.
        outstanding: Id of the run whose undo is outstanding, or that is at work; None if none.
    """

    replicas: int
    ready: int
    self_heal: str
    lease: str
    outstanding: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """What can be said of the sandbox.

    Args:
        prod: Where prod is.
        sandbox: Where the sandbox is.
        pins: The two settings that pin this very database.
        content: `empty`, `incomplete` or `complete`.
        source: What the content is.
        since: When the mark was written, in ISO 8601, UTC.
        writer: The run that is working on the sandbox now, if any.
        cluster: How the application stands: replicas, self-heal, the Lease, an outstanding journal;
            None where nobody runs it.
        golden: Ids of the golden copies, the newest first; none where there is an obstacle.
        golden_obstacle: Why it cannot be told which there are; None where it can.
        shadow: Whether the next reset can be differential; else why not.
        changed_pages: Whether it can see the changed pages; else what the provisioner has to run.
        tools_version: Version of the client tools.
        tools_directory: Their folder.
    """

    prod: str
    sandbox: str
    pins: str
    content: str
    source: str
    since: str
    writer: str | None
    cluster: ClusterStatus | None
    golden: list[str]
    golden_obstacle: str | None
    shadow: str
    changed_pages: str
    tools_version: str
    tools_directory: Path


def status(settings: Settings, progress: Progress) -> Status:
    """Ask, and change nothing.

    Raises:
        ConfigurationError, RefusedError: The sandbox cannot be reached, or is not the sandbox.
    """
    with operation(settings, progress) as op:
        mark = read_mark(op)
        obstacle = op.golden.obstacle()
        return Status(
            prod=str(op.prod.login),
            sandbox=str(op.sandbox.login),
            pins=op.identity.pins,
            content=mark.content,
            source=mark.source,
            since=mark.since,
            writer=holder(op.sandbox, op.run, op.deadlines),
            cluster=_ask_cluster(op.cluster) if op.cluster is not None else None,
            golden=[] if obstacle else op.golden.generations(),
            golden_obstacle=obstacle,
            shadow=_shadow(op, obstacle),
            changed_pages=_changed_pages(op),
            tools_version=op.tools.version,
            tools_directory=op.tools.directory,
        )


def _shadow(op: Operation, obstacle: str | None) -> str:
    # A reset is refused then, whatever else can be read.
    if obstacle is not None:
        return f"none: {obstacle}"
    folder = op.golden.newest_folder()
    if folder is None:
        return "none: there is no golden copy"
    try:
        Baseline.read(folder)
        with connect(op.sandbox, op.run, "status", op.deadlines, read_only=True) as session:
            refuse_emptied(session)
    except DoubtError as doubt:
        return f"none: {doubt}"
    return "ready"


def _changed_pages(op: Operation) -> str:
    with connect(op.sandbox, op.run, "status", op.deadlines, read_only=True) as session:
        if read_marks(session, op.run).visibility is not None:
            return "seen"
        statement = visibility.grant(op.sandbox.owner_role).as_string(session)
    return f"not seen; let the provisioner run, in the sandbox: {statement}"


def _ask_cluster(cluster: Cluster) -> ClusterStatus:
    with before_any_change():
        workload, application = cluster.workload.read(), cluster.application.read()
        lease = cluster.lease.read()
    journal = agreed(lease.journal, application.journal)
    policy = application.policy
    return ClusterStatus(
        replicas=workload.replicas,
        ready=workload.ready,
        self_heal=f"{'on' if policy.automated_on else 'off'} ({policy})",
        lease=str(lease),
        outstanding=journal.run if journal else None,
    )
