"""The command is killed, stopped or interrupted wherever it stands: one command makes it good."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from harness.deadlines import eventually
from harness.lifecycle.checkpoint import checkpoint
from harness.lifecycle.compare import differences_from_prod, prod_now
from harness.lifecycle.refresh import refresh_from_prod
from harness.lifecycle.reset import reset
from harness.lifecycle.status import status
from harness.progress import Silent

from .conftest import ready_platform
from .evidence import (
    SOON,
    assert_golden,
    assert_nothing_left,
    client_tools,
    content,
    fails,
    one_writer,
    prod_unchanged,
    sessions,
)
from .held import hold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.local.platform import LocalPlatform
    from harness.settings import Settings

    from .held import HeldRun

    Held = Callable[[Settings, str, str], HeldRun]

REFRESH, RESET = "refresh-from-prod", "reset"
UNTOUCHED = ["waiting for the application", "preflight", "dump"]
TOUCHED = ["wipe", "restore", "a statement of pg_restore", "verify"]
AT_EACH_PLACE = [
    *((REFRESH, place) for place in (*UNTOUCHED, *TOUCHED)),
    *((RESET, place) for place in TOUCHED),
]
_BACKEND = """
SELECT pid FROM pg_stat_activity
WHERE application_name LIKE '%/pg_restore' AND wait_event_type = 'Lock'
"""


def assert_same_as_prod(settings: Settings) -> None:
    assert list(map(str, differences_from_prod(settings, prod_now(settings)))) == []
    assert content(settings) == "complete"


@pytest.mark.parametrize(("verb", "place"), AT_EACH_PLACE)
def test_after_kill_9_the_next_command_makes_a_good_sandbox(
    platform: LocalPlatform, settings: Settings, held: Held, verb: str, place: str
) -> None:
    with prod_unchanged(settings):
        run = held(settings, verb, place)
        run.command.kill()
        eventually(lambda: assert_no_tools_of(run.run), SOON)
        run.let_go()
        if place in TOUCHED:
            assert content(settings) == "incomplete"
            fails(3, lambda: checkpoint(settings, Silent()), "marked incomplete")
        else:
            assert content(settings) == "complete"
        with one_writer(platform):
            reset(settings, Silent())
        assert_golden(settings)
        assert_nothing_left(platform)


def test_after_kill_9_without_a_golden_copy_a_refresh_makes_a_good_sandbox(
    platform: LocalPlatform, settings: Settings, held: Held, tmp_path: Path
) -> None:
    without = settings.with_golden(directory=tmp_path / "golden")
    run = held(without, REFRESH, "restore")
    run.command.kill()
    run.let_go()
    fails(3, lambda: reset(without, Silent()), "no golden copy", "marked incomplete")
    with one_writer(platform):
        refresh_from_prod(without, Silent())
    assert_same_as_prod(without)
    assert_nothing_left(platform)


def test_a_session_of_pg_restore_ends_by_itself_when_its_run_was_killed(
    platform: LocalPlatform, settings: Settings, held: Held
) -> None:
    run = held(settings, REFRESH, "a statement of pg_restore")
    assert any(name.endswith("pg_restore") for name in sessions(platform, run.run))
    run.command.kill()

    def gone() -> None:
        assert sessions(platform, run.run) == []

    # It waits for a lock all the while, so nothing but its dead client can end it.
    eventually(gone, SOON)


@pytest.mark.parametrize("place", ["dump of a checkpoint", "before the seal"])
def test_a_checkpoint_that_was_killed_is_no_golden_copy(
    platform: LocalPlatform, settings: Settings, held: Held, place: str
) -> None:
    before = status(settings, Silent()).golden
    run = held(settings, "checkpoint", place)
    run.command.kill()
    eventually(lambda: assert_no_tools_of(run.run), SOON)
    run.let_go()
    assert status(settings, Silent()).golden == before
    assert_golden(settings)
    taken = checkpoint(settings, Silent())
    assert [
        path.name for path in taken.folder.parent.iterdir() if path.name not in taken.kept
    ] == []
    assert_golden(settings)
    assert_nothing_left(platform)


@pytest.mark.parametrize(
    # In preflight a run has changed nothing yet, and keeps nobody out.
    ("verb", "place"),
    [each for each in AT_EACH_PLACE if "preflight" not in each],
)
def test_a_run_that_was_stopped_keeps_others_out_and_ends_well_when_it_goes_on(
    platform: LocalPlatform, settings: Settings, held: Held, verb: str, place: str
) -> None:
    with prod_unchanged(settings):
        run = held(settings, verb, place)
        run.command.send(signal.SIGSTOP)
        run.let_go()
        for command in (refresh_from_prod, reset, checkpoint):
            fails(3, lambda command=command: command(settings, Silent()), run.run, "one writer")
        run.command.send(signal.SIGCONT)
        assert run.command.ends() == 0, run.command.answer()
        assert run.command.answer()["result"]["run"] == run.run
        if verb == REFRESH:
            assert_same_as_prod(settings)
        else:
            assert_golden(settings)
        assert_nothing_left(platform)


@pytest.mark.parametrize(
    ("verb", "place", "numbers"),
    [
        (REFRESH, "wipe", [signal.SIGINT]),
        (REFRESH, "wipe", [signal.SIGTERM, signal.SIGTERM]),
        (REFRESH, "restore", [signal.SIGTERM]),
        (REFRESH, "a statement of pg_restore", [signal.SIGINT, signal.SIGINT]),
        (REFRESH, "verify", [signal.SIGINT]),
        (REFRESH, "verify", [signal.SIGTERM, signal.SIGINT]),
        (REFRESH, "a late write of pg_restore", [signal.SIGTERM]),
        (RESET, "restore", [signal.SIGINT, signal.SIGTERM]),
        (REFRESH, "dump", [signal.SIGTERM]),
    ],
)
def test_an_interrupted_run_puts_golden_back(
    platform: LocalPlatform,
    settings: Settings,
    held: Held,
    verb: str,
    place: str,
    numbers: list[signal.Signals],
) -> None:
    with prod_unchanged(settings):
        run = held(settings, verb, place)
        for number in numbers:
            run.command.send(number)
        run.let_go()
        if place != "dump":
            run.command.reaches("put the last golden content back")
            for number in numbers[1:]:
                run.command.send(number)
        assert run.command.ends() == 4, run.command.answer()
        assert "put back" in run.command.answer()["error"]["what"]
        assert client_tools(run.run) == []
        assert_nothing_left(platform)
        assert_golden(settings)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_without_a_golden_copy_says_that_the_undo_is_outstanding(
    platform: LocalPlatform,
    settings: Settings,
    held: Held,
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    with prod_unchanged(settings):
        run = held(settings.with_golden(directory=tmp_path / "golden"), REFRESH, "restore")
        run.command.send(number)
        assert run.command.ends() == 5
        told = run.command.answer()["error"]
        assert "no golden copy" in told["found"]
        assert "refresh-from-prod" in told["remedy"]
        assert content(settings) == "incomplete"
        assert client_tools(run.run) == []
        assert_nothing_left(platform)


def test_after_kill_9_of_a_session_of_the_server_the_run_says_so_and_a_reset_makes_it_good(
    platform: LocalPlatform, settings: Settings, held: Held
) -> None:
    with prod_unchanged(settings):
        run = held(settings, REFRESH, "a statement of pg_restore")
        with psycopg.connect(platform.superuser.conninfo) as connection:
            ((pid,), *_) = connection.execute(_BACKEND).fetchall()
        os.kill(pid, signal.SIGKILL)  # the server starts all its sessions anew
        assert run.command.ends() == 5
        told = run.command.answer()["error"]
        assert "keeps other writers out of the sandbox was lost" in told["found"]
        assert eventually(lambda: content(settings), SOON) == "incomplete"
        reset(settings, Silent())
        assert_golden(settings)
        assert_nothing_left(platform)


def test_after_kill_9_of_the_server_the_run_says_so_and_a_reset_makes_it_good(
    tmp_path: Path,
) -> None:
    with ready_platform() as platform:
        settings = platform.settings
        before = prod_now(settings)
        hasty = settings.model_copy(update={"deadline_scale": 0.2})
        with hold(platform, hasty, REFRESH, "a statement of pg_restore", tmp_path) as run:
            server = Server(platform)
            server.kill()
            assert run.command.ends() == 5
            assert "reset" in run.command.answer()["error"]["remedy"]
            assert client_tools(run.run) == []
        with server.started_again():
            assert content(settings) == "incomplete"
            reset(settings, Silent())
            assert_golden(settings)
            assert_nothing_left(platform)
            assert prod_now(settings) == before


def assert_no_tools_of(run: str) -> None:
    assert client_tools(run) == []


class Server:
    """The platform's server, to be killed and started again as it was."""

    def __init__(self, platform: LocalPlatform) -> None:
        self._data = platform.run.path / "server" / "data"
        self._superuser = platform.superuser.conninfo
        self._pid = int((self._data / "postmaster.pid").read_text().partition("\n")[0])
        words = Path(f"/proc/{self._pid}/cmdline").read_bytes().split(b"\0")
        self._command = [word.decode() for word in words if word]

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)  # a zombie would pass for a server that still runs

    @contextmanager
    def started_again(self) -> Iterator[None]:
        process: subprocess.Popen[bytes] | None = None

        def answers() -> None:
            nonlocal process
            # It refuses to start while a session of the one before is still there.
            if process is None or process.poll() is not None:
                process = subprocess.Popen(
                    self._command,
                    cwd=self._data,
                    user="nobody" if os.geteuid() == 0 else None,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            psycopg.connect(self._superuser, connect_timeout=2).close()

        try:
            eventually(answers, SOON)
            yield
        finally:
            if process is not None:
                process.send_signal(signal.SIGQUIT)
                process.wait()
