"""Whatever gets lost between two resets: the next one notices, and is exact."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from psycopg import sql

from harness.deadlines import eventually
from harness.lifecycle.reset import reset
from harness.local.marks import SANDBOX_DATABASE
from harness.progress import Silent

from .sabotage import DIFFERENTIAL, DURABLE, REHEARSAL, assert_next_reset_is_exact, take_golden
from .server import SOON

if TYPE_CHECKING:
    from harness.settings import Settings

    from .ground import Ground
    from .server import Server


@pytest.fixture(params=["pages", "scan"])
def settings(request: pytest.FixtureRequest, shaky: Ground) -> Settings:
    return take_golden(shaky, shaky.settings.with_golden(find_changes=request.param))


@pytest.mark.parametrize(
    "statement",
    ["SELECT pg_stat_reset()", "SELECT pg_stat_reset_single_table_counters('llx_lines'::regclass)"],
)
def test_the_counters_are_reset(shaky: Ground, settings: Settings, statement: str) -> None:
    shaky.work(*REHEARSAL)
    with shaky.superuser() as session:
        session.execute("SET search_path = public")
        session.execute(statement)
    assert_next_reset_is_exact(shaky, settings, DIFFERENTIAL)


def test_nobody_counts(shaky: Ground, settings: Settings) -> None:
    with shaky.superuser() as session:
        session.execute(f'ALTER DATABASE "{SANDBOX_DATABASE}" SET track_counts = off')
    try:
        shaky.work(*REHEARSAL)
        done = reset(settings, Silent())
        shaky.assert_golden()
        assert "track_counts" in (done.reason or ""), done
    finally:
        with shaky.superuser() as session:
            session.execute(f'ALTER DATABASE "{SANDBOX_DATABASE}" RESET track_counts')
    shaky.work(*REHEARSAL)
    reset(settings, Silent())
    shaky.assert_golden()


@pytest.mark.parametrize(
    ("number", "way", "word"),
    [
        (signal.SIGINT, DIFFERENTIAL, ""),
        (signal.SIGQUIT, DURABLE, "shadow"),
        (signal.SIGKILL, DURABLE, "shadow"),
    ],
)
def test_the_server_is_started_anew(
    shaky: Ground, settings: Settings, server: Server, number: signal.Signals, way: str, word: str
) -> None:
    shaky.work(*REHEARSAL)
    server.stop(number)
    server.start()
    shaky.work("INSERT INTO public.llx_empty DEFAULT VALUES")
    assert_next_reset_is_exact(shaky, settings, way, word)


@pytest.mark.parametrize(
    "statement", ["DELETE FROM public.llx_lines", "TRUNCATE public.llx_lines", "SELECT 1"]
)
def test_a_session_of_the_application_is_killed(
    shaky: Ground, settings: Settings, statement: str
) -> None:
    with shaky.application() as session:
        session.execute(statement)
        os.kill(session.info.backend_pid, signal.SIGKILL)

    def recovered() -> None:
        shaky.work("SELECT count(*) FROM public.llx_lines")

    eventually(recovered, SOON)
    assert_next_reset_is_exact(shaky, settings, DURABLE, "shadow")


def test_a_crash_is_covered_up(shaky: Ground, settings: Settings) -> None:
    with shaky.superuser() as session:
        found = session.execute(
            "SELECT relname::text FROM pg_class"
            " WHERE relnamespace = 'golden'::regnamespace AND relname LIKE 'sentinel%'"
        ).fetchall()
    ((sentinel,),) = found
    shaky.work("DELETE FROM public.llx_lines WHERE n < 100")
    with shaky.application() as session:
        os.kill(session.info.backend_pid, signal.SIGKILL)

    def cover_up() -> None:
        shaky.work(
            sql.SQL("INSERT INTO golden.{} VALUES (1)").format(sql.Identifier(sentinel)),
            "INSERT INTO golden.llx_lines SELECT ctid, * FROM public.llx_lines",
        )

    eventually(cover_up, SOON)
    assert_next_reset_is_exact(shaky, settings, DURABLE)
