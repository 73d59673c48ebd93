"""Settings that prod's sessions begin with, where they let somebody else's code in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.integrity.finding import Finding
from harness.integrity.reach import statements
from harness.integrity.reach.code import parse_search_path

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from harness.integrity.catalogue.database import Contents
    from harness.integrity.catalogue.server import Server, Setting

_LIBRARIES = {"session_preload_libraries", "local_preload_libraries"}
_GROUP = 11


def settings_of_prod(
    server: Server, prod: Contents, of_prod: Container[int], not_of_prod: Container[int]
) -> Iterator[Finding]:
    """Settings of prod's database, of prod's roles, or of everybody, that lead into foreign hands.

    Args:
        server: The server.
        prod: Prod's database.
        of_prod: Its roles.
        not_of_prod: The sandbox's roles and PUBLIC, which must not come into play there.
    """
    for setting in server.settings:
        role = None if setting.role is None else server.oid(setting.role)
        elsewhere = setting.database not in (None, prod.database)
        if elsewhere or (role is not None and role not in of_prod):
            continue
        hands = _hands(setting, server, prod, not_of_prod)
        if hands:
            whose = _whose(setting)
            yield Finding(
                id=f"postgresql/{_GROUP}/{whose}/{setting.name} = {setting.value}",
                plane="postgresql",
                group=_GROUP,
                what=f"every session of {whose} starts with {setting.name} = {setting.value}",
                chain=(whose, f"{setting.name} = {setting.value}", hands),
                closes=_reset(setting),
            )
    if server.shares_large_objects:
        yield Finding(
            id="postgresql/13/server/lo_compat_privileges = on",
            plane="postgresql",
            group=13,
            what="every login could change the large objects of a database that it may connect to",
            chain=("PUBLIC", "lo_compat_privileges = on", f"large objects of {prod.database}"),
            closes="ALTER SYSTEM SET lo_compat_privileges = off;",
        )


def _hands(
    setting: Setting, server: Server, prod: Contents, not_of_prod: Container[int]
) -> str | None:
    """Into whose hands the setting leads; None where into nobody else's."""
    if setting.name in _LIBRARIES and setting.value.strip():
        return "a library that is loaded into each of them"
    if setting.name == "role":
        role = server.oid(setting.value.strip('"'))
        return f"what they make belongs to {setting.value}" if role in not_of_prod else None
    if setting.name == "search_path":
        schemas = {schema.name: schema for schema in prod.schemas}
        for name in parse_search_path(setting.value):
            found = schemas.get(name)
            for creator in (found.owner, *found.creators) if found else ():
                if creator in not_of_prod:
                    return f"schema {name}, open to {server.name(creator)}"
    return None


def _whose(setting: Setting) -> str:
    role = f"role {setting.role}" if setting.role else None
    database = f"database {setting.database}" if setting.database else None
    return " in ".join(filter(None, (role, database))) or "every role"


def _reset(setting: Setting) -> str:
    where = f" IN DATABASE {statements.identifier(setting.database)}" if setting.database else ""
    if setting.role is None and setting.database is not None:
        return f"ALTER DATABASE {statements.identifier(setting.database)} RESET {setting.name};"
    role = "ALL" if setting.role is None else statements.identifier(setting.role)
    return f"ALTER ROLE {role}{where} RESET {setting.name};"
