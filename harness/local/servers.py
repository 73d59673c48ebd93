"""A server for a local run: started from binaries, or one of the user's."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from pydantic import SecretStr

from harness.errors import ConfigurationError
from harness.local.undo import Undo
from harness.postgres.launcher import Launcher
from harness.sides import Login

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from harness.deadlines import Deadlines
    from harness.local.runs import LocalRun
    from harness.postgres.binaries import Binaries
    from harness.progress import Progress

_OLDEST_MAJOR = 14

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A running server.

    Args:
        superuser: A superuser's login to its database `postgres`.
        major: Major version, 18.
        description: Version and origin, for the header of a run.
        client_tools: Directory of client tools that came with it, or None.
        is_ours: It was started for this run and goes with it; else it is somebody's own.
    """

    superuser: Login
    major: int
    description: str
    client_tools: Path | None
    is_ours: bool = True

    def connect(self, database: str = "postgres") -> Connection:
        """A superuser's session in autocommit, on one database."""
        login = self.superuser
        return psycopg.connect(login.conninfo, dbname=database, autocommit=True)


@contextmanager
def binaries_server(
    binaries: Binaries,
    run: LocalRun,
    deadlines: Deadlines,
    progress: Progress,
    *,
    settings: Mapping[str, str] | None = None,
) -> Iterator[LocalServer]:
    """A new server, started from programs on this machine.

    Args:
        binaries: The programs.
        run: The run that it is for; its files are in the run's directory.
        deadlines: The table of deadlines.
        progress: Told while it starts.
        settings: Server settings; default: PostgreSQL's own, so durable.
    """
    launcher = Launcher(binaries, run.subdirectory("server"), settings or {}, deadlines)
    with Undo() as undo:
        undo.callback(_end, launcher, run)
        with progress.phase(f"start {binaries.description}"):
            launcher.create()
            launcher.start()
        yield LocalServer(
            superuser=launcher.superuser,
            major=binaries.major,
            description=binaries.description,
            client_tools=binaries.bin if (binaries.bin / "pg_restore").is_file() else None,
        )


def users_server(connection_string: str, deadlines: Deadlines) -> LocalServer:
    """A server of the user's, reached as a superuser.

    Raises:
        ConfigurationError: It cannot be reached, or the login is no superuser, or it is too old.
    """
    superuser = Login.parse(SecretStr(connection_string), name="--postgres")
    try:
        with psycopg.connect(
            superuser.conninfo, connect_timeout=round(deadlines.connect.seconds)
        ) as connection:
            version = connection.info.parameter_status("server_version") or ""
            is_superuser = connection.info.parameter_status("is_superuser")
            major = connection.info.server_version // 10000
    except psycopg.OperationalError as error:
        raise ConfigurationError(
            f"the server of --postgres cannot be used: no session for {superuser}",
            found=" ".join(str(error).split()),
            expected="a running PostgreSQL server that accepts this login",
            remedy="correct the connection string, or leave --postgres out to start a server",
        ) from error
    wrong = []
    if is_superuser != "on":
        wrong.append(f"{superuser.user} is not a superuser")
    if major < _OLDEST_MAJOR:
        wrong.append(f"PostgreSQL {version}")
    if wrong:
        raise ConfigurationError(
            f"the server of --postgres cannot be laid out ({superuser})",
            found=" and ".join(wrong),
            expected=f"a superuser's login, PostgreSQL {_OLDEST_MAJOR} or later",
            remedy="give another login, or leave --postgres out to start a server",
        )
    return LocalServer(
        superuser=superuser,
        major=major,
        description=f"PostgreSQL {version.split()[0]} at {superuser.host}:{superuser.port}",
        client_tools=None,
        is_ours=False,
    )


def _end(launcher: Launcher, run: LocalRun) -> None:
    if run.is_kept:
        launcher.release()
    else:
        launcher.stop(discard=True)
