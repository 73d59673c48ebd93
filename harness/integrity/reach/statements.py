"""Statements that close a path, ready to be run by a superuser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterable

_EVERYTHING = {
    "TABLE": "ALL TABLES",
    "SEQUENCE": "ALL SEQUENCES",
    "ROUTINE": "ALL ROUTINES",
}


def identifier(name: str) -> str:
    """A name as it stands in a statement."""
    return sql.Identifier(name).as_string()


def grantee(name: str) -> str:
    """A role as it stands in a statement; PUBLIC is nobody's name."""
    return name if name == "PUBLIC" else identifier(name)


def here(statement: str, database: str) -> str:
    """A statement, with the database that it has to be run in."""
    return f"{statement} -- in database {database}"


def revoke(privileges: Iterable[str], kind: str, names: Iterable[str], role: str) -> str:
    """REVOKE some privileges on objects, whose names are ready to stand in a statement."""
    return f"REVOKE {', '.join(privileges)} ON {kind} {', '.join(names)} FROM {grantee(role)};"


def revoke_throughout(privileges: Iterable[str], kind: str, schema: str, role: str) -> str | None:
    """REVOKE them on every object of a kind in a schema; None where there is no such statement."""
    if kind not in _EVERYTHING:
        return None
    where = f"{_EVERYTHING[kind]} IN SCHEMA"
    return revoke(privileges, where, [identifier(schema)], role)


def leave(role: str, member: str, grantors: Iterable[str], *, passed_on: bool) -> str:
    """REVOKE a membership: the one that a superuser granted (an empty name), and others' grants.

    Args:
        role: The role.
        member: Its member.
        grantors: Who granted it.
        passed_on: The member could grant it to others, which goes as well.
    """
    end = " CASCADE;" if passed_on else ";"
    base = f"REVOKE {identifier(role)} FROM {identifier(member)}"
    return " ".join(
        base + (f" GRANTED BY {identifier(name)}" if name else "") + end for name in grantors
    )
