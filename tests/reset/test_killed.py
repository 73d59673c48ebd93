"""Whoever is killed in the middle of a reset: nothing was changed, and the next one is exact."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from harness.deadlines import eventually
from harness.postgres.connection import APPLICATION
from tests.faults.held import Command

from .sabotage import DIFFERENTIAL, DURABLE, REHEARSAL, assert_next_reset_is_exact, take_golden
from .server import SOON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.settings import Settings

    from .ground import Ground
    from .server import Server

BASELINE = "baseline.json"
HALFWAY = """
SELECT pid, query FROM pg_stat_activity
WHERE application_name LIKE %s AND wait_event_type = 'Lock' AND query LIKE %s
"""
# Where a reset stands still until it is let go: what holds it, and in which statement it waits.
PLACES = {
    "every table is locked": (
        "LOCK TABLE golden.llx_lines IN ACCESS EXCLUSIVE MODE",
        "%LOCK TABLE%golden%",
    ),
    "the rows are put back": (
        "SELECT nextval('public.llx_more_rowid_seq')",
        "ALTER SEQUENCE%",
    ),
}


@pytest.fixture
def settings(shaky: Ground) -> Settings:
    return take_golden(shaky, shaky.settings)


@contextmanager
def held(
    ground: Ground, settings: Settings, place: str, folder: Path
) -> Iterator[tuple[Command, int, Callable[[], None]]]:
    """A reset in a process of its own, halfway; its backend, and how to let it go."""
    statement, waiting = PLACES[place]
    with ExitStack() as stack:
        obstacle = stack.enter_context(ground.superuser())
        obstacle.execute("BEGIN")
        obstacle.execute(statement)
        command = Command("reset", settings, folder)
        stack.callback(command.kill)

        def halfway() -> int:
            with ground.superuser() as session:
                row = session.execute(HALFWAY, (f"{APPLICATION}/%", waiting)).fetchone()
            assert row, "no reset stands there"
            return int(row[0])

        yield command, eventually(halfway, SOON, every=0.005), obstacle.close


@pytest.mark.parametrize("place", PLACES)
def test_the_harness_is_killed(
    shaky: Ground, settings: Settings, tmp_path: Path, place: str
) -> None:
    shaky.work(*REHEARSAL)
    with held(shaky, settings, place, tmp_path) as (command, _backend, let_go):
        command.kill()
        let_go()
        assert_next_reset_is_exact(shaky, settings, DIFFERENTIAL)


@pytest.mark.parametrize("place", PLACES)
def test_a_killed_reset_has_changed_nothing(
    shaky: Ground, settings: Settings, tmp_path: Path, place: str
) -> None:
    shaky.work(*REHEARSAL)
    rehearsed = shaky.holds()
    with held(shaky, settings, place, tmp_path) as (command, backend, let_go):
        command.kill()
        with shaky.superuser() as session:
            session.execute("SELECT pg_terminate_backend(%s)", (backend,))
        let_go()
        # The first sequence has been put back already when the second one is waited for.
        assert [
            line for line in shaky.departs_from(rehearsed) if "llx_more_rowid" not in line
        ] == []


def test_the_harness_is_killed_after_the_commit(
    shaky: Ground, settings: Settings, tmp_path: Path
) -> None:
    shaky.work(*REHEARSAL)
    (folder,) = settings.golden.directory.iterdir()
    gate = folder / f".{BASELINE}"
    os.mkfifo(gate)  # whoever opens it to write waits for a reader
    command = Command("reset", settings, tmp_path)
    try:
        eventually(shaky.assert_golden, SOON)
        before = (folder / BASELINE).read_bytes()
    finally:
        command.kill()
        gate.unlink()
    assert (folder / BASELINE).read_bytes() == before
    shaky.work("INSERT INTO public.llx_lines (label) VALUES ('after')")
    assert_next_reset_is_exact(shaky, settings, DIFFERENTIAL)


@pytest.mark.parametrize("place", PLACES)
def test_the_backend_is_terminated(
    shaky: Ground, settings: Settings, tmp_path: Path, place: str
) -> None:
    shaky.work(*REHEARSAL)
    with held(shaky, settings, place, tmp_path) as (command, backend, let_go):
        with shaky.superuser() as session:
            session.execute("SELECT pg_terminate_backend(%s)", (backend,))
        let_go()
        assert command.ends() == 1, command.answer()
        assert command.answer()["error"]["remedy"]
        assert_next_reset_is_exact(shaky, settings, DIFFERENTIAL)


@pytest.mark.parametrize("place", PLACES)
def test_the_backend_is_killed(
    shaky: Ground, settings: Settings, tmp_path: Path, place: str
) -> None:
    shaky.work(*REHEARSAL)
    with held(shaky, settings, place, tmp_path) as (command, backend, _let_go):
        os.kill(backend, signal.SIGKILL)  # the server starts all its sessions anew
        assert command.ends() in (1, 5), command.answer()
        assert command.answer()["error"]["remedy"]
        assert_next_reset_is_exact(shaky, settings, DURABLE, "shadow")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("whole", [True, False], ids=["every process", "postmaster"])
def test_the_server_is_killed(
    shaky: Ground, settings: Settings, server: Server, tmp_path: Path, place: str, *, whole: bool
) -> None:
    shaky.work(*REHEARSAL)
    with held(shaky, settings.model_copy(update={"deadline_scale": 0.1}), place, tmp_path) as (
        command,
        _backend,
        _let_go,
    ):
        if whole:
            server.stop(signal.SIGKILL)
        else:
            server.kill_postmaster()
        assert command.ends() in (1, 2, 5), command.answer()
        server.start()
        assert_next_reset_is_exact(shaky, settings, DURABLE, "shadow")
