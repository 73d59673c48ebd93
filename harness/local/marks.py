"""The local run's mark on what it makes on a server, so that nothing else is ever dropped.

Each role and database carries the id of the run that made it as its comment. The sandbox's comment
belongs to the lifecycle; what was made there, or was not marked yet when a run was killed, is known
by its owner, which is marked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

from harness.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.local.servers import Connection

PROD_DATABASE = "erp"
SANDBOX_DATABASE = "erp-sandbox"
OWNERS = {PROD_DATABASE: "erp_role", SANDBOX_DATABASE: "erp_sandbox_role"}
PROVISIONER = "provisioner"
POOLER = "pgbouncer"

_KEPT = " (kept)"
_PATTERN = re.compile(rf"sandbox-lifecycle local run (\w+)({re.escape(_KEPT)})?")
# Serialises local runs on one server of the user's; any number that nobody else would use.
_LOCK = 0x5AB0_0C41

_ROLES = """
SELECT 'role', role.rolname::text, coalesce(pg_catalog.shobj_description(role.oid, 'pg_authid'), '')
FROM pg_catalog.pg_roles AS role
ORDER BY role.oid DESC
"""
_DATABASES = """
SELECT 'database', database.datname::text,
       coalesce(pg_catalog.shobj_description(database.oid, 'pg_database'), ''),
       coalesce(pg_catalog.shobj_description(database.datdba, 'pg_authid'), '')
FROM pg_catalog.pg_database AS database
ORDER BY database.oid DESC
"""


@dataclass(frozen=True, slots=True)
class Marked:
    """A role or a database that is, or could be, one of ours.

    Args:
        kind: `role` or `database`.
        name: Its name.
        run: Id of the run that made it, or None where it carries no mark of ours.
        kept: It belongs to a kept run.
    """

    kind: str
    name: str
    run: str | None
    kept: bool

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def mark(connection: Connection, kind: str, name: str, run_id: str, *, kept: bool = False) -> None:
    """Put the mark on a role or a database.

    Args:
        connection: A superuser's session.
        kind: `role` or `database`.
        name: Its name.
        run_id: The run that has made it.
        kept: The run is kept, so no other run may remove what it has made.
    """
    connection.execute(
        sql.SQL("COMMENT ON {} {} IS {}").format(
            sql.SQL("DATABASE" if kind == "database" else "ROLE"),
            sql.Identifier(name),
            sql.Literal(f"sandbox-lifecycle local run {run_id}{_KEPT if kept else ''}"),
        )
    )


def keep(connection: Connection, run_id: str) -> None:
    """Let no other run remove what one run has made."""
    for kind, name in made_by(connection, run_id):
        if name != SANDBOX_DATABASE:  # its comment is the lifecycle's; its owner speaks for it
            mark(connection, kind, name, run_id, kept=True)


def hold(connection: Connection) -> None:
    """Keep other local runs off the server for as long as this session lives.

    Raises:
        RefusedError: Another run is using it.
    """
    row = connection.execute("SELECT pg_catalog.pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
    if not row or not row[0]:
        raise RefusedError(
            f"another local run is using the server at {connection.info.host}",
            found="its advisory lock is held",
            expected="one local run at a time on a server: prod and sandbox have fixed names",
            remedy="wait for that run, or leave --postgres out to start a server of one's own",
        )


def clear_for(connection: Connection) -> None:
    """Make place for a layout: remove what dead runs left, refuse whatever is not theirs.

    Args:
        connection: A superuser's session that holds the server.

    Raises:
        RefusedError: A role or database of ours exists that no local run has made, or that
            belongs to a kept run.
    """
    everything = _roles(connection) + _databases(connection)
    foreign = [item for item in everything if item.run is None and _is_of_ours(item)]
    if foreign:
        raise RefusedError(
            f"the server at {connection.info.host} has what the platform has, not made by us",
            found=", ".join(map(str, foreign)),
            expected="none of them, or only what a local run has made and marked",
            remedy="use another server: this one may be the real platform; nothing was changed",
        )
    kept = [item for item in everything if item.kept]
    if kept:
        raise RefusedError(
            f"the server at {connection.info.host} holds a kept local sandbox",
            found=", ".join(map(str, kept)),
            expected="a server without one",
            remedy="on the machine that keeps it: sandbox-lifecycle local down",
        )
    for run_id in sorted({item.run for item in everything if item.run}):
        remove(connection, run_id)


def remove(connection: Connection, run_id: str) -> None:
    """Drop the databases and roles that one run has made, and nothing else."""
    for database in _databases(connection):
        if database.run == run_id:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database.name))
            )
    names = [role.name for role in _roles(connection) if role.run == run_id]
    if names:
        roles = sql.SQL(", ").join(map(sql.Identifier, names))
        # Grants to them on what all databases share would keep them from being dropped.
        connection.execute(sql.SQL("DROP OWNED BY {}").format(roles))
        connection.execute(sql.SQL("DROP ROLE {}").format(roles))


def names(connection: Connection) -> set[tuple[str, str]]:
    """Kind and name of every role and database of the server."""
    return {(item.kind, item.name) for item in _roles(connection) + _databases(connection)}


def made_by(connection: Connection, run_id: str) -> set[tuple[str, str]]:
    """Kind and name of every role and database that carries the mark of one run."""
    everything = _roles(connection) + _databases(connection)
    return {(item.kind, item.name) for item in everything if item.run == run_id}


def _roles(connection: Connection) -> list[Marked]:
    return [_read("role", name, [comment]) for _, name, comment in connection.execute(_ROLES)]


def _databases(connection: Connection) -> list[Marked]:
    return [
        _read("database", name, [comment, owners] if name in OWNERS else [comment])
        for _, name, comment, owners in connection.execute(_DATABASES)
    ]


def _read(kind: str, name: str, comments: Sequence[str]) -> Marked:
    for found in map(_PATTERN.fullmatch, comments):
        if found:
            return Marked(kind, name, found[1], kept=found[2] is not None)
    return Marked(kind, name, None, kept=False)


def _is_of_ours(item: Marked) -> bool:
    if item.kind == "database":
        return item.name in OWNERS
    fixed = {*OWNERS.values(), PROVISIONER, POOLER}
    return item.name in fixed or item.name.startswith(("v-erp-", "v-sbx-"))
