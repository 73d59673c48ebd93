"""Checkpoint: keep a golden copy of the sandbox as it is now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.dolibarr.gate import company_name
from harness.golden.manifest import Manifest, StoredFile
from harness.lifecycle.alone import reading_alone
from harness.lifecycle.content import refuse_unless_complete
from harness.lifecycle.operation import operation
from harness.lifecycle.recover import recover_first
from harness.lifecycle.shadow import ShadowKeeper
from harness.postgres.capture import capture
from harness.postgres.connection import connect

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.lifecycle.operation import Operation
    from harness.postgres.connection import Run
    from harness.postgres.fence import Fence
    from harness.progress import Progress
    from harness.settings import Settings

# A golden copy is kept for days on a volume and read back often: gzip's fastest level makes a dump
# of prod a fifth of its size, and slower levels win little more.
_COMPRESSION = 1


@dataclass(frozen=True, slots=True)
class Checkpointed:
    """A golden copy that was taken.

    Args:
        run: Id of the run.
        generation: Id of the golden copy.
        folder: Where it is.
        bytes: Size of its dump.
        tables: Number of tables.
        rows: Number of rows.
        kept: Ids of the generations that are kept, the newest first.
        no_shadow: Why there is no shadow beside it; None if there is one.
        seconds: How long each phase took.
    """

    run: str
    generation: str
    folder: Path
    bytes: int
    tables: int
    rows: int
    kept: list[str]
    no_shadow: str | None
    seconds: Mapping[str, float]


def checkpoint(settings: Settings, progress: Progress, run: Run | None = None) -> Checkpointed:
    """Keep a golden copy: a dump with its fingerprint, and a shadow from the same snapshot.

    Args:
        settings: The target.
        progress: Is told of every phase.
        run: The run, where the caller wants to know its id beforehand.

    Raises:
        ConfigurationError, RefusedError: Something is wrong, or the content cannot be relied on.
        FailedError: The dump is not usable. The generations before are untouched.
    """
    with operation(settings, progress, run) as op:
        recover_first(op)
        with reading_alone(op, "checkpoint") as fence:
            return _checkpoint(op, fence)


def _checkpoint(op: Operation, fence: Fence) -> Checkpointed:
    source, tools = refuse_unless_complete(op, "checkpoint").source, op.tools
    shadow = ShadowKeeper(op, fence)
    shadow.prepare()
    with op.golden.draft(op.run.id) as draft:
        with op.phase("dump the sandbox and take its fingerprint"):
            captured = capture(
                op.sandbox,
                draft.dump,
                tools=tools,
                run=op.run,
                settings=op.settings,
                compression=_COMPRESSION,
                also=shadow.fill,
            )
        with connect(op.sandbox, op.run, "checkpoint", op.deadlines, read_only=True) as session:
            company = company_name(session)
            server_version = session.info.server_version
        with op.phase("seal the golden copy"):
            generation = draft.seal(
                Manifest(
                    generation=draft.generation,
                    taken=draft.taken,
                    run=op.run.id,
                    source=source,
                    company=company,
                    database=op.sandbox.login.database,
                    system_identifier=op.identity.system_identifier,
                    server_version=server_version,
                    tools_version=tools.version,
                    files={draft.dump.name: StoredFile.of(draft.dump)},
                    fingerprint=captured.fingerprint,
                )
            )
    shadow.finish(generation.folder, captured.fingerprint)
    return Checkpointed(
        run=op.run.id,
        generation=generation.manifest.generation,
        folder=generation.folder,
        bytes=captured.size,
        tables=len(captured.fingerprint.rows),
        rows=captured.fingerprint.total_rows,
        kept=op.golden.generations(),
        no_shadow=shadow.doubt,
        seconds=op.seconds,
    )
