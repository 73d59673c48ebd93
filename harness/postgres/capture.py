"""Dump one side and take its fingerprint, both from one snapshot and at the same time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.postgres.connection import connect, exported_snapshot
from harness.postgres.dump import Contents, check_dump, dump_public
from harness.postgres.fingerprint import Fingerprint, measuring, read_sequences
from harness.postgres.watch import Watch, Watched

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.postgres.connection import Run
    from harness.postgres.tools import ClientTools, Finished
    from harness.settings import Settings
    from harness.sides import Prod, Sandbox


@dataclass(frozen=True, slots=True)
class Capture:
    """A dump that has been checked, and what its snapshot saw.

    Args:
        path: The dump.
        size: Its size in bytes.
        contents: Its table of contents, without the provisioner's objects.
        fingerprint: What the snapshot saw.
        made_by: How pg_dump ended.
        watched: What was seen of the run's sessions meanwhile.
    """

    path: Path
    size: int
    contents: Contents
    fingerprint: Fingerprint
    made_by: Finished
    watched: Watched


def capture(
    side: Prod | Sandbox,
    path: Path,
    *,
    tools: ClientTools,
    run: Run,
    settings: Settings,
    compression: int,
    also: Callable[[str], None] = lambda _snapshot: None,
) -> Capture:
    """Dump schema public of one side to `path` and check the dump, having changed nothing.

    Args:
        side: What to dump.
        path: The file to write.
        tools: The client tools.
        run: The run that the sessions belong to.
        settings: Jobs, deadlines, and what is the provisioner's.
        compression: Level of gzip, 0 for none.
        also: Called with the snapshot's name once the dump is written, while it is still held.

    Raises:
        FailedError: The dump is not usable, or a session that should only read has written.
    """
    deadlines, provisioned = settings.deadlines, settings.checks.provisioner_functions
    with connect(side, run, "watch", deadlines, read_only=True) as watcher:
        watch = Watch(watcher, side, run)
        with (
            connect(side, run, "snapshot", deadlines, read_only=True) as keeper,
            exported_snapshot(keeper) as snapshot,
            measuring(side, snapshot, run, settings) as fingerprint,
        ):
            made_by = dump_public(
                side,
                path,
                snapshot=snapshot,
                tools=tools,
                run=run,
                compression=compression,
                watch=watch.sample,
            )
            also(snapshot)
            seen = fingerprint().moved_to(read_sequences(keeper))
        watched = watch.end(deadlines)
    contents = check_dump(path, seen.rows, tools, origin=str(made_by)).without(provisioned)
    return Capture(path, path.stat().st_size, contents, seen, made_by, watched)
