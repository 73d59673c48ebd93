"""A sandbox that is laid by SQL: what one test needs, made anew in some milliseconds."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from harness.lifecycle.compare import differences_from_golden, sandbox_now
from harness.local.marks import SANDBOX_DATABASE
from harness.local.platform import LocalOptions, LocalPlatform
from harness.postgres import mark
from harness.postgres.connection import Run, connect
from harness.postgres.difference import differences
from harness.sides import Sandbox
from tests.made_up_prod import MadeUpProd, platform_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.postgres.fingerprint import Fingerprint
    from harness.settings import Settings

    Session = psycopg.Connection[tuple[Any, ...]]

OWNER = "erp_sandbox_role"
# Without it the content is no Dolibarr's, and no verb accepts it.
COMPANY = """
CREATE TABLE public.llx_const (
    rowid serial PRIMARY KEY, name text NOT NULL, entity int NOT NULL DEFAULT 1,
    value text NOT NULL, UNIQUE (name, entity)
);
INSERT INTO public.llx_const (name, value) VALUES ('MAIN_INFO_SOCIETE_NOM', 'Ferblanterie');
"""
# What a row reads like must not depend on who asks.
_PINNED = "-c TimeZone=UTC -c DateStyle=ISO,YMD -c IntervalStyle=postgres -c bytea_output=hex"


@dataclass(frozen=True)
class Ground:
    """A platform without a cluster, whose sandbox each test lays for itself.

    Args:
        platform: The platform.
        settings: The target; the gate is content with one table.
    """

    platform: LocalPlatform
    settings: Settings

    def lay(self, *statements: str) -> None:
        """Put this into the place of whatever the sandbox holds, and vouch for it."""
        with self.application() as session, session.transaction():
            # A lock that a forgotten session holds must not hang the tests.
            session.execute("SET LOCAL lock_timeout = '10s'")
            session.execute(f"DROP OWNED BY {OWNER} CASCADE")
            session.execute(COMPANY)
            for statement in statements:
                session.execute(statement)
            session.execute("SELECT pg_catalog.pg_stat_force_next_flush()")
        self.vouch()

    def vouch(self) -> None:
        """Mark the content as complete."""
        sandbox, deadlines = Sandbox.of(self.settings), self.settings.deadlines
        with connect(sandbox, Run(), "test", deadlines) as session, session.transaction():
            mark.write(session, Run(), mark.read(session), "complete", "prod")

    def let_log_in_quickly(self) -> None:
        """A verb has a dozen sessions, and proving each password costs more than what most do."""
        sandbox = Sandbox.of(self.settings)
        with self.superuser() as session:
            session.execute("SET scram_iterations = 1")
            for login in (sandbox.login, sandbox.application):
                session.execute(
                    sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                        sql.Identifier(login.user), sql.Literal(login.password)
                    )
                )

    @contextmanager
    def application(self, options: str = "") -> Iterator[Session]:
        """A session of the application's, in autocommit."""
        login = Sandbox.of(self.settings).application
        with closing(
            psycopg.connect(login.conninfo, autocommit=True, options=f"{_PINNED} {options}")
        ) as session:
            # What could not be locked in this time never will be: the tests have one thread.
            session.execute("SET lock_timeout = '100ms'")
            yield session

    @contextmanager
    def superuser(self, database: str = SANDBOX_DATABASE) -> Iterator[Session]:
        """A superuser's session, in autocommit."""
        login = self.platform.superuser
        with closing(psycopg.connect(login.conninfo, dbname=database, autocommit=True)) as session:
            yield session

    def work(self, *statements: str | sql.Composed) -> None:
        """What the application does in a session of its own, which has ended afterwards."""
        with self.application() as session:
            for statement in statements:
                session.execute(statement)
            # Whatever believes in counters shall have no excuse.
            session.execute("SELECT pg_catalog.pg_stat_force_next_flush()")

    def holds(self) -> Fingerprint:
        """What the sandbox holds now."""
        return sandbox_now(self.settings)

    def departs_from(self, golden: Fingerprint) -> list[str]:
        """In what the sandbox differs from what it held once."""
        return [str(each) for each in differences(golden, self.holds(), grants=True)]

    def assert_golden(self) -> None:
        """The sandbox holds the last golden copy, to the letter."""
        found = list(map(str, differences_from_golden(self.settings)))
        assert found == []


@contextmanager
def ground() -> Iterator[Ground]:
    """A server of the tests' own, with an empty prod and an empty sandbox."""
    options = LocalOptions(postgres="binaries", durable=False, cluster=False)
    # What a reset brings back never comes from prod.
    with platform_with(MadeUpProd(), options) as platform:
        settings = platform.settings
        changed = {
            "checks": settings.checks.model_copy(update={"minimum_tables": 1}),
            "tools": settings.tools.model_copy(update={"jobs": 1}),
        }
        settings = settings.model_copy(update=changed).with_golden(generations=1)
        found = Ground(platform, settings)
        found.let_log_in_quickly()
        yield found
