"""PgBouncer before the local server: an application's pooler, in transaction mode."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.deadlines import Deadline, eventually
from harness.local.cluster import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.sides import Login

_STARTS = Deadline(30, "it listens a few milliseconds after its start, on an idle machine")
_HOST = "127.0.0.1"


def pgbouncer() -> str | None:
    """The program, or None where it is not installed (Debian: apt-get install pgbouncer)."""
    return shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")


@contextmanager
def pooled(login: Login, *settings: str) -> Iterator[Login]:
    """The same login through a PgBouncer of its own.

    Args:
        login: A login on the server itself, with its password.
        settings: Further lines of the section [pgbouncer].
    """
    program = pgbouncer()
    assert program is not None, "there is no pgbouncer on this machine"
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        (folder / "users").write_text(f'"{login.user}" "{login.password}"\n')
        (folder / "ini").write_text(
            "[databases]\n"
            f"* = host={login.host} port={login.port}\n"
            "[pgbouncer]\n"
            f"listen_addr = {_HOST}\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = plain\nauth_file = {folder}/users\npool_mode = transaction\n"
            + "".join(f"{line}\n" for line in settings)
        )
        # It refuses to run as root.
        user = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
        if user is not None:
            for path in (folder, *folder.iterdir()):
                os.chown(path, user, -1)
        with subprocess.Popen(
            [program, folder / "ini"],
            user=user,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                eventually(lambda: socket.create_connection((_HOST, port)).close(), _STARTS)
                yield replace(login, host=_HOST, port=port)
            finally:
                process.kill()
