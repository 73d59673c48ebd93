"""Prod is watched while it is read: who writes there, locks too much or stays is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import FailedError
from harness.lifecycle.refresh import refresh_from_prod
from harness.postgres.connection import Run, connect, read_only_transaction
from harness.progress import Silent
from harness.sides import Prod
from steps.faulty_tools import DUMPS_PROD, with_faulty_tool

from .evidence import assert_nothing_left, fails, prod_unchanged, sandbox_unchanged

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import psycopg

    from harness.local.platform import LocalPlatform
    from harness.settings import Settings

# A session of the run's beside pg_dump's: it has the name, the login and the settings of that one.
BESIDE = '"$(dirname "$real")/psql" --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --command='
WHERE = """
for argument in "$@"; do
    case "$argument" in
        --host=*) export PGHOST=${argument#--host=} ;;
        --port=*) export PGPORT=${argument#--port=} ;;
        --username=*) export PGUSER=${argument#--username=} ;;
        --dbname=*) export PGDATABASE=${argument#--dbname=} ;;
    esac
done
"""
# Not read-only; and it notices that its client was killed.
WRITING = f"{WHERE} export PGOPTIONS='-c client_connection_check_interval=200';"

TRESPASSES = {
    "locks more than a reader": (
        f"{WHERE} {BESIDE}'BEGIN; LOCK TABLE public.llx_const IN SHARE MODE; SELECT pg_sleep(9)'",
        ("locks more than a reader does", "ShareLock on public.llx_const by sandbox-lifecycle/"),
    ),
    "takes a lock of the application's own": (
        f"{WHERE} {BESIDE}'SELECT pg_advisory_lock(1), pg_sleep(9)'",
        ("locks more than a reader does", "ExclusiveLock on advisory"),
    ),
    "writes": (
        f"{WRITING} {BESIDE}'SELECT pg_current_xact_id(), pg_sleep(9)'",
        ("was assigned a transaction id", "a write by sandbox-lifecycle/"),
    ),
}


@pytest.mark.parametrize("trespass", TRESPASSES)
def test_a_session_that(
    trespass: str, platform: LocalPlatform, settings: Settings, tmp_path: Path
) -> None:
    script, told = TRESPASSES[trespass]
    faulty = with_faulty_tool(settings, "pg_dump", script, tmp_path, where=DUMPS_PROD)
    with prod_unchanged(settings), sandbox_unchanged(settings):
        fails(1, lambda: refresh_from_prod(faulty, Silent()), *told)
    assert_nothing_left(platform)


def test_a_session_that_is_left_behind(
    settings: Settings,
    superuser: Callable[[str], psycopg.Connection[Any]],
    tmp_path: Path,
) -> None:
    script = f"""{WHERE}
setsid {BESIDE}'SELECT pg_sleep(90)' </dev/null >/dev/null 2>&1 &
exec "$real" "$@"
"""
    faulty = with_faulty_tool(settings, "pg_dump", script, tmp_path, where=DUMPS_PROD)
    impatient = faulty.model_copy(update={"deadline_scale": 0.2})
    try:
        with sandbox_unchanged(settings):
            fails(
                1,
                lambda: refresh_from_prod(impatient, Silent()),
                "sessions of the run are left behind in erp",
                "1 besides the one that asks",
            )
    finally:
        superuser("erp").execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE query LIKE 'SELECT pg_sleep(90)%'"
        )


def test_what_was_seen_is_in_the_report(settings: Settings) -> None:
    done = refresh_from_prod(settings, Silent())
    seen = done.report()["prod"]
    assert seen["samples"] > 0
    assert seen["sessions"] >= 3
    assert (seen["locks"], seen["left_behind"]) == (("AccessShareLock",), 0)
    assert str(done.watched).startswith(f"sampled {seen['samples']} times: up to ")


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("LOCK TABLE public.llx_const IN ROW SHARE MODE", "RowShareLock on public.llx_const"),
        ("SELECT pg_advisory_xact_lock(1)", "ExclusiveLock on advisory"),
        ("SELECT pg_current_xact_id()", "was assigned a transaction id"),
    ],
)
def test_our_own_transactions_are_asked_before_they_end(
    settings: Settings, statement: Any, told: str
) -> None:
    with (
        connect(Prod.of(settings), Run(), "test", settings.deadlines) as session,
        pytest.raises(FailedError) as caught,
        read_only_transaction(session),
    ):
        session.execute(statement)
    assert told in str(caught.value)


def test_what_reads_passes(settings: Settings) -> None:
    with (
        connect(Prod.of(settings), Run(), "test", settings.deadlines) as session,
        read_only_transaction(session),
    ):
        session.execute("SELECT count(*) FROM public.llx_const")
