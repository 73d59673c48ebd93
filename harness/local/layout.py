"""Roles and databases as on the real platform: owners, leased logins, provisioner, pooler."""

from __future__ import annotations

import json
import secrets
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from psycopg import sql

from harness.golden import visibility
from harness.local import marks
from harness.local.marks import OWNERS, POOLER, PROD_DATABASE, PROVISIONER, SANDBOX_DATABASE
from harness.local.undo import Undo
from harness.postgres.connection import APPLICATION, load_sql

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import LiteralString

    from harness.local.runs import LocalRun
    from harness.local.servers import Connection, LocalServer
    from harness.sides import Login

_USER_LOOKUP = load_sql(__package__, "user_lookup.sql")
_AVAILABLE = "SELECT 1 FROM pg_catalog.pg_available_extensions WHERE name = %s"
_BUILTIN_LOCALES = 17
_LOCALE_PROVIDERS = 15
_OWNER: LiteralString = "NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
_LOGIN: LiteralString = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"


@dataclass(frozen=True, slots=True)
class Layout:
    """The logins of a platform that has just been laid out.

    Args:
        prod: The harness's lease on prod.
        prod_application: The application's lease on prod.
        sandbox: The harness's lease on the sandbox.
        sandbox_application: The application's lease on the sandbox.
        provisioner: The superuser that leases logins and owns `user_lookup`; on prod's database.
    """

    prod: Login
    prod_application: Login
    sandbox: Login
    sandbox_application: Login
    provisioner: Login


@contextmanager
def place(server: LocalServer, run: LocalRun) -> Iterator[None]:
    """Hold a place for a layout: on a server of the user's, cleared before and after.

    Raises:
        RefusedError: The place is taken by what no local run has made, or by another run.
    """
    if server.is_ours:
        yield
        return
    with Undo() as undo, server.connect() as connection:
        marks.hold(connection)
        marks.clear_for(connection)
        undo.callback(_remove_unless_kept, server, run)
        yield


def lay_out(server: LocalServer, run: LocalRun) -> Layout:
    """Make the roles and the two databases, and mark each as made by this run.

    Args:
        server: The server, whose `place` is held.
        run: The run that they are for.
    """
    lease = secrets.token_hex(4)
    logins = {
        name: _login(server, name, database)
        for name, database in (
            (f"v-erp-{lease}-app", PROD_DATABASE),
            (f"v-erp-{lease}-harness", PROD_DATABASE),
            (f"v-sbx-{lease}-app", SANDBOX_DATABASE),
            (f"v-sbx-{lease}-harness", SANDBOX_DATABASE),
        )
    }
    provisioner = _login(server, PROVISIONER, PROD_DATABASE)
    with server.connect() as connection:
        # Prod's globals have made some of them already; whatever else is there stays untouched.
        made = marks.made_by(connection, run.id)
        with connection.transaction():
            for owner in OWNERS.values():
                _make_role(connection, owner, _OWNER, made)
            pooler = _login(server, POOLER, PROD_DATABASE)
            _make_role(connection, POOLER, _LOGIN, made, pooler)
            _make_role(connection, PROVISIONER, "LOGIN SUPERUSER", made, provisioner)
            for login in logins.values():
                _make_role(connection, login.user, _LOGIN, made, login)
                _lease(connection, login.user, OWNERS[login.database])
            for role in (*OWNERS.values(), POOLER, PROVISIONER, *logins):
                marks.mark(connection, "role", role, run.id)
        for database, owner in OWNERS.items():
            if ("database", database) in made:
                _drop_database(connection, database)
            _make_database(connection, database, owner, server.major)
        marks.mark(connection, "database", PROD_DATABASE, run.id)
        _mark_sandbox(connection, run)
    for database in OWNERS:
        with server.connect(database) as connection, connection.transaction():
            _close_public_schema(connection)
            connection.execute(_USER_LOOKUP)
    with server.connect(SANDBOX_DATABASE) as connection:
        _let_pages_be_seen(connection)
    prod_application, prod, sandbox_application, sandbox = logins.values()
    return Layout(prod, prod_application, sandbox, sandbox_application, provisioner)


def _login(server: LocalServer, user: str, database: str) -> Login:
    password = secrets.token_urlsafe(24)
    return replace(server.superuser, user=user, database=database, password=password)


def _make_role(
    connection: Connection,
    name: str,
    attributes: LiteralString,
    made: set[tuple[str, str]],
    login: Login | None = None,
) -> None:
    statement = sql.SQL("{} ROLE {} {} PASSWORD {}").format(
        sql.SQL("ALTER" if ("role", name) in made else "CREATE"),
        sql.Identifier(name),
        sql.SQL(attributes),
        _verifier(connection, login),
    )
    connection.execute(statement)


def _verifier(connection: Connection, login: Login | None) -> sql.Literal:
    """What proves the password: the password itself reaches neither the wire nor a server's log."""
    if login is None or login.password is None:
        return sql.Literal(None)
    verifier = connection.pgconn.encrypt_password(
        login.password.encode(), login.user.encode(), b"scram-sha-256"
    )
    return sql.Literal(verifier.decode())


def _lease(connection: Connection, login: str, owner: str) -> None:
    names = {"login": sql.Identifier(login), "owner": sql.Identifier(owner)}
    connection.execute(sql.SQL("GRANT {owner} TO {login}").format(**names))
    # What a lease makes belongs to the owner role, and outlives the lease.
    connection.execute(sql.SQL("ALTER ROLE {login} SET role TO {owner}").format(**names))


def _make_database(connection: Connection, name: str, owner: str, major: int) -> None:
    names = {
        "name": sql.Identifier(name),
        "owner": sql.Identifier(owner),
        "pooler": sql.Identifier(POOLER),
        "locale": sql.SQL(
            # The same order and case everywhere, without asking the system for a locale.
            "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'"
            if major >= _BUILTIN_LOCALES
            else "LOCALE_PROVIDER libc LOCALE 'C.UTF-8'"
            if major >= _LOCALE_PROVIDERS
            else "LOCALE 'C.UTF-8'"
        ),
    }
    for statement in (
        "CREATE DATABASE {name} OWNER {owner} TEMPLATE template0 ENCODING 'UTF8' {locale}",
        # By default every login of the server may connect to every database.
        "REVOKE CONNECT, TEMPORARY ON DATABASE {name} FROM PUBLIC",
        "GRANT CONNECT ON DATABASE {name} TO {pooler}",
    ):
        connection.execute(sql.SQL(statement).format(**names))


def _drop_database(connection: Connection, name: str) -> None:
    """Drop what prod's globals have made: empty, and perhaps of another owner or order."""
    connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _mark_sandbox(connection: Connection, run: LocalRun) -> None:
    content = {APPLICATION: {"content": "empty", "laid_out_by": run.id}}
    connection.execute(
        sql.SQL("COMMENT ON DATABASE {} IS {}").format(
            sql.Identifier(SANDBOX_DATABASE), sql.Literal(json.dumps(content))
        )
    )


def _let_pages_be_seen(connection: Connection) -> None:
    """Where the server's packages have the extension: some leave contrib out."""
    if connection.execute(_AVAILABLE, (visibility.EXTENSION,)).fetchone() is not None:
        connection.execute(visibility.grant(OWNERS[SANDBOX_DATABASE]))


def _close_public_schema(connection: Connection) -> None:
    """As it is from 15 on, on 14 too: the database's owner creates there, and nobody else."""
    connection.execute("ALTER SCHEMA public OWNER TO pg_database_owner")
    connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")


def _remove_unless_kept(server: LocalServer, run: LocalRun) -> None:
    if not run.is_kept:
        with server.connect() as connection:
            marks.remove(connection, run.id)
