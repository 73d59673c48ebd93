"""A run leaves nothing behind, however it ends; a living or kept run is never touched."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import psycopg
import pytest

from harness.deadlines import Deadline
from harness.errors import ConfigurationError, FailedError, RefusedError
from harness.local import instance, runs
from harness.local.kubernetes import launch
from harness.local.platform import LocalOptions
from harness.local.runs import base_directory, local_run, reap
from harness.local.undo import Undo
from harness.postgres import postmaster
from harness.postgres.binaries import reachable_by_all
from harness.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[2]
SOON = Deadline(30, "a run that was told to end has a server to stop")


@contextmanager
def child(*arguments: str, user: str | None = None) -> Iterator[subprocess.Popen[str]]:
    """A run in a process of its own, its phases on standard output."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.local.child", *arguments],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        user=user,
        group=None if user is None else pwd.getpwnam(user).pw_gid,
        extra_groups=None if user is None else [],
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def read_until(start: str, stream: IO[str] | None) -> str:
    assert stream is not None
    for line in stream:
        if line.startswith(start):
            return line.strip()
    pytest.fail(f"the run ended before it told {start!r}")


def assert_nothing_is_left(temporary: Path) -> None:
    assert list(temporary.iterdir()) == []
    assert processes_below(temporary) == []


def processes_below(temporary: Path) -> list[str]:
    """Command lines that name a data directory below."""
    lines = [" ".join(words) for _pid, words in postmaster._command_lines()]  # noqa: SLF001
    return [line for line in lines if f"{temporary}/sandbox-lifecycle" in line]


def test_after_a_normal_end_nothing_is_left(temporary: Path) -> None:
    with child("binaries") as process:
        directory = Path(read_until("up", process.stdout).split()[1])
        assert directory.is_relative_to(temporary)
        assert processes_below(temporary)
        process.communicate()
        assert process.returncode == 0
    assert_nothing_is_left(temporary)


@pytest.mark.parametrize("phase", ["start PostgreSQL", "Sample: rows", "up"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_after_an_interrupt_nothing_is_left(
    temporary: Path, phase: str, number: signal.Signals
) -> None:
    with child("binaries") as process:
        read_until(phase, process.stdout)
        process.send_signal(number)
        process.send_signal(number)  # an impatient second one must not cut the undo short
        process.wait(SOON.seconds)
        assert process.returncode != 0
    assert_nothing_is_left(temporary)


@pytest.mark.parametrize("phase", ["start PostgreSQL", "Sample: rows", "up"])
def test_what_a_killed_run_left_is_removed_by_the_next(temporary: Path, phase: str) -> None:
    with child("binaries") as process:
        read_until(phase, process.stdout)
        process.kill()
    assert list(temporary.iterdir()) != []
    reap()
    assert_nothing_is_left(temporary)


def test_the_next_run_reaps_by_itself_and_spares_the_living(temporary: Path) -> None:
    with child("binaries") as dead, child("binaries") as living:
        killed = Path(read_until("up", dead.stdout).split()[1])
        spared = Path(read_until("up", living.stdout).split()[1])
        dead.kill()
        dead.wait()
        with local_run() as run:
            assert not killed.exists()
            assert spared.exists()
            assert run.path.exists()
            assert postmaster.processes(spared / "server" / "data")
        living.communicate()
    assert_nothing_is_left(temporary)


@pytest.mark.usefixtures("root")
def test_an_ordinary_user_is_served_too(temporary: Path) -> None:
    if not (reachable_by_all(REPOSITORY) and reachable_by_all(Path(sys.executable))):
        pytest.skip("the repository or the interpreter is closed to other users")
    temporary.chmod(0o1777)
    with child("binaries", user="nobody") as process:
        directory = Path(read_until("up", process.stdout).split()[1])
        assert directory.stat().st_uid == pwd.getpwnam("nobody").pw_uid
        assert directory.stat().st_mode & 0o077 == 0
        process.communicate()
        assert process.returncode == 0
    assert_nothing_is_left(temporary)


def test_a_kept_run_outlives_its_process_and_every_reaper(temporary: Path) -> None:
    with child("binaries", "keep", "cluster") as process:
        read_until("up", process.stdout)
        process.communicate()
    reap()
    status = instance.local_status()
    assert status is not None
    assert status.answers
    settings = instance.load_settings()
    assert settings.cluster is not None
    assert settings.cluster.application_url is not None
    for account in (settings.cluster.kubeconfig, Path(status.kubeconfig or "")):
        assert account is not None
        assert account.is_relative_to(status.directory)
    urlopen(settings.cluster.application_url, timeout=SOON.seconds).close()  # noqa: S310  our own
    psycopg.connect(settings.sandbox.dsn.get_secret_value()).close()
    state = Path(status.directory, "state.json")
    assert state.stat().st_mode & 0o777 == 0o600

    with pytest.raises(ConfigurationError, match="already up"):
        instance.local_up(LocalOptions(postgres="binaries"), Silent())

    assert instance.local_down(Silent())
    assert_nothing_is_left(temporary)
    with pytest.raises(URLError):
        urlopen(settings.cluster.application_url, timeout=SOON.seconds)  # noqa: S310  our own
    assert instance.local_status() is None
    assert not instance.local_down(Silent())
    with pytest.raises(ConfigurationError, match="sandbox-lifecycle local up"):
        instance.load_settings()


def test_a_kept_run_that_was_killed_while_starting_is_reaped(temporary: Path) -> None:
    with child("binaries", "keep") as process:
        read_until("Sample: rows", process.stdout)
        process.kill()
    assert not instance.local_down(Silent())
    assert_nothing_is_left(temporary)


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize("dead", ["server", "cluster"])
def test_a_kept_sandbox_half_of_which_died_is_told_and_can_be_removed(dead: str) -> None:
    instance.local_up(LocalOptions(postgres="binaries", scale=0.01, cluster=True), Silent())
    run = runs.kept_run()
    assert run is not None
    if dead == "server":
        postmaster.end(run.path / "server" / "data", SOON, postmaster.IMMEDIATE)
    else:
        launch.end(run.cluster)
    with pytest.raises(ConfigurationError, match="does not answer"):
        instance.load_settings()
    assert instance.local_down(Silent())


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize("kind", ["link", "writable", "file", "foreign"])
def test_a_directory_that_somebody_else_prepared_is_refused(kind: str, tmp_path: Path) -> None:
    base = base_directory()
    if kind == "link":
        base.symlink_to(tmp_path)
    elif kind == "file":
        base.touch()
    else:
        base.mkdir()
        base.chmod(0o777 if kind == "writable" else 0o700)
        if kind == "foreign":
            if os.geteuid() != 0:
                pytest.skip("only root can give a directory away")
            os.chown(base, pwd.getpwnam("nobody").pw_uid, -1)
    with pytest.raises(RefusedError, match="not a directory of ours alone"), local_run():
        pass
    assert os.path.lexists(base)


def test_runs_side_by_side_leave_no_directory(temporary: Path) -> None:
    with local_run() as one, local_run() as other:
        assert one.path != other.path
        reap()
        assert one.path.exists()
        assert other.path.exists()
    assert_nothing_is_left(temporary)


def test_signals_wait_while_undo_runs() -> None:
    done = []

    def slow() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        done.append("undone")

    with pytest.raises(KeyboardInterrupt), Undo() as undo:
        undo.callback(slow)
    assert done == ["undone"]


def test_a_server_that_cannot_be_ended_is_named(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postmaster, "processes", lambda _data: [os.getppid()])
    monkeypatch.setattr(os, "kill", lambda *_: None)
    with pytest.raises(FailedError, match=f"processes {os.getppid()}"):
        postmaster.end(temporary, Deadline(0.1, "a test"), postmaster.IMMEDIATE)
