"""A prod of four tables: all that a run needs to be one, and copied in a fraction of a second."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg

from harness.local.platform import LocalOptions, LocalPlatform
from tests.made_up_prod import MadeUpProd, platform_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.local.layout import Layout
    from harness.local.runs import LocalRun
    from harness.local.servers import LocalServer
    from harness.progress import Progress

TABLES = 4
LEASE_SECONDS = 1
_SPEED = 20.0
_FILL = """
CREATE TABLE public.llx_const (
    rowid serial PRIMARY KEY, name text NOT NULL, entity int NOT NULL DEFAULT 1,
    value text NOT NULL, UNIQUE (name, entity)
);
CREATE TABLE public.llx_societe (rowid serial PRIMARY KEY, nom text);
CREATE TABLE public.llx_facture (
    rowid serial PRIMARY KEY, ref text NOT NULL,
    fk_soc int NOT NULL REFERENCES public.llx_societe (rowid) DEFERRABLE
);
CREATE TABLE public.llx_actioncomm (
    id serial PRIMARY KEY, ref text, entity int, datep timestamp, code text, datec timestamp,
    fk_user_author int, label text, percent int
);
INSERT INTO public.llx_const (name, value) VALUES
    ('MAIN_INFO_SOCIETE_NOM', 'Ferblanterie'), ('MAIN_INFO_SOCIETE_LOGO_SMALL', 'logo.png');
INSERT INTO public.llx_societe (nom) SELECT 'Customer ' || n FROM generate_series(1, 50) n;
INSERT INTO public.llx_facture (ref, fk_soc) SELECT 'FA' || n, n FROM generate_series(1, 50) n;
"""


class TinyProd(MadeUpProd):
    """Those tables."""

    def fill(self, server: LocalServer, logins: Layout, run: LocalRun, progress: Progress) -> None:
        del server, run, progress
        with psycopg.connect(logins.prod.conninfo) as connection:
            connection.execute(_FILL)

    def __str__(self) -> str:
        return f"{TABLES} tables"


@contextmanager
def tiny_platform(
    *,
    cluster: bool = True,
    shadow: bool = True,
    postgres: str = "binaries",
    prod: TinyProd | None = None,
) -> Iterator[LocalPlatform]:
    """A whole local platform around it: leases of a second, controllers twenty times as fast."""
    options = LocalOptions(
        postgres=postgres,
        durable=False,
        cluster=cluster,
        shadow=shadow,
        lease_seconds=LEASE_SECONDS,
        speed=_SPEED,
    )
    with platform_with(prod or TinyProd(), options) as platform:
        settings = platform.settings
        checks = settings.checks.model_copy(update={"minimum_tables": TABLES})
        tools = settings.tools.model_copy(update={"jobs": 1})
        changed = {"checks": checks, "tools": tools}
        yield replace(platform, settings=settings.model_copy(update=changed))
