"""Rights to run code as somebody else, or outside the database."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.integrity.finding import Unproven
from harness.integrity.reach import statements
from harness.integrity.reach.known import HARMLESS_EXTENSIONS, TRUSTED_LANGUAGES
from harness.integrity.reach.rights import Right

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from harness.integrity.catalogue.database import Contents, Function, Surrounding
    from harness.integrity.catalogue.server import Server

_SCHEMA = re.compile(r'"((?:[^"]|"")*)"|([^\s,"]+)')
_ALWAYS_SAFE = {"pg_catalog", "pg_temp", "information_schema"}


def as_their_owner(contents: Contents, server: Server, own: Container[int]) -> Iterator[Right]:
    """Functions that run as a role beyond `own`, and those that could be made to run other code.

    Args:
        contents: The database.
        server: Its server.
        own: Roles as which the function may run: nothing is gained by it.
    """
    for function in contents.functions:
        if not function.runs_as_owner or function.owner in own:
            continue
        runs_as = f"{function.name} in {contents.database}, which runs as"
        runs_as += f" {server.name(function.owner)}"
        for caller in function.callers:
            yield _call(caller, function, contents, server, f"EXECUTE on function {runs_as}")
        owner = server.databases[contents.database].owner
        weak = _weakness(function, contents, server)
        if weak and function.owner != owner:
            yield Right(
                role=owner,
                group=8,
                key=f"search_path of function {runs_as}",
                what=f"could make {runs_as}, run something of its own: {weak}",
                closes=statements.here(
                    f"ALTER FUNCTION {function.name} SET search_path = pg_catalog, pg_temp;",
                    contents.database,
                ),
                steps=(f"may create objects in {contents.database}", f"function {runs_as}: {weak}"),
            )


def outside_the_database(contents: Contents, server: Server) -> Iterator[Right]:
    """Functions in languages that are not held inside the database, for those who may call them.

    An extension that is not known to be harmless is told as a whole.
    """
    told: set[tuple[int, str]] = set()
    for function in contents.functions:
        if function.is_trusted or function.extension in HARMLESS_EXTENSIONS:
            continue
        for caller in function.callers:
            if function.extension is None:
                key = f"EXECUTE on function {function.name} in {contents.database}"
                yield _call(caller, function, contents, server, f"{key}, in {function.language}")
            elif (caller, function.extension) not in told:
                told.add((caller, function.extension))
                yield _extension(caller, function.extension, contents)
    for language in contents.surroundings:
        if language.kind == "trusted language" and language.detail not in TRUSTED_LANGUAGES:
            yield _language(language, contents, server)


def through_views(contents: Contents, server: Server, own: Container[int]) -> Iterator[Right]:
    """Views that are read with the rights of a role beyond `own`, and every foreign table."""
    for view in contents.views:
        if view.extension in HARMLESS_EXTENSIONS:
            continue
        if view.kind == "view" and view.owner in own:
            continue
        reads_as = (
            ""
            if view.kind == "foreign table"
            else f", with the rights of {server.name(view.owner)}"
        )
        name = f"{view.kind} {view.name} in {contents.database}{reads_as}"
        for reader in view.readers:
            closes = (
                f"DROP FOREIGN TABLE {view.name};"
                if view.kind == "foreign table"
                else statements.revoke(["ALL"], "TABLE", [view.name], server.name(reader))
            )
            yield Right(
                role=reader,
                group=10 if view.kind == "foreign table" else 6,
                key=f"{name}",
                what=f"could look out of {contents.database} through {name}",
                closes=statements.here(closes, contents.database),
            )


def through_servers(contents: Contents, server: Server) -> Iterator[Right]:
    """Foreign servers and user mappings, for those whom they serve."""
    for way in contents.surroundings:
        name = statements.identifier(way.name)
        if way.kind == "foreign server":
            closes = f"ALTER SERVER {name} OWNER TO CURRENT_USER;"
            key = f"owner of foreign server {way.name} in {contents.database}"
        elif way.kind == "user mapping":
            role = statements.grantee(server.name(way.role))
            closes = f"DROP USER MAPPING FOR {role} SERVER {name};"
            key = f"user mapping on foreign server {way.name} in {contents.database}"
        else:
            continue
        yield Right(
            role=way.role,
            group=10,
            key=key,
            what=f"could have the server open sessions elsewhere, as {way.detail} says",
            closes=statements.here(closes, contents.database),
        )


def run_by_all(contents: Contents) -> Iterator[Right]:
    """Functions that event triggers call, for their owners: whoever changes a table runs them."""
    for trigger in contents.surroundings:
        if trigger.kind == "event trigger":
            name = f"event trigger {trigger.name} in {contents.database}"
            yield Right(
                role=trigger.role,
                group=9,
                key=f"owner of {trigger.detail}, which {name} calls",
                what=f"could have every superuser who works in {contents.database} run its code",
                closes=statements.here(
                    f"ALTER FUNCTION {trigger.detail} OWNER TO CURRENT_USER;", contents.database
                ),
            )


def feeds(prod: Contents) -> Iterator[Unproven]:
    """What prod takes in from elsewhere: from where, only a superuser may read."""
    for feed in prod.surroundings:
        if feed.kind == "subscription":
            yield Unproven(
                id=f"postgresql/10/subscription {feed.name} in {prod.database}",
                plane="postgresql",
                group=10,
                what=f"that subscription {feed.name} of {prod.database} takes nothing from the"
                " sandbox",
                why="pg_subscription.subconninfo can be read by superusers only",
            )


def _call(caller: int, function: Function, contents: Contents, server: Server, key: str) -> Right:
    return Right(
        role=caller,
        group=8,
        key=key,
        what=f"could call {function.name} in {contents.database}, which can do more than it may",
        closes=statements.here(
            statements.revoke(["EXECUTE"], "FUNCTION", [function.name], server.name(caller)),
            contents.database,
        ),
    )


def _extension(caller: int, extension: str, contents: Contents) -> Right:
    return Right(
        role=caller,
        group=10,
        key=f"EXECUTE on functions of extension {extension} in {contents.database}",
        what=f"could call extension {extension}, whose code runs as the server and is not known to"
        " stay in the database",
        closes=statements.here(
            f"DROP EXTENSION {statements.identifier(extension)};", contents.database
        ),
    )


def _language(language: Surrounding, contents: Contents, server: Server) -> Right:
    name = statements.identifier(language.name)
    role = statements.grantee(server.name(language.role))
    return Right(
        role=language.role,
        group=8,
        key=f"USAGE on language {language.name} in {contents.database}, which says it is trusted",
        what=f"could write functions in {language.name}, and nobody has said here that it stays"
        " inside the database",
        closes=statements.here(f"REVOKE USAGE ON LANGUAGE {name} FROM {role};", contents.database),
    )


def _weakness(function: Function, contents: Contents, server: Server) -> str | None:
    """Why somebody else could put an object of theirs in the function's way, if they could."""
    if function.language == "c":
        return None  # it looks up nothing by name
    if function.search_path is None:
        return "it has no search_path of its own"
    schemas = {schema.name: schema for schema in contents.schemas}
    for name in parse_search_path(function.search_path):
        if name in _ALWAYS_SAFE:
            continue
        found = schemas.get(name)
        if found is None:
            return f"schema {name} on its search_path is whose who makes it"
        for creator in (found.owner, *found.creators):
            if creator != function.owner and not server.is_superuser(creator):
                return f"schema {name} on its search_path is open to {server.name(creator)}"
    return None


def parse_search_path(value: str) -> list[str]:
    """The schemas of a search_path, in order; `""` stands for none."""
    found = (quoted.replace('""', '"') or plain.lower() for quoted, plain in _SCHEMA.findall(value))
    return [name for name in found if name]
