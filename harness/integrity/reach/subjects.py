"""Whose reach is looked at: the sandbox's identities, and the one that reads prod for a dump."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import ConfigurationError
from harness.integrity.catalogue.server import PUBLIC

if TYPE_CHECKING:
    from harness.integrity.catalogue.server import Server
    from harness.integrity.reach.graph import Graph
    from harness.sides import Prod, Sandbox


@dataclass(frozen=True, slots=True)
class Subject:
    """A role whose reach is looked at.

    Args:
        name: Its name.
        oid: Its OID.
        what: What it is.
    """

    name: str
    oid: int
    what: str


@dataclass(frozen=True, slots=True)
class Subjects:
    """Everybody whose reach is looked at.

    Args:
        sandbox: PUBLIC, the sandbox's owner and its logins, in the order in which a path that
            several of them have is told: of the first.
        owners: The sandbox's owner role, and the owner of its database: one, where all is well.
        own: The roles that belong to the sandbox, and that none of them gains by becoming.
        dump: Who reads prod.
        dump_own: The roles that the dump's login is meant to be.
    """

    sandbox: tuple[Subject, ...]
    owners: frozenset[int]
    own: frozenset[int]
    dump: Subject
    dump_own: frozenset[int]


def find_subjects(server: Server, graph: Graph, prod: Prod, sandbox: Sandbox) -> Subjects:
    """Find them.

    Raises:
        ConfigurationError: A database or a role of the settings is not on the server.
    """
    here = server.databases.get(sandbox.login.database)
    there = server.databases.get(prod.login.database)
    named = {
        sandbox.owner_role: "owner role of the sandbox",
        sandbox.login.user: "the harness's login on the sandbox",
        sandbox.application.user: "the application's login on the sandbox",
        prod.acts_as: "the role that prod is read as",
        prod.owner_role: "owner role of prod",
        prod.login.user: "the harness's login on prod, which makes the dump",
    }
    oids = {role.name: role.oid for role in server.roles.values()}
    missing = sorted(set(named) - set(oids))
    if here is None or there is None or missing:
        raise ConfigurationError(
            "the audit cannot find everybody on the sandbox's server",
            found=f"no role {', '.join(missing)}" if missing else "one of the two databases only",
            expected="both databases and the roles of the settings, on one server",
            remedy="correct [prod] and [sandbox] in the settings; nothing has been changed",
        )
    own_logins = {oids[sandbox.login.user], oids[sandbox.application.user]}
    owners = {oids[sandbox.owner_role], here.owner}
    members = set().union(*(graph.members(owner) for owner in owners))
    logins = {oid for oid in members | own_logins if server.roles[oid].may_log_in} - owners
    return Subjects(
        sandbox=(
            Subject("PUBLIC", PUBLIC, "every login of the server, the sandbox's too"),
            *(_subject(oid, server, named, named[sandbox.owner_role]) for oid in sorted(owners)),
            *(
                _subject(oid, server, named, "leased login of the sandbox")
                for oid in sorted(logins, key=server.name)
            ),
        ),
        owners=frozenset(owners),
        own=_own(server, graph, owners | members | logins, there.owner),
        dump=_subject(oids[prod.login.user], server, named, ""),
        dump_own=frozenset({oids[prod.login.user], oids[prod.acts_as]}),
    )


def _subject(oid: int, server: Server, named: dict[str, str], otherwise: str) -> Subject:
    name = server.name(oid)
    return Subject(name, oid, named.get(name, otherwise))


def _own(server: Server, graph: Graph, candidates: set[int], owner_of_prod: int) -> frozenset[int]:
    """Those roles that are the sandbox's alone: neither superusers nor on prod's side as well."""
    return frozenset(
        role
        for role in candidates
        if not server.is_superuser(role) and owner_of_prod not in graph.reach(role)
    )
