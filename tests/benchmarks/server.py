"""What every benchmark asks of the server and of the client tools that it is measured with."""

from __future__ import annotations

import os
import subprocess
import sysconfig
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from harness.postgres.connection import one
from tests.settings_file import write_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.local.platform import LocalPlatform
    from harness.settings import Settings
    from harness.sides import Login, Prod, Sandbox

    Connection = psycopg.Connection[tuple[Any, ...]]

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


@contextmanager
def superuser(platform: LocalPlatform, database: str = "postgres") -> Iterator[Connection]:
    """A superuser's session in autocommit."""
    with psycopg.connect(
        platform.superuser.conninfo, dbname=database, autocommit=True
    ) as connection:
        yield connection


def write_checkpoint(platform: LocalPlatform) -> None:
    """Let the server write what is waiting, so that no measurement pays for what was before it."""
    with superuser(platform) as session:
        session.execute("CHECKPOINT")


def size_of(platform: LocalPlatform, side: Prod | Sandbox) -> int:
    """Size of the database of one side, in bytes."""
    with superuser(platform) as session:
        return int(one(session, "SELECT pg_database_size(%s)", side.login.database)[0])


def settings_of(platform: LocalPlatform) -> dict[str, str]:
    """The server's settings that matter to time."""
    with superuser(platform) as session:
        return dict(
            session.execute(
                "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY (%s)",
                (list(SERVER_SETTINGS),),
            )
        )


def time_tool(command: Sequence[str | Path], login: Login, *, options: str = "") -> float:
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


def verb_command(settings: Settings, verb: str, folder: Path) -> tuple[str | Path, ...]:
    """The command of a verb, as an operator of a live target would give it.

    Args:
        settings: The target; written to a configuration file.
        verb: The verb.
        folder: Where that file may lie.
    """
    configuration = write_settings(folder / "benchmark.toml", settings)
    return (
        Path(sysconfig.get_path("scripts")) / "sandbox-lifecycle",
        verb,
        "--target=live",
        f"--sandbox-config={configuration}",
        "--json",
    )
