"""What one database holds of interest to an audit: grants, code, and ways out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.integrity.catalogue.rows import rows
from harness.integrity.reach.known import CLASSES
from harness.postgres.connection import load_sql, one

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.postgres.connection import Connection

_GRANTS = load_sql(__package__, "grants.sql")
_MENTIONS = load_sql(__package__, "mentions.sql")
_DEFAULTS = load_sql(__package__, "defaults.sql")
_FUNCTIONS = load_sql(__package__, "functions.sql")
_SCHEMAS = load_sql(__package__, "schemas.sql")
_VIEWS = load_sql(__package__, "views.sql")
_SURROUNDINGS = load_sql(__package__, "surroundings.sql")
_KINDS = load_sql(__package__, "kinds.sql")


@dataclass(frozen=True, slots=True)
class Grant:
    """The columns of `grants.sql`."""

    kind: str
    schema: str
    name: str
    column: str
    grantee: int
    privileges: list[str]
    is_grantable: bool
    is_system: bool
    extension: str


@dataclass(frozen=True, slots=True)
class Mention:
    """The columns of `mentions.sql`."""

    role: int
    is_shared: bool
    how: str
    class_name: str
    kind: str
    schema: str
    name: str
    home: str


@dataclass(frozen=True, slots=True)
class Default:
    """The columns of `defaults.sql`."""

    object_type: str
    creator: str
    schema: str
    grantee: int
    privileges: list[str]


@dataclass(frozen=True, slots=True)
class Function:
    """The columns of `functions.sql`."""

    name: str
    owner: int
    runs_as_owner: bool
    language: str
    is_trusted: bool
    search_path: str | None
    callers: list[int]
    extension: str | None


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of `schemas.sql`."""

    name: str
    owner: int
    creators: list[int]


@dataclass(frozen=True, slots=True)
class View:
    """The columns of `views.sql`."""

    kind: str
    name: str
    owner: int
    readers: list[int]
    extension: str | None


@dataclass(frozen=True, slots=True)
class Surrounding:
    """The columns of `surroundings.sql`."""

    kind: str
    name: str
    role: int
    detail: str


@dataclass(frozen=True, slots=True)
class Kind:
    """The columns of `kinds.sql`."""

    what: str
    name: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What is known of one database.

    Args:
        database: Its name.
        grants: Grants beyond the usual to the roles that were asked for.
        mentions: What those roles own or are named in, here and among what all databases share.
        defaults: What objects yet to come will grant to those roles.
        functions: Functions that do more than their caller may.
        schemas: Its schemas, and who may create objects there.
        views: Views that are read with the rights of their owner, and foreign tables.
        surroundings: Extensions, languages, event triggers, ways out and ways in.
        kinds: Every kind of thing in it.
    """

    database: str
    grants: list[Grant]
    mentions: list[Mention]
    defaults: list[Default]
    functions: list[Function]
    schemas: list[Schema]
    views: list[View]
    surroundings: list[Surrounding]
    kinds: list[Kind]


def nothing(database: str) -> Contents:
    """A database that could not be looked into."""
    return Contents(database, [], [], [], [], [], [], [], [])


def ask_contents(
    connection: Connection, roles: Iterable[int], mentioned: Iterable[int]
) -> Contents:
    """Ask a session of any login, inside its transaction, for its own database.

    Args:
        connection: The session.
        roles: The roles whose grants are asked for, as OIDs; `PUBLIC` is one.
        mentioned: The roles of which is asked what they own or are named in.
    """
    values = {"roles": sorted(roles)}
    return Contents(
        database=one(connection, "SELECT pg_catalog.current_database()")[0],
        grants=rows(connection, Grant, _GRANTS, values),
        mentions=rows(
            connection, Mention, _MENTIONS, {"roles": sorted(mentioned), "classes": sorted(CLASSES)}
        ),
        defaults=rows(connection, Default, _DEFAULTS, values),
        functions=rows(connection, Function, _FUNCTIONS),
        schemas=rows(connection, Schema, _SCHEMAS),
        views=rows(connection, View, _VIEWS),
        surroundings=rows(connection, Surrounding, _SURROUNDINGS),
        kinds=rows(connection, Kind, _KINDS),
    )
