"""A platform as wide as a real one, 384 tables a side, and cheap: what the audit reads is names."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from harness.local.platform import LocalOptions, LocalPlatform
from tests.made_up_prod import MadeUpProd, platform_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.local.layout import Layout
    from harness.local.runs import LocalRun
    from harness.local.servers import LocalServer
    from harness.postgres.binaries import Binaries
    from harness.progress import Progress

TABLES = 384
# The first has what later ones lack: rows, a view, a function and a large object to grant on.
_FILL = """
DO $fill$
BEGIN
    FOR number IN 1..384 LOOP
        EXECUTE format('CREATE TABLE public.llx_%s (rowid serial PRIMARY KEY, name text)', number);
    END LOOP;
END
$fill$;
INSERT INTO public.llx_1 (name) SELECT 'customer ' || n FROM generate_series(1, 9) AS n;
CREATE VIEW public.llx_names AS SELECT name FROM public.llx_1;
CREATE TYPE public.llx_kind AS ENUM ('a', 'b');
CREATE FUNCTION public.llx_count() RETURNS bigint LANGUAGE sql AS
    'SELECT count(*) FROM public.llx_1';
SELECT lo_create(424242);
"""


class WideProd(MadeUpProd):
    """Tables, and one of each other kind of object; the sandbox has the same."""

    def fill(self, server: LocalServer, logins: Layout, run: LocalRun, progress: Progress) -> None:
        del server, run, progress
        for login in (logins.prod, logins.sandbox):
            with psycopg.connect(login.conninfo) as connection:
                connection.execute(_FILL)

    def __str__(self) -> str:
        return f"{TABLES} tables"


@contextmanager
def wide_platform(binaries: Binaries) -> Iterator[LocalPlatform]:
    """A server of these binaries, laid out, both sides filled; nobody runs the application."""
    options = LocalOptions(postgres=f"binaries:{binaries.bin}", durable=False, cluster=False)
    with platform_with(WideProd(), options) as platform:
        yield platform
