"""How much of what prod shares with the sandbox the sandbox could use up, and how to limit it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.integrity.catalogue.rows import rows
from harness.integrity.catalogue.server import PUBLIC
from harness.integrity.reach import statements
from harness.postgres.connection import load_sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.integrity.catalogue.database import Contents
    from harness.integrity.catalogue.server import Server
    from harness.integrity.reach.subjects import Subject
    from harness.postgres.connection import Connection

_QUERY = load_sql("harness.integrity.catalogue", "limits.sql")
_UNLIMITED = re.compile(r"(0+|-1)\s*[a-z]*", re.IGNORECASE)
# Sources of a value that every session has, whoever it is and wherever it is.
_OF_A_ROLE_OR_DATABASE = {"user", "database", "database user", "global"}
PRODS_LOCKS, SLOTS, LOCK_TABLE, TEMPORARY_FILES = (
    "locks on prod's objects",
    "connection slots",
    "entries of the shared lock table",
    "temporary files",
)
_ANYBODY_CHANGES_IT = "each session may set it anew, so it guards against accidents only"
_TIMEOUTS = {
    "statement_timeout": ("60s", "a statement that runs on keeps its locks and its slot"),
    "lock_timeout": ("10s", "whoever waits for a lock makes others wait behind it"),
    "idle_in_transaction_session_timeout": (
        "60s",
        "a transaction left open holds back vacuum, prod's shared catalogues included",
    ),
    "temp_file_limit": ("2GB", "temporary files are on prod's disk"),
}
_ONLY_A_SUPERUSER_SETS = {"temp_file_limit"}


@dataclass(frozen=True, slots=True)
class Limit:
    """The columns of `limits.sql`."""

    name: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Bound:
    """How far the sandbox could go with something that prod needs as well.

    Args:
        what: What it is.
        bound: The most that the sandbox could take.
        holds_because: What keeps it there; None where nothing does.
    """

    what: str
    bound: str
    holds_because: str | None


@dataclass(frozen=True, slots=True)
class Recommendation:
    """Something that would protect prod better; it fails nothing.

    Args:
        name: What it is about.
        found: How it is now.
        recommended: How it should be.
        statement: The statement that makes it so.
        why: What it is for, and how far it holds.
    """

    name: str
    found: str
    recommended: str
    statement: str
    why: str


def ask_limits(connection: Connection) -> dict[str, Limit]:
    """Ask a session with which nothing was pinned, inside its transaction."""
    return {limit.name: limit for limit in rows(connection, Limit, _QUERY)}


def slots(limits: dict[str, Limit]) -> int:
    """Connection slots for everybody, those kept for superusers and others set aside."""
    kept = ("superuser_reserved_connections", "reserved_connections")
    number = int(limits["max_connections"].value)
    return number - sum(int(limits[name].value) for name in kept if name in limits)


def bounds(
    server: Server,
    limits: dict[str, Limit],
    logins: list[Subject],
    database: str,
    *,
    enters_prod: bool,
) -> tuple[Bound, ...]:
    """How far the sandbox's logins could go.

    Args:
        server: The server.
        limits: What it shares out.
        logins: The sandbox's logins.
        database: Name of the sandbox's database.
        enters_prod: Whether any of them may connect to prod.
    """
    locks = int(limits["max_locks_per_transaction"].value) * (
        int(limits["max_connections"].value) + int(limits["max_prepared_transactions"].value)
    )
    each = [server.roles[login.oid].connection_limit for login in logins]
    limited = all(number >= 0 for number in each)
    most = min(sum(each), slots(limits)) if limited else slots(limits)
    return (
        Bound(
            PRODS_LOCKS,
            "ACCESS SHARE on its catalogues, and any advisory lock" if enters_prod else "none",
            None
            if enters_prod
            else "a lock is on an object of one's own database, and CONNECT to prod is closed",
        ),
        Bound(
            SLOTS,
            f"{most} of {slots(limits)}",
            "each login has a limit of its own, which it cannot lift" if limited else None,
        ),
        Bound(
            LOCK_TABLE,
            f"all of it: at least {locks} (max_locks_per_transaction * (max_connections +"
            " max_prepared_transactions)), until the transaction ends",
            None,
        ),
        _temporary_files(server, limits, logins, database),
    )


def _temporary_files(
    server: Server, limits: dict[str, Limit], logins: list[Subject], database: str
) -> Bound:
    name = "temp_file_limit"
    found = {_found(name, login, server, limits, database) for login in logins}
    stated = sorted(value for value in found if not _UNLIMITED.fullmatch(value))
    limited = len(stated) == len(found)
    told = f"{', '.join(stated)} for each session" if limited else "as much as the disk holds"
    return Bound(TEMPORARY_FILES, told, "only a superuser sets it" if limited else None)


def recommendations(
    server: Server, limits: dict[str, Limit], logins: list[Subject], database: str
) -> Iterator[Recommendation]:
    """What would hold the sandbox's logins back.

    Args:
        server: The server.
        limits: What a session of the sandbox has now.
        logins: The sandbox's logins.
        database: Name of the sandbox's database.
    """
    share = max(1, slots(limits) // 4)
    unlimited = [login for login in logins if server.roles[login.oid].connection_limit < 0]
    if unlimited:
        yield Recommendation(
            name="connection limit of the sandbox's logins",
            found=f"none for {_names(unlimited)}",
            recommended=f"{share}, a quarter of the {slots(limits)} slots",
            statement=" ".join(
                f"ALTER ROLE {statements.identifier(login.name)} CONNECTION LIMIT {share};"
                for login in unlimited
            ),
            why="binding: a login cannot lift its own; whoever leases logins should set it",
        )
    if server.databases[database].connection_limit < 0:
        yield Recommendation(
            name="connection limit of the sandbox's database",
            found="none",
            recommended=f"{share}",
            statement=f"ALTER DATABASE {statements.identifier(database)} CONNECTION LIMIT {share};",
            why="for all leases together; its owner could lift it",
        )
    for name, (recommended, why) in _TIMEOUTS.items():
        found = {login: _found(name, login, server, limits, database) for login in logins}
        without = [login for login, value in found.items() if _UNLIMITED.fullmatch(value)]
        if without:
            binding = "only a superuser changes it" if name in _ONLY_A_SUPERUSER_SETS else None
            yield Recommendation(
                name=name,
                found=f"none for {_names(without)}",
                recommended=recommended,
                statement=f"ALTER DATABASE {statements.identifier(database)} SET {name} ="
                f" '{recommended}';",
                why=f"{why}; {binding or _ANYBODY_CHANGES_IT}",
            )


def of_others(others: Iterable[Contents]) -> Iterator[Recommendation]:
    """Schemas of third databases in which every login may leave something for others to find."""
    for contents in others:
        for schema in contents.schemas:
            if PUBLIC in schema.creators:
                closes = statements.revoke(
                    ["CREATE"], "SCHEMA", [statements.identifier(schema.name)], "PUBLIC"
                )
                yield Recommendation(
                    name=f"CREATE on schema {schema.name} of {contents.database}",
                    found="every login",
                    recommended="nobody",
                    statement=statements.here(closes, contents.database),
                    why="others run what they find there, and copies of a template have it",
                )


def _found(
    name: str, login: Subject, server: Server, limits: dict[str, Limit], database: str
) -> str:
    """What a session of a login starts with: the nearest setting, or else the server's."""
    nearest = ((database, login.name), (None, login.name), (database, None), (None, None))
    brought = {
        (setting.database, setting.role): setting.value
        for setting in server.settings
        if setting.name == name
    }
    for where in nearest:
        if where in brought:
            return brought[where]
    limit = limits[name]
    # Where the asking session has a setting of its own, the server's stays hidden behind it.
    return "0" if limit.source in _OF_A_ROLE_OR_DATABASE else limit.value


def _names(logins: Iterable[Subject]) -> str:
    return ", ".join(login.name for login in logins)
