"""Whether the login that reads prod could write to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.integrity.catalogue.server import PUBLIC
from harness.integrity.finding import Finding
from harness.integrity.reach.known import READING_ROLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.integrity.catalogue.database import Contents
    from harness.integrity.catalogue.server import Holding, Server
    from harness.integrity.reach.graph import Graph
    from harness.sides import Prod

ReadOnly = Literal["by construction", "only by default_transaction_read_only"]

_GROUP = 6
_LOGIN = "its login"
_READING = {"SELECT", "EXECUTE"}
_NOT_WRITING = {"BYPASSRLS"}
# Looking up names, and using a type or a language, changes nothing.
_HARMLESS_TO_USE = {"SCHEMA", "TYPE", "LANGUAGE"}


@dataclass(frozen=True, slots=True)
class DumpIdentity:
    """How far the login that makes the dump is kept from writing.

    Args:
        login: The login.
        acts_as: Every role that it is or could become.
        read_only: `by construction` where it has no right to write in prod; else its sessions
            are kept from writing by a setting alone, which each could switch off.
        could_write_through: The rights through which it could write.
    """

    login: str
    acts_as: tuple[str, ...]
    read_only: ReadOnly
    could_write_through: tuple[str, ...]


def dump_identity(
    login: int, server: Server, graph: Graph, prod: Contents, holdings: Iterable[Holding]
) -> DumpIdentity:
    """Judge a login by what it could become.

    Args:
        login: OID of the login.
        server: The server.
        graph: Who could become whom.
        prod: Prod's database, asked for the rights of everything that the login could become.
        holdings: What those roles own.
    """
    reach = set(graph.reach(login))
    if server.databases[prod.database].owner in reach:
        reach.add(server.oid("pg_database_owner") or login)
    writes = sorted(set(_writes(reach, server, prod, holdings)))
    return DumpIdentity(
        login=server.name(login),
        acts_as=tuple(sorted(server.name(role) for role in reach)),
        read_only="only by default_transaction_read_only" if writes else "by construction",
        could_write_through=tuple(writes),
    )


def could_write(prod: Prod, found: DumpIdentity | None) -> Iterator[Finding]:
    """What speaks against a login of which the settings say that it can only read.

    Args:
        prod: The side; without a role for reading, nothing is said of it.
        found: The judgement; None where prod could not be looked into.
    """
    if prod.read_role is None or found is None:
        return
    for through in found.could_write_through:
        # Its login is leased, and has another name the next time.
        lasting = through.replace(found.login, _LOGIN)
        yield Finding(
            id=f"postgresql/{_GROUP}/{prod.read_role} reads prod/{lasting}",
            plane="postgresql",
            group=_GROUP,
            what=f"{found.login}, which is only to read prod, could write to it: {through}",
            chain=(found.login, f"acts as {prod.read_role}", through),
            closes=f"take it from {prod.read_role} and from what leases its logins;"
            " sandbox-lifecycle manifests --vault shows what they need",
        )


def _writes(
    reach: set[int], server: Server, prod: Contents, holdings: Iterable[Holding]
) -> Iterator[str]:
    for role in reach:
        attributes = sorted(set(server.roles[role].attributes) - _NOT_WRITING)
        yield from (f"{server.name(role)} is {name}" for name in attributes)
        if server.roles[role].is_predefined and server.name(role) not in READING_ROLES:
            yield f"member of {server.name(role)}"
        if server.databases[prod.database].owner == role:
            yield f"{server.name(role)} owns database {prod.database}"
    for holding in holdings:
        if holding.role in reach and holding.how == "o" and holding.database == prod.database:
            yield f"{server.name(holding.role)} owns objects of {holding.class_name}"
    yield from _granted(reach | {PUBLIC}, server, prod)


def _granted(reach: set[int], server: Server, prod: Contents) -> Iterator[str]:
    for grant in prod.grants:
        written = set(grant.privileges) - _READING
        if grant.kind in _HARMLESS_TO_USE:
            written -= {"USAGE"}
        if written and grant.grantee in reach:
            yield f"{', '.join(sorted(written))} on {grant.kind.lower()} {grant.name}"
    for shared in server.grants:
        here = (shared.kind, shared.name) == ("DATABASE", prod.database)
        if here and "CREATE" in shared.privileges and shared.grantee in reach:
            yield f"CREATE on database {prod.database}"
    for function in prod.functions:
        if function.runs_as_owner and reach.intersection(function.callers):
            yield f"function {function.name} runs as {server.name(function.owner)}"
