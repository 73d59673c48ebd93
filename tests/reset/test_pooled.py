"""The pool of these tests has what a reset is measured against: connections that stay, idle."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg

from harness.deadlines import Deadline, eventually

if TYPE_CHECKING:
    from .pooled import Pool

SOON = Deadline(10, "a server's session is idle a moment after its transaction")


def all_idle(pool: Pool) -> None:
    assert pool.idle() == pool.pids


def test_its_connections_are_there_and_idle(pool: Pool) -> None:
    assert len(pool.pids) == 5
    eventually(lambda: all_idle(pool), SOON)


def test_they_stay_and_do_the_work_of_many_clients(pool: Pool) -> None:
    def work(number: int) -> int:
        with psycopg.connect(pool.login.conninfo) as session:
            # One row: of two, clients could lock either first, and wait for each other.
            session.execute(
                "UPDATE public.llx_const SET value = %s"
                " WHERE name = 'MAIN_INFO_SOCIETE_NOM' AND entity = 1",
                (f"by client {number}",),
            )
            return session.execute("SELECT pg_catalog.pg_backend_pid()").fetchall()[0][0]

    with ThreadPoolExecutor(10) as many:
        assert set(many.map(work, range(30))) <= pool.pids
    eventually(lambda: all_idle(pool), SOON)


def test_one_that_works_is_not_idle(pool: Pool) -> None:
    with psycopg.connect(pool.login.conninfo) as session:
        (pid,) = session.execute("SELECT pg_catalog.pg_backend_pid()").fetchall()[0]
        assert pool.idle() == pool.pids - {pid}
