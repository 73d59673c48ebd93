"""Transaction ids run over: what a reset believes of old and new is right before and after."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import psycopg
import pytest

from harness.lifecycle.changes import changes
from harness.lifecycle.checkpoint import checkpoint
from harness.lifecycle.reset import reset
from harness.progress import Silent

from . import naive
from .full_comparison import told
from .ground import Ground
from .ground import ground as new_ground
from .sabotage import DIFFERENTIAL, DURABLE, REHEARSAL, SCHEMA
from .server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

AROUND = 2**32
# Ids are compared on a circle, half of which is the past: no step may be longer.
STEPS = (1_900_000_000, 3_700_000_000, AROUND - 300)
TOO_LONG = (1_200_000_000, 2_400_000_000)
# How each transaction has ended is told in files of two bits for each.
_BYTES_OF_A_FILE = 32 * 8192
_IDS_OF_A_FILE = 4 * _BYTES_OF_A_FILE


@pytest.fixture(scope="module")
def late() -> Iterator[tuple[Ground, Server]]:
    """A server whose transaction ids are about to run over."""
    with new_ground() as ground:
        server = Server(ground.platform)
        for step in STEPS:
            advance(ground, server, step)
        yield ground, server
        server.close()


def advance(ground: Ground, server: Server, to: int) -> None:
    """Let the next transaction have this id (of 32 bits); every row is frozen before."""
    with ground.superuser() as session:
        session.execute("ALTER DATABASE template0 ALLOW_CONNECTIONS true")
        names = session.execute("SELECT datname FROM pg_database").fetchall()
    for (name,) in names:
        with ground.superuser(name) as session:
            session.execute("VACUUM (FREEZE)")
    server.stop(signal.SIGINT)
    file = server.data / "pg_xact" / f"{to // _IDS_OF_A_FILE:04X}"
    if not file.exists():
        file.write_bytes(bytes(_BYTES_OF_A_FILE))
        os.chown(file, server.data.stat().st_uid, server.data.stat().st_gid)
    program = str(server.programs / "pg_resetwal")
    assert server.run([program, f"--next-transaction-id={to}", str(server.data)]).wait() == 0
    server.start()


def burn(ground: Ground, until: int) -> None:
    """Use up transaction ids (of 64 bits)."""
    with ground.application() as session:
        while True:
            row = session.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()
            assert row
            if row[0] >= until:
                return


def test_ids_run_over_between_the_checkpoint_and_the_reset(late: tuple[Ground, Server]) -> None:
    ground, _server = late
    by_pages, by_scan = (ground.settings.with_golden(find_changes=way) for way in ("pages", "scan"))
    ground.lay(SCHEMA)
    with ground.application() as session:
        kept = naive.Kept.of(session)
    assert checkpoint(by_pages, Silent()).no_shadow is None
    assert kept.transaction < AROUND
    burn(ground, AROUND + 50)
    ground.work(*REHEARSAL)

    # It takes the new versions of rows for old ones, which have always been there.
    with (
        pytest.raises(psycopg.errors.UniqueViolation),
        ground.application() as session,
        session.transaction(),
    ):
        naive.by_transaction(kept, session)

    found = changes(by_pages, Silent()).changes
    assert {each.table for each in found.tables} == {"llx_lines", "llx_more"}
    assert told(changes(by_scan, Silent()).changes) == told(found)
    done = reset(by_pages, Silent())
    ground.assert_golden()
    assert done.way == DIFFERENTIAL, done.reason
    ground.work(*REHEARSAL)
    done = reset(by_scan, Silent())
    ground.assert_golden()
    assert done.way == DIFFERENTIAL, done.reason


def test_a_baseline_of_half_a_circle_ago_is_not_believed(late: tuple[Ground, Server]) -> None:
    ground, server = late
    ground.lay(SCHEMA)
    assert checkpoint(ground.settings, Silent()).no_shadow is None
    ground.work(*REHEARSAL)
    for step in TOO_LONG:
        advance(ground, server, step)
    done = reset(ground.settings, Silent())
    ground.assert_golden()
    assert done.way == DURABLE
    assert "too many" in (done.reason or "")
    ground.work(*REHEARSAL)
    done = reset(ground.settings, Silent())
    ground.assert_golden()
    assert done.way == DIFFERENTIAL, done.reason
