"""Dump one side and take its fingerprint, both from one snapshot and at the same time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import FailedError
from harness.postgres.connection import connect, exported_snapshot, one
from harness.postgres.dump import Contents, check_dump, dump_public
from harness.postgres.fingerprint import Fingerprint, measuring, read_sequences

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.postgres.connection import Connection, Run
    from harness.postgres.tools import ClientTools, Finished
    from harness.settings import Settings
    from harness.sides import Prod, Sandbox

_DUMPS_WRITES = """
SELECT count(backend_xid) FROM pg_catalog.pg_stat_activity WHERE application_name = %s
"""


@dataclass(frozen=True, slots=True)
class Capture:
    """A dump that has been checked, and what its snapshot saw.

    Args:
        path: The dump.
        size: Its size in bytes.
        contents: Its table of contents, without the provisioner's objects.
        fingerprint: What the snapshot saw.
        made_by: How pg_dump ended.
        samples: How often pg_dump's session was seen to have no transaction id.
    """

    path: Path
    size: int
    contents: Contents
    fingerprint: Fingerprint
    made_by: Finished
    samples: int


class _DumpWatch:
    """Looks, while pg_dump runs, whether its session was assigned a transaction id: a sample."""

    def __init__(self, connection: Connection, run: Run) -> None:
        # A login sees its own sessions whole, but only as itself.
        connection.execute("SET ROLE NONE")
        self._connection = connection
        self._name = run.application_name("pg_dump")
        self.samples = 0

    def sample(self) -> None:
        """Look once.

        Raises:
            FailedError: pg_dump has written something.
        """
        if one(self._connection, _DUMPS_WRITES, self._name)[0]:
            raise FailedError(
                "pg_dump's session was assigned a transaction id",
                found="a write in a session that should only read",
                expected="none: it starts its transactions read-only",
                remedy="find what writes: a function with side effects in a view or a policy",
            )
        self.samples += 1


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
    with (
        connect(side, run, "snapshot", deadlines, read_only=True) as keeper,
        connect(side, run, "watch", deadlines, read_only=True) as watcher,
        exported_snapshot(keeper) as snapshot,
        measuring(side, snapshot, run, settings) as fingerprint,
    ):
        watch = _DumpWatch(watcher, run)
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
    contents = check_dump(path, seen.rows, tools, origin=str(made_by)).without(provisioned)
    return Capture(path, path.stat().st_size, contents, seen, made_by, watch.samples)
