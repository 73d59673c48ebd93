"""The identity handshake: prove who and where the very session is that is about to destroy.

The checks run inside the caller's transaction, so that they speak of what its next statement hits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

from harness.errors import FailedError, RefusedError
from harness.postgres import mark
from harness.postgres.connection import load_sql

if TYPE_CHECKING:
    from harness.postgres.connection import Connection
    from harness.postgres.mark import Mark
    from harness.sides import Prod, Sandbox

_QUERY = load_sql(__package__, "identity.sql")

# Predefined roles through which a session writes, kills or executes beyond its own database.
_REACHING_BEYOND = {
    "pg_write_all_data",
    "pg_maintain",
    "pg_execute_server_program",
    "pg_write_server_files",
    "pg_read_server_files",
    "pg_signal_backend",
    "pg_create_subscription",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """What a session says of itself; the columns of `identity.sql`."""

    pid: int
    database: str
    database_oid: int
    owner: str
    system_identifier: int
    in_recovery: bool
    comment: str | None
    current_role_name: str
    login: str
    prod_owner: str | None
    reachable: list[str]
    attributes: list[str]

    def mark(self) -> Mark | None:
        """The sandbox's mark, or None where the database has none.

        Raises:
            RefusedError: The database has a comment that is somebody else's.
        """
        return mark.told(self.comment, self.database)

    @property
    def pins(self) -> str:
        """The two settings that pin this very database."""
        return (
            f"sandbox.system_identifier = {self.system_identifier},"
            f" sandbox.database_oid = {self.database_oid}"
        )


def ask(connection: Connection, prod_database: str) -> Identity:
    """Ask a session who it is, where it is, and what it could become."""
    with connection.cursor(row_factory=class_row(Identity)) as cursor:
        found = cursor.execute(_QUERY, {"prod_database": prod_database}).fetchone()
    if found is None:
        raise FailedError("the session's own database is not in pg_database")
    return found


def prove_sandbox(connection: Connection, sandbox: Sandbox) -> Identity:
    """The handshake: refuse unless this session is on the sandbox, and can touch nothing else.

    Args:
        connection: The session that is about to destroy, inside its transaction.
        sandbox: The one database that may be destroyed.

    Raises:
        RefusedError: Anything is not as it must be; every difference is named. Or the database
            has a comment that is somebody else's.
    """
    identity = ask(connection, sandbox.prod_database)
    wrong = _wrong_place(identity, connection, sandbox) + _wrong_powers(identity, sandbox)
    # Read where pins vouch too: a comment that is not the mark would be overwritten.
    if not wrong and identity.mark() is None and not _is_pinned(sandbox):
        wrong = [f"no mark on the database, and no pins in the settings: {identity.pins}"]
    if wrong:
        raise RefusedError(
            f"this session may not write to {sandbox.login}",
            found="; ".join(wrong),
            expected=f"the sandbox's own login, acting as {sandbox.owner_role}, which owns"
            f" {sandbox.login.database} and reaches nothing else",
            remedy="correct the settings or the roles; nothing has been wiped",
        )
    return identity


def prove_prod(connection: Connection, prod: Prod, sandbox: Identity) -> Identity:
    """Refuse to read prod with a login that is more than it needs, or on another server.

    Args:
        connection: A session on prod.
        prod: The side it should be.
        sandbox: What the sandbox's session said of itself.

    Raises:
        RefusedError: Every difference is named.
    """
    identity = ask(connection, prod.login.database)
    wrong = []
    if identity.owner != prod.owner_role:
        wrong.append(f"{identity.database} belongs to {identity.owner}")
    if identity.system_identifier != sandbox.system_identifier:
        wrong.append("prod and sandbox are on different servers")
    wrong += [item for item in identity.attributes if item.endswith("SUPERUSER")]
    if prod.read_role is not None and prod.owner_role in identity.reachable:
        wrong.append(f"{identity.login} reaches {prod.owner_role}, which owns prod")
    if wrong:
        raise RefusedError(
            f"{prod.login} is not a safe way to read prod",
            found="; ".join(wrong),
            expected=f"a plain login that acts as {prod.acts_as}, on the database of"
            f" {prod.owner_role} and the sandbox's server; never the superuser of the platform",
            remedy="correct [prod] in the settings; nothing has been changed",
        )
    return identity


def _is_pinned(sandbox: Sandbox) -> bool:
    return None not in (sandbox.system_identifier, sandbox.database_oid)


def _wrong_place(identity: Identity, connection: Connection, sandbox: Sandbox) -> list[str]:
    pins = (sandbox.system_identifier, sandbox.database_oid)
    checks = [
        (identity.pid == connection.info.backend_pid, f"the backend changed to {identity.pid}"),
        (not identity.in_recovery, "the server is a standby"),
        (identity.database == sandbox.login.database, f"the database is {identity.database}"),
        (identity.database != sandbox.prod_database, "the database is prod"),
        (identity.owner == sandbox.owner_role, f"the database belongs to {identity.owner}"),
        (
            identity.current_role_name == sandbox.owner_role,
            f"acting as {identity.current_role_name}",
        ),
        (
            identity.prod_owner is not None,
            f"no database {sandbox.prod_database} on this server, so the roles cannot be compared",
        ),
        (
            pins[0] in (None, identity.system_identifier),
            f"the server's identifier is {identity.system_identifier}, pinned is {pins[0]}",
        ),
        (
            pins[1] in (None, identity.database_oid),
            f"the database's OID is {identity.database_oid}, pinned is {pins[1]}",
        ),
    ]
    return [complaint for holds, complaint in checks if not holds]


def _wrong_powers(identity: Identity, sandbox: Sandbox) -> list[str]:
    reachable = set(identity.reachable)
    owners_of_prod = {sandbox.prod_owner_role, identity.prod_owner} & reachable
    beyond = _REACHING_BEYOND & reachable
    return [
        *(
            f"{identity.login} reaches {role}, which owns prod"
            for role in sorted(filter(None, owners_of_prod))
        ),
        *(
            f"{identity.login} reaches {role}, which acts beyond one database"
            for role in sorted(beyond)
        ),
        *identity.attributes,
    ]
