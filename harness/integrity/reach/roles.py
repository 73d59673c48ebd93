"""Rights that come with a role itself: its attributes, and what predefined roles can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.integrity.reach import statements
from harness.integrity.reach.known import PREDEFINED_ROLES
from harness.integrity.reach.rights import Right

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.integrity.catalogue.server import Server

_ATTRIBUTES = {
    "SUPERUSER": "could do anything: a superuser passes every check",
    "CREATEROLE": "could make roles, give others a password, and up to PostgreSQL 15 join any role"
    " that is no superuser",
    "CREATEDB": "could make databases, rename its own, and copy",
    "REPLICATION": "could copy the whole server, and fill its disk through replication slots",
    "BYPASSRLS": "could pass over every row policy",
}


def of_roles(server: Server) -> Iterator[Right]:
    """The rights of every role of the server; the caller asks who could become which."""
    templates = [row.name for row in server.databases.values() if row.is_template]
    for role in server.roles.values():
        for attribute in role.attributes:
            yield Right(
                role=role.oid,
                group=3,
                key=attribute,
                what=_ATTRIBUTES[attribute]
                + (f" {', '.join(sorted(templates))}" if attribute == "CREATEDB" else ""),
                closes=f"ALTER ROLE {statements.identifier(role.name)} NO{attribute};",
            )
        # Who owns a database is told of the database.
        if role.name in PREDEFINED_ROLES and role.name != "pg_database_owner":
            yield Right(
                role=role.oid,
                group=4,
                key=role.name,
                what=PREDEFINED_ROLES[role.name][1],
                closes="",  # a predefined role keeps its rights; whoever is a member has to go
                steps=(),
            )
