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
import os
import subprocess
import sysconfig
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from pydantic import SecretStr

from harness.errors import FailedError
from harness.lifecycle.operation import operation
from harness.local.platform import LocalOptions, local_platform
from harness.postgres.connection import one
from harness.postgres.difference import differences
from harness.postgres.fingerprint import fingerprint_of
from harness.postgres.wipe import wipe
from harness.progress import Silent
from harness.sides import Prod, Sandbox
from tests.benchmarks.measured import Bare, Measured, Refresh
from tests.benchmarks.watching import run_watched

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.local.platform import LocalPlatform
    from harness.progress import Progress
    from harness.settings import Settings
    from harness.sides import Login

SERVER_SETTINGS = (
    "server_version",
    "fsync",
    "full_page_writes",
    "synchronous_commit",
    "wal_level",
    "shared_buffers",
    "max_wal_size",
    "autovacuum",
)


def measure(scale: float, postgres: str, repeat: int, progress: Progress) -> Measured:
    """Start a local platform whose prod has one size, measure, and remove it."""
    options = LocalOptions(postgres=postgres, scale=scale, cluster=False)
    with local_platform(options, progress) as platform:
        refresh = _Refresher(platform)
        bare = _BareTools(platform)
        with _superuser(platform, bare.prod.login.database) as session:
            session.execute("VACUUM (ANALYZE)")
        with progress.phase("warm up"):
            warm_up = refresh.run()
        refreshes, bares, leans = [], [], []
        for number in range(1, repeat + 1):
            with progress.phase(f"refresh {number} of {repeat}"):
                _write_checkpoint(platform)
                refreshes.append(refresh.run())
            with progress.phase(f"bare {number} of {repeat}"):
                bares.append(bare.run())
            with progress.phase(f"lean {number} of {repeat}"):
                leans.append(bare.run(lean=True))
        return Measured(
            scale=scale,
            server=platform.description,
            settings=_server_settings(platform),
            prod_bytes=_size(platform, bare.prod),
            sandbox_bytes=_size(platform, bare.sandbox),
            warm_up=warm_up,
            refreshes=tuple(refreshes),
            bares=tuple(bares),
            leans=tuple(leans),
        )


class _Refresher:
    """Runs the command, as an operator of a live target would."""

    def __init__(self, platform: LocalPlatform) -> None:
        configuration = platform.run.path / "benchmark.toml"
        configuration.touch(mode=0o600)
        configuration.write_text(_toml(platform.settings), encoding="utf-8")
        self._command = (
            Path(sysconfig.get_path("scripts")) / "sandbox-lifecycle",
            "refresh-from-prod",
            "--target=live",
            f"--sandbox-config={configuration}",
            "--json",
        )

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
        with operation(self._platform.settings, Silent()) as op, op.work_folder() as folder:
            with op.alone() as fence:
                wipe(op.sandbox, op.run, fence, op.deadlines)
            _write_checkpoint(self._platform)
            dump, programs = folder / "bare.dump", op.tools.directory
            copied = Bare(
                dump=_timed(
                    [
                        programs / "pg_dump",
                        *("--format=custom", "--schema=public", f"--file={dump}"),
                        *(["--compress=0"] if lean else []),
                        f"--role={self.prod.owner_role}",
                    ],
                    self.prod.login,
                ),
                restore=_timed(
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


def _timed(command: Sequence[str | Path], login: Login, *, options: str = "") -> float:
    """Seconds that a client tool takes; its exit code is no verdict, the copy's content is."""
    where = {
        "PGHOST": login.host,
        "PGPORT": str(login.port),
        "PGUSER": login.user,
        "PGDATABASE": login.database,
        "PGPASSWORD": login.password or "",
        "PGOPTIONS": options,
    }
    started = time.monotonic()
    subprocess.run(
        # pg_restore writes to standard output unless it is told a database.
        [*command, f"--dbname={login.database}"],
        env=os.environ | where,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return time.monotonic() - started


def _toml(settings: Settings) -> str:
    """Settings as the configuration file of a live target."""
    plain = json.loads(
        json.dumps(
            settings.model_dump(exclude_none=True),
            default=lambda value: (
                value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            ),
        )
    )
    lines = []
    for table, values in plain.items():
        if isinstance(values, dict):
            # JSON's texts, numbers, truths and lists read the same in TOML.
            lines += [
                f"[{table}]",
                *(f"{name} = {json.dumps(value)}" for name, value in values.items()),
            ]
        else:
            lines.insert(0, f"{table} = {json.dumps(values)}")
    return "\n".join(lines) + "\n"


@contextmanager
def _superuser(
    platform: LocalPlatform, database: str = "postgres"
) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    with psycopg.connect(
        platform.superuser.conninfo, dbname=database, autocommit=True
    ) as connection:
        yield connection


def _write_checkpoint(platform: LocalPlatform) -> None:
    with _superuser(platform) as session:
        session.execute("CHECKPOINT")


def _size(platform: LocalPlatform, side: Prod | Sandbox) -> int:
    with _superuser(platform) as session:
        return int(one(session, "SELECT pg_database_size(%s)", side.login.database)[0])


def _server_settings(platform: LocalPlatform) -> dict[str, str]:
    with _superuser(platform) as session:
        return dict(
            session.execute(
                "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY (%s)",
                (list(SERVER_SETTINGS),),
            )
        )
