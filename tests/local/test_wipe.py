"""A wipe of many tables, beside a prod that needs the same lock table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from harness.lifecycle.refresh import refresh_from_prod
from harness.progress import Silent
from tests.recovery.tiny import TABLES, TinyProd, tiny_platform

if TYPE_CHECKING:
    from harness.local.layout import Layout
    from harness.local.runs import LocalRun
    from harness.local.servers import LocalServer
    from harness.progress import Progress

_MORE = 300
# The last made is dropped first: so the cheap ones come before those with many indexes.
_FILL = f"""
DO $$
BEGIN
    FOR number IN 1..{_MORE} LOOP
        EXECUTE format('CREATE TABLE public.llx_more_%s (id serial PRIMARY KEY, a text)', number);
        FOR each IN 1..(CASE WHEN number < {_MORE // 3} THEN 8 ELSE 0 END) LOOP
            EXECUTE format('CREATE INDEX ON public.llx_more_%s (a)', number);
        END LOOP;
    END LOOP;
END $$
"""


class WideProd(TinyProd):
    """More tables than may be dropped in one transaction."""

    def fill(self, server: LocalServer, logins: Layout, run: LocalRun, progress: Progress) -> None:
        super().fill(server, logins, run, progress)
        with psycopg.connect(logins.prod.conninfo, autocommit=True) as connection:
            connection.execute(_FILL)


def test_it_leaves_three_quarters_of_the_lock_table_to_prod() -> None:
    with tiny_platform(cluster=False, shadow=False, prod=WideProd()) as platform:
        refresh_from_prod(platform.settings, Silent())
        wiped = refresh_from_prod(platform.settings, Silent()).wiped
    assert wiped.tables == TABLES + _MORE
    assert wiped.lock_table // 8 < wiped.peak_locks <= wiped.lock_table // 4
    assert wiped.batches > 2
