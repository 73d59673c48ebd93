"""Roles and databases as on the real platform, on a server where nothing else is touched."""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import errors, sql

from harness.deadlines import Deadlines
from harness.errors import RefusedError
from harness.local import layout, marks
from harness.local.runs import LocalRun, local_run
from harness.local.servers import LocalServer, binaries_server, users_server
from harness.progress import Silent

from .conftest import THROWAWAY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.postgres.binaries import Binaries
    from harness.sides import Login

ATTRIBUTES = """
SELECT rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls
FROM pg_roles WHERE rolname = %s
"""
EVERYTHING = """
SELECT 'role ' || rolname FROM pg_roles
UNION ALL SELECT 'database ' || datname FROM pg_database
UNION ALL SELECT 'comment ' || description FROM pg_shdescription
ORDER BY 1
"""


def session(login: Login, database: str | None = None) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(
        replace(login, database=database or login.database).conninfo, autocommit=True
    )


def everything(server: LocalServer) -> list[Any]:
    with server.connect() as connection:
        return connection.execute(EVERYTHING).fetchall()


@pytest.fixture
def users(server: LocalServer) -> Iterator[LocalServer]:
    """The same server as one of the user's would be met; at the end it is as it was."""
    before = everything(server)
    yield users_server(server.superuser.conninfo, Deadlines())
    assert everything(server) == before


@contextmanager
def present(server: LocalServer, make: str, drop: str) -> Iterator[None]:
    """Something on the server that is not ours."""
    with server.connect() as connection:
        connection.execute(make)  # type: ignore[call-overload]
        try:
            yield
        finally:
            connection.execute(drop)  # type: ignore[call-overload]


@pytest.mark.usefixtures("laid_out")
@pytest.mark.parametrize("role", ["erp_role", "erp_sandbox_role"])
def test_owner_roles_can_neither_log_in_nor_create(server: LocalServer, role: str) -> None:
    with server.connect() as connection:
        assert connection.execute(ATTRIBUTES, (role,)).fetchone() == (False,) * 6


def test_leases_act_as_the_owner_and_can_do_nothing_else(
    server: LocalServer, laid_out: layout.Layout
) -> None:
    for login, owner in (
        (laid_out.prod, "erp_role"),
        (laid_out.prod_application, "erp_role"),
        (laid_out.sandbox, "erp_sandbox_role"),
        (laid_out.sandbox_application, "erp_sandbox_role"),
    ):
        with session(login) as connection:
            who = connection.execute("SELECT session_user, current_user").fetchone()
            assert who == (login.user, owner)
            connection.execute("CREATE TABLE proof (id serial PRIMARY KEY)")
            made = "SELECT tableowner FROM pg_tables WHERE tablename = 'proof'"
            assert connection.execute(made).fetchone() == (owner,)
            connection.execute("DROP TABLE proof")
        with server.connect() as connection:
            assert connection.execute(ATTRIBUTES, (login.user,)).fetchone() == (
                True,
                *(False,) * 5,
            )
    users = {laid_out.prod.user, laid_out.prod_application.user}
    assert len(users | {laid_out.sandbox.user, laid_out.sandbox_application.user}) == 4


def test_neither_side_may_connect_to_the_other(laid_out: layout.Layout) -> None:
    for login, other in ((laid_out.sandbox, "erp"), (laid_out.prod, "erp-sandbox")):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            session(login, other)


def test_databases_sort_and_fold_case_in_the_same_way_everywhere(laid_out: layout.Layout) -> None:
    with session(laid_out.prod) as prod, session(laid_out.sandbox) as sandbox:
        for connection in (prod, sandbox):
            asked = connection.execute(
                "SELECT upper('é'), 'a' < 'B', current_setting('server_encoding')"
            )
            assert asked.fetchone() == ("É", False, "UTF8")


@pytest.mark.parametrize("database", ["erp", "erp-sandbox"])
def test_only_the_pooler_may_look_up_a_password_hash(
    server: LocalServer, laid_out: layout.Layout, database: str
) -> None:
    owner = laid_out.prod if database == "erp" else laid_out.sandbox
    with session(owner) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute("SELECT * FROM public.user_lookup('provisioner')")
    with server.connect(database) as connection:
        connection.execute("SET ROLE pgbouncer")
        found = connection.execute("SELECT * FROM public.user_lookup(%s)", (owner.user,))
        name, hashed = found.fetchone() or ("", "")
        assert name == owner.user
        assert hashed.startswith("SCRAM-SHA-256$")
        assert owner.password
        assert owner.password not in hashed
        about = connection.execute(
            "SELECT pg_get_userbyid(proowner), prosecdef FROM pg_proc WHERE proname = 'user_lookup'"
        )
        assert about.fetchone() == ("provisioner", True)


def test_no_password_reaches_the_log_of_the_server(run: LocalRun, laid_out: layout.Layout) -> None:
    log = (run.path / "server" / "server.log").read_text(encoding="utf-8")
    assert "CREATE ROLE" in log
    for login in (laid_out.prod, laid_out.sandbox, laid_out.provisioner):
        assert login.password
        assert login.password not in log
        assert login.password not in repr(laid_out)


def test_everything_made_carries_the_id_of_the_run(
    server: LocalServer, run: LocalRun, laid_out: layout.Layout
) -> None:
    with server.connect() as connection:
        made = marks.made_by(connection, run.id)
        assert {name for kind, name in made if kind == "database"} == {"erp", "erp-sandbox"}
        assert {"erp_role", "pgbouncer", laid_out.sandbox.user} < {name for _, name in made}
        comment = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
            " WHERE datname = 'erp-sandbox'"
        ).fetchone()
        assert comment is not None
        assert json.loads(comment[0]) == {
            "sandbox-lifecycle": {"content": "empty", "laid_out_by": run.id}
        }


def test_every_supported_version_can_be_laid_out(binaries: Binaries) -> None:
    with (
        local_run() as run,
        binaries_server(binaries, run, Deadlines(), Silent(), settings=THROWAWAY) as server,
    ):
        logins = layout.lay_out(server, run)
        with session(logins.sandbox) as connection:
            connection.execute("CREATE TABLE public.proof (id int)")
        with session(logins.prod) as connection:
            owner = "SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'public'"
            assert connection.execute(owner).fetchone() == ("pg_database_owner",)


@pytest.mark.parametrize(
    ("make", "drop", "named"),
    [
        ("CREATE ROLE erp_role", "DROP ROLE erp_role", "role erp_role"),
        ("CREATE ROLE provisioner", "DROP ROLE provisioner", "role provisioner"),
        ('CREATE ROLE "v-erp-x1"', 'DROP ROLE "v-erp-x1"', "role v-erp-x1"),
        ("CREATE DATABASE erp", "DROP DATABASE erp", "database erp"),
        ('CREATE DATABASE "erp-sandbox"', 'DROP DATABASE "erp-sandbox"', "database erp-sandbox"),
    ],
)
def test_a_server_that_has_what_the_platform_has_is_refused(
    users: LocalServer, run: LocalRun, make: str, drop: str, named: str
) -> None:
    with present(users, make, drop):
        before = everything(users)
        with pytest.raises(RefusedError, match=named), layout.place(users, run):
            pytest.fail("the place was given")
        assert everything(users) == before


def test_what_was_there_before_is_there_afterwards(users: LocalServer, run: LocalRun) -> None:
    with (
        present(users, "CREATE DATABASE shop", "DROP DATABASE shop"),
        present(users, "CREATE ROLE clerk", "DROP ROLE clerk"),
    ):
        before = everything(users)
        with layout.place(users, run):
            layout.lay_out(users, run)
            assert everything(users) != before
        assert everything(users) == before


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_layout_is_removed_after_an_error_too(
    users: LocalServer, run: LocalRun, error: type[BaseException]
) -> None:
    def fail() -> None:
        with layout.place(users, run):
            logins = layout.lay_out(users, run)
            undo.enter_context(session(logins.sandbox))  # an open session must not keep it
            raise error

    with ExitStack() as undo, pytest.raises(error):
        fail()


def test_what_a_dead_run_left_is_removed_first(users: LocalServer, run: LocalRun) -> None:
    dead = LocalRun("0dead0", run.path)
    layout.lay_out(users, dead)
    with users.connect() as connection:
        # As a run leaves it that was killed between two statements.
        connection.execute("COMMENT ON DATABASE erp IS NULL")
    with layout.place(users, run):
        with users.connect() as connection:
            assert marks.made_by(connection, dead.id) == set()
        layout.lay_out(users, run)


def test_a_kept_layout_is_left_alone(users: LocalServer, run: LocalRun) -> None:
    kept = LocalRun("0kept0", run.path)
    layout.lay_out(users, kept)
    with users.connect() as connection:
        marks.keep(connection, kept.id)
        try:
            with pytest.raises(RefusedError, match="local down"), layout.place(users, run):
                pytest.fail("the place was given")
        finally:
            marks.remove(connection, kept.id)


def test_two_runs_do_not_share_a_server(users: LocalServer, run: LocalRun) -> None:
    with (
        layout.place(users, run),
        pytest.raises(RefusedError, match="another local run"),
        layout.place(users, LocalRun("0other0", run.path)),
    ):
        pytest.fail("the place was given twice")


def test_a_grant_on_what_is_not_ours_does_not_keep_a_role(
    users: LocalServer, run: LocalRun
) -> None:
    with layout.place(users, run):
        layout.lay_out(users, run)
        with users.connect() as connection:
            grant = sql.SQL("GRANT CONNECT ON DATABASE postgres TO {}")
            connection.execute(grant.format(sql.Identifier("erp_role")))
