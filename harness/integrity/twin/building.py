"""Build the target's roles and schemas anew on a server of our own, less what runs by itself.

The restore is a superuser's, since owners and grants are the point. So whatever could compute
something while it is made stays away: the sandbox's schema may have been written by whoever the
attempts are to be kept out for.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
from psycopg import Error, sql
from psycopg.errors import DuplicateDatabase

from harness.integrity.finding import Unproven
from harness.integrity.twin import likeness
from harness.integrity.twin.blueprint import ending
from harness.integrity.twin.script import statements
from harness.postgres.connection import options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from harness.integrity.twin.blueprint import Blueprint, Dumps, Side
    from harness.integrity.twin.likeness import Likeness
    from harness.postgres.connection import Connection
    from harness.postgres.tools import ClientTools
    from harness.sides import Login

_ENTRY = re.compile(r"^\d+; \d+ \d+ (?P<kind>[A-Z]+(?: [A-Z]+)*) (?P<named>\S+ .*)$")
# What is made without computing anything, and decides who may do what. Indexes, foreign keys,
# late checks and statistics compute; user mappings hold passwords; subscriptions and event
# triggers act.
_RESTORED = {
    "ACL", "AGGREGATE", "CAST", "COLLATION", "CONSTRAINT", "CONVERSION", "DEFAULT", "DEFAULT ACL",
    "DOMAIN", "EXTENSION", "FOREIGN DATA WRAPPER", "FOREIGN TABLE", "FUNCTION", "MATERIALIZED VIEW",
    "OPERATOR", "OPERATOR CLASS", "OPERATOR FAMILY", "POLICY", "PROCEDURAL LANGUAGE", "PROCEDURE",
    "PUBLICATION", "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA", "ROW SECURITY", "RULE",
    "SCHEMA", "SEQUENCE", "SEQUENCE OWNED BY", "SERVER", "SHELL TYPE", "TABLE", "TABLE ATTACH",
    "TRIGGER", "TYPE", "VIEW",
}  # fmt: skip
_OF_THE_DATABASE = {"DATABASE", "DATABASE PROPERTIES", "ACL"}
_SKIPPED = re.compile(r"(?:SET|COMMENT|CREATE DATABASE|SECURITY LABEL|SELECT) ")
_LOADS_CODE = re.compile(
    r"ALTER (?:ROLE|DATABASE) .* SET "
    r"(?:\w*preload_libraries|dynamic_library_path|extension_control_path) ",
    re.DOTALL,
)
_TABLESPACE = re.compile(r"(CREATE TABLESPACE .* LOCATION ).*", re.DOTALL)
_ALREADY_THERE = {"42710"}
_SHOWN = 5
_SHOWN_OF_A_STATEMENT = 80


def build(
    blueprint: Blueprint, dumps: Dumps, tools: ClientTools, superuser: Login, admin: Connection
) -> list[Unproven]:
    """Make the roles, the two databases and what is in them.

    Args:
        blueprint: The target.
        dumps: Its dumps.
        tools: Client tools of its major version.
        superuser: A superuser's login to the new server, with a name that the target does not know.
        admin: A session of that login.

    Returns:
        What could not be built as it is on the target.
    """
    lacking = [*_run_all(dumps.roles.read_text(encoding="utf-8"), admin)]
    for side in blueprint.sides:
        made = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'")
        with suppress(DuplicateDatabase):  # it may be the one that every server has
            admin.execute(made.format(sql.Identifier(side.database)))
    with ThreadPoolExecutor(2) as pool:
        said = pool.map(
            lambda side: _restore(side, dumps.schema(side), tools, superuser), blueprint.sides
        )
        lacking += [line for lines in said for line in lines]
    for side in blueprint.sides:
        lacking += _run_all(_properties(dumps.schema(side), tools), admin)
    for database, logins in blueprint.sandbox.plan.entrances.items():
        _set_entrances(admin, database, logins)
    return list(_compare(blueprint, superuser, admin, lacking))


def _run_all(script: str, admin: Connection) -> Iterator[str]:
    """Run a script of roles or rights; tells what could not be had."""
    for statement in statements(script):
        if _SKIPPED.match(statement):
            continue
        if _LOADS_CODE.match(statement):
            yield f"left out, since it would load a library: {_head(statement)}"
            continue
        # In place: a path of the target's machine is nothing to this one.
        placed = _TABLESPACE.sub(r"\1''", statement)
        try:
            admin.execute(sql.SQL(placed))
        except Error as error:
            if error.sqlstate not in _ALREADY_THERE:
                yield f"{_head(statement)}: {error.sqlstate}"


def _restore(side: Side, dump: Path, tools: ClientTools, superuser: Login) -> list[str]:
    native = {f"{name}(" for name in side.plan.native_functions}
    computed = {f"{name} " for name in side.plan.computed_partitions}
    kept = []
    for line, kind, named in _entries(dump, tools):
        if kind in _RESTORED and not named.startswith((*native, *computed)):
            kept.append(line)
    listing = dump.with_suffix(".list")
    listing.write_text("\n".join(kept) + "\n", encoding="utf-8")
    finished = tools.run(
        "pg_restore",
        [f"--use-list={listing}", "--no-tablespaces", str(dump)],
        login=replace(superuser, database=side.database),
        watch=ending(tools.deadlines.twin, "the twin was not filled in time"),
    )
    return [message for message in finished.messages if ": warning: " not in message]


def _properties(dump: Path, tools: ClientTools) -> str:
    """Owner, rights and settings of the database itself, as SQL."""
    listing, script = dump.with_suffix(".list"), dump.with_suffix(".sql")
    kept = [
        line
        for line, kind, named in _entries(dump, tools)
        if kind in _OF_THE_DATABASE and (kind != "ACL" or named.startswith("- DATABASE "))
    ]
    listing.write_text("\n".join(kept) + "\n", encoding="utf-8")
    tools.run("pg_restore", ["--create", f"--use-list={listing}", f"--file={script}", str(dump)])
    return script.read_text(encoding="utf-8")


def _entries(dump: Path, tools: ClientTools) -> Iterator[tuple[str, str, str]]:
    """Line, kind and name of each entry of a dump."""
    listing = dump.with_suffix(".contents")
    tools.run("pg_restore", ["--list", "--create", str(dump)], output=listing)
    for found in map(_ENTRY.match, listing.read_text(encoding="utf-8").splitlines()):
        if found:
            yield found[0], found["kind"], found["named"]


def _set_entrances(admin: Connection, database: str, logins: Iterable[str]) -> None:
    """Let those connect to a database of no interest that may do so on the target."""
    name = sql.Identifier(database)
    admin.execute(sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(name))
    for login in logins:
        role = sql.Identifier(login) if login else sql.SQL("PUBLIC")
        admin.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, role))


def _compare(
    blueprint: Blueprint, superuser: Login, admin: Connection, said: list[str]
) -> Iterator[Unproven]:
    databases = [side.database for side in blueprint.sides]
    shared = likeness.of_server(admin, databases, [superuser.user])
    yield from _unlike("roles", blueprint.shared, shared, said)
    for side in blueprint.sides:
        login = replace(superuser, database=side.database)
        with psycopg.connect(login.conninfo, options=options(read_only=True)) as session:
            yield from _unlike(side.database, side.like, likeness.of_database(session), said)


def _unlike(what: str, target: Likeness, twin: Likeness, said: list[str]) -> Iterator[Unproven]:
    differing = likeness.differing(target, twin)
    if differing:
        named = ", ".join(differing[:_SHOWN])
        more = f" and {len(differing) - _SHOWN} more" if len(differing) > _SHOWN else ""
        yield Unproven(
            id=f"twin: {what}",
            plane="postgresql",
            group=1,
            what="attempts against every object that decides who may do what",
            why=f"on the twin these are not as on the target: {named}{more}"
            f" ({'; '.join(said[:_SHOWN]) or 'perhaps changed meanwhile'})",
        )


def _head(statement: str) -> str:
    return " ".join(statement.split())[:_SHOWN_OF_A_STATEMENT]
