"""Whatever stands in the way of a reset, or misleads it: it is exact, or refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from harness.errors import RefusedError
from harness.lifecycle.reset import reset
from harness.local.marks import SANDBOX_DATABASE
from harness.progress import Silent

from .sabotage import (
    DIFFERENTIAL,
    DURABLE,
    REHEARSAL,
    SCHEMA,
    assert_next_reset_is_exact,
    take_golden,
)
from .waiting import reset_while_somebody_writes

if TYPE_CHECKING:
    from harness.settings import Settings

    from .ground import Ground


@pytest.fixture(params=["pages", "scan"])
def settings(request: pytest.FixtureRequest, ground: Ground) -> Settings:
    return take_golden(ground, ground.settings.with_golden(find_changes=request.param))


def test_a_transaction_that_never_ends_is_in_the_way(ground: Ground, settings: Settings) -> None:
    hasty = settings.model_copy(update={"deadline_scale": 0.05})
    ground.work(*REHEARSAL)
    rehearsed = ground.holds()
    with ground.application() as session:
        session.execute("BEGIN")
        session.execute("INSERT INTO public.llx_lines (label) VALUES ('open')")
        with pytest.raises(RefusedError):
            reset(hasty, Silent())
        assert ground.departs_from(rehearsed) == [
            "sequence value llx_lines_rowid_seq: expected 201 (called), found 202 (called)"
        ]
        session.execute("COMMIT")
        assert_next_reset_is_exact(ground, settings, DIFFERENTIAL)


@pytest.mark.parametrize(
    ("statement", "way"),
    [
        ("VACUUM (FREEZE) public.llx_lines", DIFFERENTIAL),
        ("VACUUM (FULL, FREEZE) public.llx_lines", DIFFERENTIAL),
        ("CLUSTER public.llx_lines USING llx_lines_pkey", DURABLE),
        ("VACUUM", DIFFERENTIAL),
        # It rewrites the shadow, too.
        ("VACUUM (FULL)", DURABLE),
    ],
)
def test_the_agent_vacuums(ground: Ground, settings: Settings, statement: str, way: str) -> None:
    ground.work(*REHEARSAL, statement)
    assert_next_reset_is_exact(ground, settings, way)


def test_a_vacuum_is_broken_off(ground: Ground, settings: Settings) -> None:
    """It has frozen what was changed on the first page, and is counted nowhere.

    Nothing of the page tells it any more, so only whoever compares whole tables notices.
    """
    settings = settings.with_golden(verify="tables")
    # With room on each page for another version of a row.
    roomy = SCHEMA.replace("200", "5000").replace("n int)", "n int) WITH (fillfactor = 50)")
    take_golden(ground, settings, roomy)
    with ground.application() as pinning, ground.application() as vacuuming:
        ground.work(
            "UPDATE public.llx_lines SET label = 'changed' WHERE n = 1",
            "INSERT INTO public.llx_lines (label, n) VALUES ('new', 5001)",
        )
        # A cursor keeps the page on which it stands in its place, and a vacuum waits for it.
        pinning.execute("BEGIN")
        pinning.execute("DECLARE pin CURSOR FOR SELECT 1 FROM public.llx_lines WHERE n > 5000")
        pinning.execute("FETCH pin")
        vacuuming.execute("SET statement_timeout = '500ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            vacuuming.execute("VACUUM (FREEZE) public.llx_lines")
        pinning.execute("COMMIT")
    with ground.superuser() as session:
        pages = session.execute(
            "SELECT blkno FROM pg_visibility_map('public.llx_lines') WHERE NOT all_frozen"
        ).fetchall()
        vacuums = session.execute("SELECT pg_stat_get_vacuum_count('public.llx_lines'::regclass)")
        assert pages
        assert (0,) not in pages
        assert vacuums.fetchone() == (1,)
    way = DIFFERENTIAL if settings.golden.find_changes == "scan" else DURABLE
    assert_next_reset_is_exact(ground, settings, way)


@pytest.mark.parametrize(
    "setting",
    [
        "default_transaction_isolation = serializable",
        "default_transaction_read_only = on",
        "quote_all_identifiers = on",
        "lock_timeout = 1",
        "enable_seqscan = off",
        "standard_conforming_strings = off",
        "session_replication_role = replica",
    ],
)
def test_the_database_has_a_setting_of_its_own(
    ground: Ground, settings: Settings, setting: str
) -> None:
    ground.work(*REHEARSAL)
    name = setting.partition(" ")[0]
    with ground.superuser() as session, ground.application() as writer:
        session.execute(f'ALTER DATABASE "{SANDBOX_DATABASE}" SET {setting}')
        try:
            writer.execute("BEGIN")
            writer.execute("INSERT INTO public.llx_lines (label) VALUES ('late')")
            reset_while_somebody_writes(
                ground, settings, lambda: (writer.execute("COMMIT"), writer.close())
            )
        finally:
            session.execute(f'ALTER DATABASE "{SANDBOX_DATABASE}" RESET {name}')
    ground.assert_golden()
