"""Whose the shadow is: the sandbox's owner role's, or better, a role's of its own.

The rehearsing application has the rights of the sandbox's owner. Where the provisioner has made a
role for the shadow, of which the harness's login is a member and the application's is not, the
application can read the shadow and cannot write it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from harness.golden.anatomy import SHADOW
from harness.golden.doubt import DoubtError
from harness.postgres.connection import one

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.postgres.connection import Connection
    from harness.sides import Sandbox

# The harness's login inherits from both roles, and so may do what either may.
AS_LOGIN = sql.SQL("SET LOCAL ROLE NONE")

_COULD_BECOME = "SELECT pg_catalog.pg_has_role(%s, %s, 'MEMBER')"
_TAKE_SCHEMA = sql.SQL(
    "ALTER SCHEMA {shadow} OWNER TO {keeper};"
    " SET LOCAL ROLE {keeper};"
    " GRANT USAGE ON SCHEMA {shadow} TO {owner};"
    " SET LOCAL ROLE NONE"
)
_TAKE_TABLE = sql.SQL("ALTER TABLE {table} OWNER TO {keeper}")
_LET_READ = sql.SQL(
    "SET LOCAL ROLE {keeper}; GRANT SELECT ON ALL TABLES IN SCHEMA {shadow} TO {owner}"
)


def entrust(connection: Connection, sandbox: Sandbox, tables: Sequence[sql.Identifier]) -> None:
    """Give the shadow to the role that the settings name for it; nothing where they name none.

    Args:
        connection: The session that has made it, in a transaction.
        sandbox: Whose shadow.
        tables: Tables of the shadow.

    Raises:
        DoubtError: The application's login could become that role.
    """
    keeper = sandbox.shadow_owner_role
    if keeper is None:
        return
    if one(connection, _COULD_BECOME, sandbox.application.user, keeper)[0]:
        raise DoubtError(f"{sandbox.application.user} can become {keeper}, and write the shadow")
    names = {
        "shadow": sql.Identifier(SHADOW),
        "keeper": sql.Identifier(keeper),
        "owner": sql.Identifier(sandbox.owner_role),
    }
    connection.execute(AS_LOGIN)
    connection.execute(_TAKE_SCHEMA.format(**names))
    for table in tables:
        connection.execute(_TAKE_TABLE.format(table=table, **names))
    connection.execute(_LET_READ.format(**names))


def lock_shadow(connection: Connection, sandbox: Sandbox, tables: Sequence[sql.SQL]) -> None:
    """Keep these tables of the shadow as they are until the transaction ends."""
    if not tables:
        return
    lock = sql.SQL("{login}; LOCK TABLE ONLY {tables} IN SHARE MODE; SET LOCAL ROLE {owner}")
    connection.execute(
        lock.format(
            login=AS_LOGIN,
            tables=sql.SQL(", ONLY ").join(tables),
            owner=sql.Identifier(sandbox.owner_role),
        )
    )
