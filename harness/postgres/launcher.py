"""A PostgreSQL server of our own: made, started and ended, on 127.0.0.1, as root as well."""

from __future__ import annotations

import os
import pwd
import secrets
import socket
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg

from harness.deadlines import Deadlines, eventually
from harness.errors import ConfigurationError, FailedError
from harness.postgres import postmaster
from harness.postgres.binaries import copy_for_all, reachable_by_all, usable_by_all
from harness.sides import Login

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.postgres.binaries import Binaries

HOST = "127.0.0.1"
# A name that the roles of no dump have: a `postgres` there would change this one's password.
SUPERUSER = "local_superuser"
_UNPRIVILEGED = "nobody"
# Users that systemd makes up for a service and takes back: no distribution gives them an account.
_NO_ACCOUNTS = range(61184, 65520)
_BUILTIN_LOCALES = 17
_PORTS_TRIED = 5
_SHORTEST_TIMEOUT = 2  # seconds; libpq takes no less
_LOG_LINES_SHOWN = 12


@dataclass(slots=True)
class Launcher:
    """One server and its files, all below one directory.

    Root cannot run PostgreSQL, so for root the server's processes alone belong to `nobody`, or to
    a user that nothing else on the machine belongs to.

    Args:
        binaries: What to start.
        directory: An existing directory of the server's own. For root it must be one that other
            users can pass through.
        settings: Server settings beside the ones that keep it to itself, such as `fsync`.
        deadlines: The table of deadlines.
        bootstrap: Name of the superuser that initdb makes.
        apart: For root: a user of its own instead of `nobody`, where the system lends one, so that
            whatever runs in this server cannot touch another that we have started.
        addresses: Where it listens; who may log in from elsewhere, its pg_hba.conf has to say.
    """

    binaries: Binaries
    directory: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    deadlines: Deadlines = field(default_factory=Deadlines)
    bootstrap: str = SUPERUSER
    apart: bool = False
    addresses: tuple[str, ...] = (HOST,)
    port: int = field(default=0, init=False)
    _password: str = field(
        default_factory=lambda: secrets.token_urlsafe(24), init=False, repr=False
    )
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)
    _own_user: int | None = field(default=None, init=False, repr=False)

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.directory / "data"

    @property
    def log(self) -> Path:
        """What the server writes to its standard error."""
        return self.directory / "server.log"

    @property
    def superuser(self) -> Login:
        """The superuser's login, to database `postgres`."""
        return Login(HOST, self.port, "postgres", self.bootstrap, self._password)

    def create(self) -> None:
        """Make the data directory: UTF-8, C.UTF-8, passwords by SCRAM only.

        Raises:
            ConfigurationError: The server's user cannot reach the programs or the directory.
            FailedError: initdb failed.
        """
        self.data.mkdir(mode=0o700)
        if _is_root():
            self._open_to_unprivileged()
        password_file = self.directory / "password"
        _write_private(password_file, self._password)
        _write_private(self.log, "")
        if _is_root():
            os.chown(password_file, _unprivileged().pw_uid, -1)
        try:
            self._run_initdb(password_file)
        finally:
            password_file.unlink()
        if self.apart and _is_root():
            self._own_user = _give_to_nobody_else(self.data)

    def start(self) -> None:
        """Start on a free port and return when a login works.

        Raises:
            FailedError: It ended or did not answer in time; the error shows the end of its log.
        """
        for _attempt in range(_PORTS_TRIED):
            # Between this look and the server's own bind another process may take the port.
            self.port = _free_port("" if self.addresses != (HOST,) else HOST)
            self._process = self._spawn_server()
            if self._becomes_ready():
                return
            if "Address already in use" not in self._log_tail():
                break
        raise FailedError(
            f"the local server did not start ({self.binaries.description})",
            found=f"its log ends with:\n{self._log_tail()}",
            expected=f"a server that accepts logins on {HOST}:{self.port}",
            remedy="mend what the log names, or use another server with --postgres",
        )

    def stop(self, *, discard: bool = False) -> None:
        """End the server, whatever state it is in; nothing happens where none runs.

        Args:
            discard: The data is thrown away with it, so it need not be written to disk.
        """
        signals = postmaster.IMMEDIATE if discard else postmaster.FAST_THEN_IMMEDIATE
        postmaster.end(self.data, self.deadlines.server_stop, signals)
        if self._process is not None:
            self._process.wait()
            self._process = None

    def release(self) -> None:
        """Let the server run on after this process has ended."""
        if self._process is not None:
            # It is nobody's child from here on; subprocess would complain of one still running.
            self._process.returncode = 0
            self._process = None

    def _becomes_ready(self) -> bool:
        try:
            return eventually(self._answers, self.deadlines.server_start, every=0.02)
        except psycopg.OperationalError:
            return False

    def _answers(self) -> bool:
        """True when a login works, False when the server has ended; else the driver's error."""
        if self._process is None or self._process.poll() is not None:
            return False
        # Short, since it is tried again: whoever took the port meanwhile may never answer.
        psycopg.connect(self.superuser.conninfo, connect_timeout=_SHORTEST_TIMEOUT).close()
        return True

    def _run_initdb(self, password_file: Path) -> None:
        locale = (
            # The same order and case everywhere, without asking the system for a locale.
            ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            if self.binaries.major >= _BUILTIN_LOCALES
            else ["--locale=C.UTF-8"]
        )
        command = [
            str(self.binaries.bin / "initdb"),
            "-D",
            str(self.data),
            f"--username={self.bootstrap}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-instructions",
            *locale,
            *(["--no-sync"] if self.settings.get("fsync") == "off" else []),
        ]
        process = self._spawn(command)
        try:
            code = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            # Its children work in the data directory and have to be gone before that is removed.
            postmaster.end(self.data, self.deadlines.server_stop, postmaster.IMMEDIATE[-1:])
            raise
        if code != 0:
            raise FailedError(
                f"no database cluster could be made ({self.binaries.description})",
                found=f"initdb ended with {code}:\n{self._log_tail()}",
                expected=f"a cluster in {self.data}",
                remedy="mend what it names, or use another server with --postgres",
            )

    def _spawn_server(self) -> subprocess.Popen[bytes]:
        settings = {
            **self.settings,
            "listen_addresses": ",".join(self.addresses),
            "port": str(self.port),
            "unix_socket_directories": "",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        return self._spawn([str(self.binaries.bin / "postgres"), "-D", str(self.data), *options])

    def _spawn(self, command: Sequence[str | Path]) -> subprocess.Popen[bytes]:
        identity: dict[str, Any] = {}
        if self._own_user is not None:
            identity = {"user": self._own_user, "group": self._own_user, "extra_groups": []}
        elif _is_root():
            user = _unprivileged()
            identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        # Nothing of PostgreSQL's environment (PGDATA, PGPORT) and no secret of ours goes along.
        kept = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TZ")
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                env=environment | {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"},
                # A Ctrl-C in the terminal is ours alone: the server is ended by its own undo.
                start_new_session=True,
                umask=0o077,
                **identity,
            )

    def _open_to_unprivileged(self) -> None:
        if not reachable_by_all(self.directory.parent):
            raise ConfigurationError(
                f"{_UNPRIVILEGED}, who runs the server for root, cannot reach {self.directory}",
                found="a directory on the way is closed to other users",
                expected="mode o+x on each",
                remedy="set TMPDIR to a directory such as /tmp",
            )
        # Only the data is the server's: what root writes or runs lies where it cannot swap files.
        self.directory.chmod(0o711)
        os.chown(self.data, _unprivileged().pw_uid, _unprivileged().pw_gid)
        if not usable_by_all(self.binaries):
            self.binaries = copy_for_all(self.binaries, self.directory / "programs")

    def _log_tail(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-_LOG_LINES_SHOWN:])


def _is_root() -> bool:
    return os.geteuid() == 0


def _unprivileged() -> pwd.struct_passwd:
    return pwd.getpwnam(_UNPRIVILEGED)


def _give_to_nobody_else(data: Path) -> int | None:
    """Give the data to a user that no account has; None where this root may not (a container's).

    initdb insists on an account, so it comes after that; the server itself needs none.
    """
    user = next(uid for uid in iter(lambda: secrets.choice(_NO_ACCOUNTS), None) if _is_free(uid))
    with suppress(OSError):
        os.chown(data, user, user)
        for path in data.rglob("*"):
            os.chown(path, user, user, follow_symlinks=False)
        return user
    return None


def _is_free(uid: int) -> bool:
    with suppress(KeyError):
        pwd.getpwuid(uid)
        return False
    return True


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def _free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])
