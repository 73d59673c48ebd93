"""How the audit asks: it writes nothing, and where it cannot ask it says so."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from harness.deadlines import Deadlines, eventually
from harness.errors import ConfigurationError, RefusedError
from harness.integrity.catalogue.database import ask_contents
from harness.integrity.catalogue.server import PUBLIC, ask_holdings, ask_server
from harness.integrity.closure import closure
from harness.integrity.reach.dump import DumpIdentity, dump_identity
from harness.integrity.reach.graph import Graph
from harness.postgres.binaries import wheel_binaries
from harness.postgres.connection import Run, connect, read_only_transaction
from harness.sides import Prod

from .platforms import platform_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.local.platform import LocalPlatform
    from harness.settings import Settings

    from .planting import Planter

SESSIONS = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE %s"
NEXT_ID = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text"


@pytest.fixture
def superuser(platform: LocalPlatform) -> Iterator[psycopg.Connection[tuple[str, ...]]]:
    with psycopg.connect(platform.superuser.conninfo, autocommit=True) as connection:
        yield connection


@contextmanager
def executed(planter: Planter, where: str, plant: str, *remove: str) -> Iterator[None]:
    planter.run([plant], where)
    try:
        yield
    finally:
        planter.run(remove, where)


def test_it_uses_up_no_transaction_id(
    settings: Settings, superuser: psycopg.Connection[tuple[str, ...]]
) -> None:
    superuser.execute("ALTER SYSTEM SET autovacuum = off")
    superuser.execute("SELECT pg_reload_conf()")
    try:
        before = superuser.execute(NEXT_ID).fetchone()
        closure(settings, Run())
        assert superuser.execute(NEXT_ID).fetchone() == before
    finally:
        superuser.execute("ALTER SYSTEM RESET autovacuum")
        superuser.execute("SELECT pg_reload_conf()")


def test_it_works_where_every_session_starts_read_only(
    settings: Settings, planter: Planter
) -> None:
    reset = "ALTER ROLE {app} RESET default_transaction_read_only"
    with executed(
        planter, "{prod}", "ALTER ROLE {app} SET default_transaction_read_only = on", reset
    ):
        assert closure(settings, Run()).findings == ()


def test_it_leaves_no_session_behind(
    settings: Settings, superuser: psycopg.Connection[tuple[str, ...]]
) -> None:
    closure(settings, Run("leaving"))

    def all_gone() -> None:
        assert superuser.execute(SESSIONS, ("%/leaving/%",)).fetchall() == []

    eventually(all_gone, Deadlines().connect)


def test_a_database_that_may_be_entered_and_cannot_be_is_unproven(
    settings: Settings, planter: Planter
) -> None:
    with executed(
        planter,
        "{prod}",
        "ALTER DATABASE postgres CONNECTION LIMIT 0",
        "ALTER DATABASE postgres CONNECTION LIMIT -1",
    ):
        found = closure(settings, Run())
    assert [item.id for item in found.unproven] == ["postgresql/8/database postgres"]
    assert "too many connections" in found.unproven[0].why
    assert "postgres" not in found.databases


def test_prod_that_cannot_be_looked_into_is_unproven_and_the_rest_is_told(
    settings: Settings, planter: Planter
) -> None:
    planter.run(["ALTER ROLE {dump} NOLOGIN"], "{prod}")
    try:
        found = closure(settings, Run())
    finally:
        planter.run(["ALTER ROLE {dump} LOGIN"], "{prod}")
    assert [item.id for item in found.unproven] == ["postgresql/8/database erp"]
    assert found.dump_identity is None
    assert found.databases == ("erp-sandbox", "postgres", "template1")


def test_what_prod_takes_in_is_unproven(settings: Settings, planter: Planter) -> None:
    with executed(
        planter,
        "{prod}",
        "CREATE SUBSCRIPTION planted CONNECTION 'dbname=x' PUBLICATION x"
        " WITH (connect = false, slot_name = NONE)",
        "DROP SUBSCRIPTION planted",
    ):
        found = closure(settings, Run())
    assert [item.id for item in found.unproven] == ["postgresql/10/subscription planted in erp"]


def test_a_role_that_is_not_there_is_named(settings: Settings) -> None:
    wrong = settings.model_copy(
        update={"prod": settings.prod.model_copy(update={"owner_role": "nobody_of_this_name"})}
    )
    with pytest.raises(ConfigurationError, match="nobody_of_this_name"):
        closure(wrong, Run())


def test_it_says_whose_reach_was_looked_at(settings: Settings, planter: Planter) -> None:
    with executed(
        planter, "{prod}", 'CREATE ROLE "v-sbx-x" LOGIN IN ROLE {owner}', 'DROP ROLE "v-sbx-x"'
    ):
        found = {who.name: who.what for who in closure(settings, Run()).identities}
    names = planter.names
    assert found == {
        "PUBLIC": "every login of the server, the sandbox's too",
        names["owner"]: "owner role of the sandbox",
        names["app"]: "the application's login on the sandbox",
        names["harness"]: "the harness's login on the sandbox",
        "v-sbx-x": "leased login of the sandbox",
        names["dump"]: "the harness's login on prod, which makes the dump",
    }


def test_whoever_only_administers_the_owner_role_is_no_identity_of_the_sandbox(
    settings: Settings, planter: Planter
) -> None:
    if planter.major < 16:
        pytest.skip("up to PostgreSQL 15 every membership is one")
    planter.run(
        [
            "CREATE ROLE vault LOGIN CREATEROLE",
            "GRANT {owner} TO vault WITH ADMIN TRUE, INHERIT FALSE, SET FALSE",
        ],
        "{prod}",
    )
    try:
        found = closure(settings, Run())
    finally:
        planter.run(["DROP ROLE vault"], "{prod}")
    assert found.findings == ()
    assert "vault" not in {who.name for who in found.identities}


def identity_of(settings: Settings, name: str) -> DumpIdentity:
    """How a login would be judged, if it were the one that makes the dump."""
    prod = Prod.of(settings)
    with (
        connect(prod, Run(), "test", settings.deadlines) as session,
        read_only_transaction(session),
    ):
        server = ask_server(session)
        graph = Graph(server)
        login = server.oid(name)
        assert login is not None
        roles = {PUBLIC, *graph.reach(login)}
        contents = ask_contents(session, roles, roles)
        return dump_identity(login, server, graph, contents, ask_holdings(session, roles))


READER = "CREATE ROLE reader LOGIN IN ROLE pg_read_all_data"
UNMAKE = ("DROP OWNED BY reader", "DROP ROLE reader")


def test_a_login_that_may_only_read_is_read_only_by_construction(
    settings: Settings, planter: Planter
) -> None:
    with executed(planter, "{prod}", READER, *UNMAKE):
        found = identity_of(settings, "reader")
    assert found.read_only == "by construction"
    assert found.could_write_through == ()
    assert found.acts_as == ("pg_read_all_data", "reader")


@pytest.mark.parametrize(
    ("plant", "through"),
    [
        ("GRANT pg_write_all_data TO reader", "member of pg_write_all_data"),
        ("ALTER ROLE reader CREATEROLE", "reader is CREATEROLE"),
        ("GRANT UPDATE (name) ON public.llx_5 TO reader", "UPDATE on table public.llx_5"),
        ("GRANT USAGE ON SEQUENCE public.llx_5_rowid_seq TO reader", "USAGE on sequence"),
        ("GRANT CREATE ON SCHEMA public TO reader", "CREATE on schema public"),
        ("GRANT CREATE ON DATABASE {prod} TO reader", "CREATE on database erp"),
        ("ALTER FUNCTION public.user_lookup(text) OWNER TO reader", "owns objects of pg_proc"),
        ("GRANT EXECUTE ON FUNCTION public.user_lookup(text) TO reader", "runs as provisioner"),
        ("GRANT {prod_owner} TO reader", "erp_role owns database erp"),
    ],
)
def test_a_login_that_could_write_is_kept_from_it_by_a_setting_alone(
    settings: Settings, planter: Planter, plant: str, through: str
) -> None:
    planter.run([READER], "{prod}")
    try:
        planter.run([plant], "{prod}")
        found = identity_of(settings, "reader")
    finally:
        planter.run(
            ["ALTER FUNCTION public.user_lookup(text) OWNER TO {provisioner}", *UNMAKE], "{prod}"
        )
    assert found.read_only == "only by default_transaction_read_only"
    assert any(through in item for item in found.could_write_through), found


def test_two_servers_are_refused(settings: Settings, planter: Planter) -> None:
    # The same roles and the same passwords, as on a copy of the platform.
    login = Prod.of(settings).login
    password = login.password or ""
    with platform_of(wheel_binaries()) as other:
        elsewhere = replace(login, host=other.superuser.host, port=other.superuser.port)
        with psycopg.connect(other.superuser.conninfo, autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE {}").format(
                    sql.Identifier(login.user),
                    sql.Literal(password),
                    sql.Identifier(planter.names["prod_owner"]),
                )
            )
        dsn = SecretStr(elsewhere.conninfo)
        wrong = settings.model_copy(update={"prod": settings.prod.model_copy(update={"dsn": dsn})})
        with pytest.raises(RefusedError, match="on different servers"):
            closure(wrong, Run())
