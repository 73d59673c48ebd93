"""What all databases of a server share: roles, memberships, databases, grants on them, settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import ConfigurationError
from harness.integrity.catalogue.rows import rows
from harness.postgres.connection import load_sql, one

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.postgres.connection import Connection

OLDEST_MAJOR = 14
PUBLIC = 0
"""The OID that grants to PUBLIC bear."""

_PARAMETERS_SINCE = 15
_ROLES = load_sql(__package__, "roles.sql")
_MEMBERSHIPS = load_sql(__package__, "memberships.sql")
_DATABASES = load_sql(__package__, "databases.sql")
_SHARED_GRANTS = load_sql(__package__, "shared_grants.sql")
_PARAMETER_GRANTS = load_sql(__package__, "parameter_grants.sql")
_SETTINGS = load_sql(__package__, "settings.sql")
_HOLDINGS = load_sql(__package__, "holdings.sql")


@dataclass(frozen=True, slots=True)
class Role:
    """The columns of `roles.sql`."""

    oid: int
    name: str
    may_log_in: bool
    connection_limit: int
    attributes: list[str]

    @property
    def is_predefined(self) -> bool:
        """Whether PostgreSQL brings it along; nobody else may give a role such a name."""
        return self.name.startswith("pg_")


@dataclass(frozen=True, slots=True)
class Membership:
    """The columns of `memberships.sql`."""

    member: int
    role: int
    inherits: bool
    sets: bool
    administers: bool
    grantors: list[int]


@dataclass(frozen=True, slots=True)
class Database:
    """The columns of `databases.sql`."""

    oid: int
    name: str
    owner: int
    accepts_sessions: bool
    is_template: bool
    connection_limit: int


@dataclass(frozen=True, slots=True)
class SharedGrant:
    """The columns of `shared_grants.sql` and `parameter_grants.sql`."""

    kind: str
    name: str
    grantee: int
    privileges: list[str]
    is_grantable: bool


@dataclass(frozen=True, slots=True)
class Setting:
    """The columns of `settings.sql`; None as database or role is every one."""

    database: str | None
    role: str | None
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Holding:
    """The columns of `holdings.sql`; None as database is what all share."""

    role: int
    database: str | None
    how: str
    class_name: str
    number: int


@dataclass(frozen=True, slots=True)
class Server:
    """What is known of a server.

    Args:
        version: Its version, as it tells it.
        major: Its major version, 18.
        roles: Its roles by OID.
        memberships: Who is a member of what.
        databases: Its databases by name.
        grants: Grants on databases, tablespaces and parameters.
        settings: Settings of databases and roles.
        shares_large_objects: Whether `lo_compat_privileges` is on.
    """

    version: str
    major: int
    roles: dict[int, Role]
    memberships: list[Membership]
    databases: dict[str, Database]
    grants: list[SharedGrant]
    settings: list[Setting]
    shares_large_objects: bool

    def name(self, role: int) -> str:
        """What a role is called."""
        if role == PUBLIC:
            return "PUBLIC"
        return self.roles[role].name if role in self.roles else f"role {role}, dropped meanwhile"

    def oid(self, name: str) -> int | None:
        """The OID of a role, or None where there is no such role."""
        return next((role.oid for role in self.roles.values() if role.name == name), None)

    @property
    def logins(self) -> set[int]:
        """The OIDs of all roles that may log in."""
        return {role.oid for role in self.roles.values() if role.may_log_in}

    def is_superuser(self, role: int) -> bool:
        """Whether a role is a superuser."""
        return role in self.roles and "SUPERUSER" in self.roles[role].attributes


def ask_server(connection: Connection) -> Server:
    """Ask a session of any login, inside its transaction.

    Raises:
        ConfigurationError: The server is older than what the audit knows.
    """
    version = str(one(connection, "SHOW server_version")[0]).split()[0]
    major = connection.info.server_version // 10000
    refuse_too_old(major, version)
    grants = rows(connection, SharedGrant, _SHARED_GRANTS)
    if major >= _PARAMETERS_SINCE:
        grants += rows(connection, SharedGrant, _PARAMETER_GRANTS)
    return Server(
        version=version,
        major=major,
        roles={role.oid: role for role in rows(connection, Role, _ROLES)},
        memberships=rows(connection, Membership, _MEMBERSHIPS),
        databases={row.name: row for row in rows(connection, Database, _DATABASES)},
        grants=grants,
        settings=rows(connection, Setting, _SETTINGS),
        shares_large_objects=one(connection, "SHOW lo_compat_privileges")[0] == "on",
    )


def refuse_too_old(major: int, version: str) -> None:
    """Refuse a server whose catalogues the audit does not know.

    Raises:
        ConfigurationError: It is older than PostgreSQL 14.
    """
    if major < OLDEST_MAJOR:
        raise ConfigurationError(
            "the audit does not know this server",
            found=f"PostgreSQL {version}",
            expected=f"PostgreSQL {OLDEST_MAJOR} or later",
            remedy="upgrade the server; nothing has been changed",
        )


def ask_holdings(connection: Connection, roles: Iterable[int]) -> list[Holding]:
    """What these roles own or are named in, on the whole server."""
    return rows(connection, Holding, _HOLDINGS, {"roles": sorted(roles)})
