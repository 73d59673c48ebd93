"""Time and memory of `refresh-from-prod`, against a copy that nobody verifies.

What is compared, in turn, on one server and one sample prod:

- **refresh**: the command `sandbox-lifecycle refresh-from-prod` in a process of its own, from its
  start to its end, with everything that it does: handshakes, dump, prod's fingerprint, check of the
  dump, wipe of a full sandbox, restore, verification, gate, marks.
- **bare**: `pg_dump -Fc`, then `pg_restore -j2`, of schema public, with their own defaults and the
  very programs that the refresh uses, into a sandbox that is empty (the wipe is off the clock).
  What they left is compared with prod afterwards, off the clock too: a bare copy that lost
  something would be a wrong yardstick.

The server's settings are PostgreSQL's own, so it is durable (fsync on); before each measurement it
has written a checkpoint, so neither pays for the other's writes. Prod was vacuumed once, as any
prod is. One refresh beforehand warms everything up: its time does not count, its memory does. The
ratio is the one between the medians.

What pays for the verification is in part that the refresh does not compress a dump that lives for
seconds, and does not wait for the disk at each of its thousands of commits. To show how much that
is, a **lean** copy is timed too: the bare one with these two savings. No limit depends on it.

Memory is that of the command's own process (the most that it ever had resident), and beside it the
sum with its client tools; the database server is no part of either.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.errors import FailedError
from harness.lifecycle.operation import operation
from harness.local.platform import LocalOptions, local_platform
from harness.postgres.difference import differences
from harness.postgres.fingerprint import fingerprint_of
from harness.postgres.wipe import wipe
from harness.progress import Silent
from harness.sides import Prod, Sandbox
from tests.benchmarks.measured import Bare, Measured, Refresh
from tests.benchmarks.server import (
    settings_of,
    size_of,
    superuser,
    time_tool,
    verb_command,
    write_checkpoint,
)
from tests.benchmarks.watching import run_watched

if TYPE_CHECKING:
    from pathlib import Path

    from harness.local.platform import LocalPlatform
    from harness.progress import Progress


def measure(scale: float, postgres: str, repeat: int, progress: Progress) -> Measured:
    """Start a local platform whose prod has one size, measure, and remove it."""
    options = LocalOptions(postgres=postgres, scale=scale, cluster=False)
    with local_platform(options, progress) as platform:
        refresh = _Refresher(platform)
        bare = _BareTools(platform)
        with superuser(platform, bare.prod.login.database) as session:
            session.execute("VACUUM (ANALYZE)")
        with progress.phase("warm up"):
            warm_up = refresh.run()
        refreshes, bares, leans = [], [], []
        for number in range(1, repeat + 1):
            with progress.phase(f"refresh {number} of {repeat}"):
                write_checkpoint(platform)
                refreshes.append(refresh.run())
            with progress.phase(f"bare {number} of {repeat}"):
                bares.append(bare.run())
            with progress.phase(f"lean {number} of {repeat}"):
                leans.append(bare.run(lean=True))
        return Measured(
            scale=scale,
            server=platform.description,
            settings=settings_of(platform),
            prod_bytes=size_of(platform, bare.prod),
            sandbox_bytes=size_of(platform, bare.sandbox),
            warm_up=warm_up,
            refreshes=tuple(refreshes),
            bares=tuple(bares),
            leans=tuple(leans),
        )


class _Refresher:
    """Runs the command, as an operator of a live target would."""

    def __init__(self, platform: LocalPlatform) -> None:
        self._command = verb_command(platform.settings, "refresh-from-prod", platform.run.path)

    def run(self) -> Refresh:
        """Refresh once.

        Raises:
            FailedError: The command failed.
        """
        done = run_watched(self._command)
        if done.exit_code != 0:
            raise FailedError(
                "the refresh failed, so there is nothing to measure",
                found=f"exit code {done.exit_code}: {done.errors}{done.output}",
                expected="exit code 0",
            )
        return Refresh(
            seconds=done.seconds,
            phases=json.loads(done.output)["result"]["seconds"],
            own_peak=done.own_peak,
            tree_peak=done.tree_peak,
        )


class _BareTools:
    """Copies prod with nothing but the client tools."""

    def __init__(self, platform: LocalPlatform) -> None:
        self._platform = platform
        self.prod = Prod.of(platform.settings)
        self.sandbox = Sandbox.of(platform.settings)

    def run(self, *, lean: bool = False) -> Bare:
        """Copy once.

        Args:
            lean: With the savings that a refresh allows itself.

        Raises:
            FailedError: The copy is not the same as prod.
        """
        with operation(self._platform.settings, Silent()) as op:
            with op.fenced() as fence:
                op.drain()
                wipe(op.sandbox, op.run, fence, op.deadlines)
            with op.work_folder() as folder:
                copied = self._copy(folder, op.tools.directory, lean=lean)
            lost = differences(
                fingerprint_of(self.prod, op.run, op.settings),
                fingerprint_of(self.sandbox, op.run, op.settings),
                grants=False,
            )
        if lost:
            raise FailedError(
                "the bare tools made no copy that could be compared with",
                found=f"{len(lost)} differences, {lost[0]} among them",
                expected="the same content as prod's",
            )
        return copied

    def _copy(self, folder: Path, programs: Path, *, lean: bool) -> Bare:
        dump = folder / "bare.dump"
        write_checkpoint(self._platform)
        return Bare(
            dump=time_tool(
                [
                    programs / "pg_dump",
                    *("--format=custom", "--schema=public", f"--file={dump}"),
                    *(["--compress=0"] if lean else []),
                    f"--role={self.prod.owner_role}",
                ],
                self.prod.login,
            ),
            restore=time_tool(
                [
                    programs / "pg_restore",
                    *("--schema=public", "--jobs=2", "--no-owner", "--no-acl", dump),
                    f"--role={self.sandbox.owner_role}",
                ],
                self.sandbox.login,
                options="-c synchronous_commit=off" if lean else "",
            ),
            dump_bytes=dump.stat().st_size,
        )
