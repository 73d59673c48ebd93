"""The ways to have the sandbox as it was before a rehearsal, each ready to be timed.

Every way begins and ends with the sandbox at its golden copy. What wipes the database or replaces
it works on a clone in the sandbox's place, so that the database which the other ways are measured
on, and its shadow, stay what they are; a clone holds the same content without the shadow.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from harness.errors import FailedError
from harness.lifecycle.operation import operation
from harness.lifecycle.reset import reset
from harness.progress import Silent
from tests.benchmarks.ground import REHEARSAL
from tests.benchmarks.server import time_tool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.settings import Settings
    from tests.benchmarks.clones import Strategy
    from tests.benchmarks.ground import Ground

    GoBack = Callable[[], object]

_TABLES = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = 'public'"


@contextmanager
def differential(
    ground: Ground, find_changes: str, work: sql.SQL | sql.Composed = REHEARSAL
) -> Iterator[GoBack]:
    """The verb, as long as the application may go on.

    Args:
        ground: What it works on.
        find_changes: The way in which changed rows are found.
        work: What the rehearsal does.
    """
    settings = ground.settings.with_golden(find_changes=find_changes)
    ground.rehearse(work)
    yield lambda: _reset(settings, "differential")


@contextmanager
def pooled(ground: Ground, find_changes: str) -> Iterator[GoBack]:
    """The same behind a PgBouncer whose connections stay open; the rehearsal was in one of them."""
    settings = ground.settings.with_golden(find_changes=find_changes)
    with ExitStack() as stack:
        ground.rehearse_pooled(stack)
        yield lambda: _reset(settings, "differential")


@contextmanager
def durable(ground: Ground) -> Iterator[GoBack]:
    """The verb without a shadow: wipe, restore, verify."""
    with ground.clones.in_place():
        ground.rehearse()
        yield lambda: _reset(durable_settings(ground), "durable")


def durable_settings(ground: Ground) -> Settings:
    """The target with a clone in the sandbox's place, whose resets are restores."""
    settings = ground.settings.with_golden(shadow=False)
    # A clone has an OID of its own; the mark, which it was given too, vouches for it.
    own = settings.sandbox.model_copy(update={"database_oid": None})
    return settings.model_copy(update={"sandbox": own})


@contextmanager
def by_hand(ground: Ground) -> Iterator[GoBack]:
    """`DROP OWNED`, then `pg_restore -j2` of the golden dump, by a script that checks nothing."""
    with operation(ground.settings, Silent()) as op:
        programs = op.tools.directory
    dump = ground.golden.dump
    login, owner = ground.sandbox.login, ground.sandbox.owner_role

    def go_back() -> None:
        with psycopg.connect(login.conninfo, autocommit=True) as session:
            session.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(sql.Identifier(owner)))
        time_tool(
            [
                programs / "pg_restore",
                *("--schema=public", "--jobs=2", "--no-owner", "--no-acl", dump),
                f"--role={owner}",
            ],
            login,
        )

    with ground.clones.in_place():
        ground.rehearse()
        yield go_back


@contextmanager
def template(ground: Ground, strategy: Strategy) -> Iterator[GoBack]:
    """`CREATE DATABASE … TEMPLATE`, the sessions ended, and the clone under the sandbox's name."""
    ground.rehearse()
    yield lambda: ground.clones.take_place(strategy)
    ground.clones.give_back()
    reset(ground.settings, Silent())


@contextmanager
def bare_connect(ground: Ground) -> Iterator[GoBack]:
    """No way back, but a bound of all: one session and one answer."""

    def ask() -> None:
        with psycopg.connect(ground.sandbox.login.conninfo) as session:
            session.execute("SELECT 1")

    yield ask


@contextmanager
def bare_locks(ground: Ground) -> Iterator[GoBack]:
    """No way back, but a bound of those that lock: every table locked as they do, and let go."""
    with psycopg.connect(ground.sandbox.login.conninfo, autocommit=True) as session:
        tables = [sql.Identifier(*name) for name in session.execute(_TABLES)]
        lock = sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(
            sql.SQL(", ").join(tables)
        )

        def lock_all() -> None:
            with session.transaction():
                session.execute(lock)

        yield lock_all


def _reset(settings: Settings, way: str) -> None:
    done = reset(settings, Silent())
    if done.way != way:
        raise FailedError(
            "a reset went another way than the one that is measured",
            found=f"{done.way}: {done.reason}",
            expected=way,
        )
