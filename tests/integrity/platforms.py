"""Platforms with something of every kind on either side: what the audit reads is names."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from harness.local.platform import LocalOptions, LocalPlatform
from tests.made_up_prod import MadeUpProd, platform_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.local.layout import Layout
    from harness.local.runs import LocalRun
    from harness.local.servers import LocalServer
    from harness.postgres.binaries import Binaries
    from harness.progress import Progress

WIDE = 384
"""As many tables as a real Dolibarr has."""
_FEW = 12
# The first has what later ones lack: rows, a view, a function and a large object to grant on.
_FILL = sql.SQL("""
DO $fill$
BEGIN
    FOR number IN 1..{tables} LOOP
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
""")


class KindsProd(MadeUpProd):
    """Tables, and one of each other kind of object; the sandbox has the same."""

    def __init__(self, tables: int) -> None:
        self._tables = tables

    def fill(self, server: LocalServer, logins: Layout, run: LocalRun, progress: Progress) -> None:
        del server, run, progress
        for login in (logins.prod, logins.sandbox):
            with psycopg.connect(login.conninfo) as connection:
                connection.execute(_FILL.format(tables=self._tables))

    def __str__(self) -> str:
        return f"{self._tables} tables"


@contextmanager
def platform_of(binaries: Binaries, *, tables: int = _FEW) -> Iterator[LocalPlatform]:
    """A server of these binaries, laid out, both sides filled; nobody runs the application."""
    options = LocalOptions(postgres=f"binaries:{binaries.bin}", durable=False, cluster=False)
    with platform_with(KindsProd(tables), options) as platform:
        yield platform
