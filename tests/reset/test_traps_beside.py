"""Traps that somebody else lays meanwhile: who writes, who waits, and who kills a session."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from harness.deadlines import eventually
from harness.lifecycle.checkpoint import checkpoint
from harness.progress import Silent

from . import naive, naive_undo
from .server import SOON
from .traps import DIFFERENTIAL, LINES
from .waiting import reset_while_somebody_writes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.settings import Settings

    from .ground import Ground

PAIR = """
CREATE TABLE public.llx_a (rowid serial PRIMARY KEY, label text);
CREATE TABLE public.llx_b (rowid serial PRIMARY KEY, label text);
"""
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"


@pytest.fixture(params=["pages", "scan"])
def settings(request: pytest.FixtureRequest, ground: Ground) -> Settings:
    return ground.settings.with_golden(find_changes=request.param)


@contextmanager
def writer(ground: Ground) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A patient session of the application's."""
    with ground.application() as session:
        session.execute("SET lock_timeout = 0")
        yield session


# Lock first, then look.


def test_a_naive_reset_misses_what_is_committed_after_it_has_looked(ground: Ground) -> None:
    ground.lay(LINES)
    golden = ground.holds()
    with ground.application() as session, writer(ground) as other:
        kept = naive.Kept.of(session)
        other.execute("BEGIN")
        other.execute("INSERT INTO public.llx_lines (label) VALUES ('under way')")
        with session.transaction():
            naive.by_counters_then_lock(kept, session)
        other.execute("COMMIT")
    assert ground.departs_from(golden) != []


def test_a_reset_waits_for_what_is_under_way_and_undoes_it(
    ground: Ground, settings: Settings
) -> None:
    ground.lay(LINES)
    checkpoint(settings, Silent())
    with writer(ground) as other:
        other.execute("BEGIN")
        other.execute("INSERT INTO public.llx_lines (label) VALUES ('under way')")
        done = reset_while_somebody_writes(ground, settings, lambda: other.execute("COMMIT"))
        ground.assert_golden()
        assert done.way == DIFFERENTIAL, done.reason
        assert done.changes is not None
        assert [each.inserted for each in done.changes.tables] == [1]


# Who waits for whom.


def test_a_naive_reset_and_the_application_wait_for_one_another(ground: Ground) -> None:
    ground.lay(PAIR)
    with (
        ground.application() as session,
        writer(ground) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        kept = naive.Kept.of(session)
        session.execute("SET lock_timeout = 0")
        other.execute("BEGIN")
        other.execute("INSERT INTO public.llx_b (label) VALUES ('second')")

        def run() -> None:
            with session.transaction():
                naive.by_locking_each(kept, session)

        def waits() -> None:
            with ground.superuser() as looking:
                row = looking.execute(_WAITING, (session.info.backend_pid,)).fetchone()
            assert row
            assert row[0] == 1

        running = pool.submit(run)
        eventually(waits, SOON, every=0.005)
        errors = []
        try:
            other.execute("INSERT INTO public.llx_a (label) VALUES ('first')")
        except psycopg.errors.DeadlockDetected as error:
            errors.append(error)
        other.execute("ROLLBACK")
        if found := running.exception(SOON.seconds):
            assert isinstance(found, psycopg.errors.DeadlockDetected)
            errors.append(found)
    assert len(errors) == 1


def test_a_reset_lets_the_application_go_first(ground: Ground, settings: Settings) -> None:
    ground.lay(PAIR)
    checkpoint(settings, Silent())
    with writer(ground) as other:
        other.execute("BEGIN")
        other.execute("INSERT INTO public.llx_b (label) VALUES ('second')")

        def go_on() -> None:
            other.execute("INSERT INTO public.llx_a (label) VALUES ('first')")
            other.execute("COMMIT")

        done = reset_while_somebody_writes(ground, settings, go_on)
        ground.assert_golden()
        assert done.way == DIFFERENTIAL, done.reason


# What a rollback takes back; test_sabotage shows that a killed reset has changed nothing.


def test_a_naive_reset_that_is_rolled_back_has_set_the_sequences(ground: Ground) -> None:
    ground.lay(LINES)
    with ground.application() as session:
        kept = naive.Kept.of(session)
        session.execute("INSERT INTO public.llx_lines (label) VALUES ('new')")
        rehearsed = ground.holds()
        with session.transaction(force_rollback=True):
            naive_undo.sequences_by_setval(kept, session)
    assert ground.departs_from(rehearsed) == [
        "sequence value llx_lines_rowid_seq: expected 201 (called), found 200 (called)"
    ]


# What a crash takes along; test_sabotage shows that a reset notices it.


def crash(ground: Ground) -> None:
    """Kill a session of the application's: the server starts all its sessions anew."""
    with ground.application() as session:
        os.kill(session.info.backend_pid, signal.SIGKILL)

    def answers() -> None:
        ground.work("SELECT 1")

    eventually(answers, SOON)


def test_a_crash_sets_the_counters_back_to_where_a_naive_reset_saw_them(shaky: Ground) -> None:
    shaky.lay(LINES)
    golden = shaky.holds()
    with shaky.superuser() as session:
        session.execute("SELECT pg_stat_reset()")
    with shaky.application() as session:
        kept = naive.Kept.of(session)
    shaky.work("DELETE FROM public.llx_lines WHERE n = 7")
    crash(shaky)
    with shaky.application() as session, session.transaction():
        naive.by_counters(kept, session)
    assert "rows llx_lines: expected 200 rows, found 199 rows" in shaky.departs_from(golden)


def test_a_crash_empties_the_copies_of_a_naive_reset(shaky: Ground) -> None:
    shaky.lay(LINES)
    golden = shaky.holds()
    with shaky.application() as session:
        kept = naive.Kept.of(session)
        session.execute("ALTER TABLE naive.llx_lines SET UNLOGGED")
    shaky.work("UPDATE public.llx_lines SET label = 'changed' WHERE n = 7")
    crash(shaky)
    with shaky.application() as session, session.transaction():
        naive.by_every_table(kept, session)
    assert "rows llx_lines: expected 200 rows, found 0 rows" in shaky.departs_from(golden)
