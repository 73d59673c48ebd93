"""The platform's PostgreSQL: Debian's 15, on the loopback and on the node's address."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.errors import ConfigurationError
from harness.local.marks import OWNERS
from harness.local.servers import LocalServer
from harness.local.undo import Undo
from harness.postgres import postmaster
from harness.postgres.binaries import debian_binaries
from harness.postgres.launcher import HOST, Launcher
from tests.stage import group

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.deadlines import Deadlines
    from harness.local.runs import LocalRun
    from harness.progress import Progress

MAJOR = 15
_SERVER = "server"
# A killed process loses nothing by these; only a power cut would.
_THROWAWAY = {"fsync": "off", "full_page_writes": "off"}


@contextmanager
def database_server(
    run: LocalRun, node: str, pods: str, deadlines: Deadlines, progress: Progress
) -> Iterator[LocalServer]:
    """Start it; it goes on at the end if the run is kept by then, else it is ended.

    Args:
        run: Where its files are.
        node: The node's address, at which pods and the harness reach it alike.
        pods: The network of the pods, who may log in to the two databases and to nothing else.
        deadlines: The table of deadlines.
        progress: Told while it starts.

    Raises:
        ConfigurationError: This machine has no PostgreSQL of that version.
        FailedError: It does not start.
    """
    binaries = debian_binaries(MAJOR)
    if binaries is None:
        raise ConfigurationError(
            "the stage has no database server",
            found=f"no PostgreSQL {MAJOR} in Debian's directories",
            expected="the version that the platform runs",
            remedy=f"apt-get install postgresql-{MAJOR}",
        )
    launcher = Launcher(
        binaries, run.subdirectory(_SERVER), _THROWAWAY, deadlines, addresses=(HOST, node)
    )
    with Undo() as undo:
        undo.callback(_end, launcher, run)
        with progress.phase(f"start {binaries.description}"):
            launcher.create()
            _let_in(launcher.data, node, pods)
            launcher.start()
        _join(launcher.data)
        yield LocalServer(
            superuser=replace(launcher.superuser, host=node),
            major=binaries.major,
            description=binaries.description,
            client_tools=binaries.bin,
        )


def end(run: LocalRun, deadlines: Deadlines) -> None:
    """End the server of a run that was kept; nothing where none runs."""
    data = run.path / _SERVER / "data"
    postmaster.end(data, deadlines.server_stop, postmaster.IMMEDIATE)


def restart(run: LocalRun) -> None:
    """End every session at once and start again, as after a crash; return when it answers."""
    binaries, data = debian_binaries(MAJOR), run.path / _SERVER / "data"
    assert binaries is not None, "the server runs from them"
    owner = data.stat()
    words = ("restart", "--mode=immediate", f"--pgdata={data}", "--wait", "--silent")
    with (run.path / _SERVER / "restarted.log").open("ab") as log:
        subprocess.run(
            [binaries.bin / "pg_ctl", *words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=data,
            user=owner.st_uid,
            group=owner.st_gid,
            extra_groups=[],
            umask=0o077,
            start_new_session=True,  # a Ctrl-C in the terminal is not meant for it
            check=True,
        )


def _let_in(data: Path, node: str, pods: str) -> None:
    databases = ",".join(f'"{name}"' for name in OWNERS)
    with (data / "pg_hba.conf").open("a", encoding="utf-8") as rules:
        rules.write(f"host all all {node}/32 scram-sha-256\n")
        rules.write(f"host {databases} all {pods} scram-sha-256\n")


def _join(data: Path) -> None:
    """Let it be found with all else of the stage, should nobody be left who knows of it."""
    pid, *_ = (data / "postmaster.pid").read_text(encoding="ascii").splitlines()
    group.entrance().write_text(pid, encoding="ascii")


def _end(launcher: Launcher, run: LocalRun) -> None:
    if run.is_kept:
        launcher.release()
    else:
        launcher.stop(discard=True)
