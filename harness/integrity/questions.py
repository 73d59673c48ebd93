"""Questions about the sandbox's identities, answered by catalogues that any login may read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from psycopg.rows import class_row

from harness.errors import FailedError
from harness.postgres.connection import Run, connect, load_sql, one, read_only_transaction

if TYPE_CHECKING:
    from harness.settings import Settings
    from harness.sides import Prod, Sandbox

_QUERY = load_sql(__package__, "questions.sql")
_DATABASES = "SELECT oid::bigint, datname::text FROM pg_catalog.pg_database ORDER BY oid"


@dataclass(frozen=True, slots=True)
class Powers:
    """What one login of the sandbox could do; the columns of `questions.sql`.

    Args:
        login: The login.
        owned_databases: Databases that it could drop or rename.
        open_databases: Databases that it may connect to.
        may_create_databases: Whether it could make another one.
        owner_of_prod: Who alone may drop prod, apart from superusers.
        can_act_as: Every role that it is, or could become.
        superusers: Those among them that are superusers; None where there are none.
    """

    login: str
    owned_databases: list[str] | None
    open_databases: list[str] | None
    may_create_databases: bool
    owner_of_prod: str | None
    can_act_as: list[str]
    superusers: list[str] | None


def powers(sandbox: Sandbox, settings: Settings) -> list[Powers]:
    """The powers of each of the sandbox's logins: the harness's own and the application's."""
    logins = dict.fromkeys((sandbox.login, sandbox.application))
    return [_powers(replace(sandbox, login=login), settings) for login in logins]


def databases(sandbox: Sandbox, settings: Settings) -> list[tuple[int, str]]:
    """OID and name of every database of the server: one made anew has another OID."""
    with connect(sandbox, Run(), "audit", settings.deadlines, read_only=True) as session:
        return session.execute(_DATABASES).fetchall()


def starts_read_only(prod: Prod, settings: Settings) -> bool:
    """Whether a session of the harness on prod starts its transactions read-only."""
    with connect(prod, Run(), "audit", settings.deadlines) as session:
        answer: str = one(session, "SHOW transaction_read_only")[0]
        return answer == "on"


def _powers(as_login: Sandbox, settings: Settings) -> Powers:
    with (
        connect(as_login, Run(), "audit", settings.deadlines, read_only=True) as session,
        read_only_transaction(session),
        session.cursor(row_factory=class_row(Powers)) as cursor,
    ):
        found = cursor.execute(_QUERY, {"prod": as_login.prod_database}).fetchone()
    if found is None:
        raise FailedError("a query that always has one row returned none")
    return found
