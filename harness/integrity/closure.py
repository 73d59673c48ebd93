"""The audit of the PostgreSQL plane: everything that the sandbox's identities could reach.

Questions only, to catalogues that any login may read: prod's through the dump's login, the
sandbox's and those of every other database that the sandbox may enter through the sandbox's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.integrity.catalogue.server import PUBLIC
from harness.integrity.reach import brought, code, grants, limits, ownership, unknown
from harness.integrity.reach.asking import ask
from harness.integrity.reach.dump import dump_identity
from harness.integrity.reach.known import HARMLESS_GRANTS, READING_ROLES
from harness.integrity.reach.paths import Paths, resolved
from harness.integrity.reach.roles import of_roles
from harness.sides import Prod, Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.integrity.catalogue.database import Contents
    from harness.integrity.finding import Finding, Unproven
    from harness.integrity.reach.asking import Asked
    from harness.integrity.reach.dump import DumpIdentity
    from harness.integrity.reach.limits import Bound, Recommendation
    from harness.integrity.reach.rights import Right
    from harness.integrity.reach.subjects import Subject
    from harness.postgres.connection import Run
    from harness.settings import Settings


@dataclass(frozen=True, slots=True)
class Audited:
    """What the catalogues say.

    Args:
        server_version: Version of the server.
        databases: The databases that were looked into.
        identities: Whose reach was looked at, and what each is.
        dump_identity: How far the login that makes the dump is kept from writing to prod; None
            where prod could not be looked into, which is then among what is unproven.
        findings: The paths to prod that are open, and what nobody knows how to judge.
        unproven: What could not be proven.
        bounds: How much of what prod needs as well the sandbox could use up.
        recommendations: What would protect prod better; these fail nothing.
    """

    server_version: str
    databases: tuple[str, ...]
    identities: tuple[Subject, ...]
    dump_identity: DumpIdentity | None
    findings: tuple[Finding, ...]
    unproven: tuple[Unproven, ...]
    bounds: tuple[Bound, ...]
    recommendations: tuple[Recommendation, ...]


def closure(settings: Settings, run: Run) -> Audited:
    """Ask for everything that the sandbox's identities and the dump's could reach.

    Every transaction is read-only and proves that it was assigned no id.

    Args:
        settings: The target.
        run: The run.

    Raises:
        ConfigurationError: The sandbox cannot be reached, or the server is too old, or a role or
            a database of the settings is not there.
        RefusedError: The two sides are on different servers, or behind a pooler.
        FailedError: A transaction was assigned an id.
    """
    sandbox = Sandbox.of(settings)
    asked = ask(settings, run, Prod.of(settings), sandbox)
    server = asked.server
    logins = [who for who in asked.subjects.sandbox if who.oid in server.logins]
    return Audited(
        server_version=server.version,
        databases=tuple(contents.database for contents in asked.looked_into),
        identities=(*asked.subjects.sandbox, asked.subjects.dump),
        dump_identity=dump_identity(
            asked.subjects.dump.oid, server, asked.graph, asked.prod, asked.holdings
        )
        if asked.prod in asked.looked_into
        else None,
        findings=tuple(
            sorted(_findings(asked, sandbox), key=lambda found: (found.group, found.id))
        ),
        unproven=(*asked.unproven, *code.feeds(asked.prod)),
        bounds=limits.bounds(
            server,
            asked.limits,
            logins,
            sandbox.login.database,
            enters_prod=asked.enters_prod,
        ),
        recommendations=(
            *limits.recommendations(server, asked.limits, logins, sandbox.login.database),
            *limits.of_others(asked.others),
        ),
    )


def _findings(asked: Asked, sandbox: Sandbox) -> Iterator[Finding]:
    server, graph, subjects = asked.server, asked.graph, asked.subjects
    paths = Paths(server, graph, subjects.own, subjects.owners)
    yield from paths.find(subjects.sandbox, _rights(asked, sandbox))
    of_dump = Paths(server, graph, subjects.dump_own, frozenset())
    yield from of_dump.find([subjects.dump], _rights_of_dump(asked, sandbox))
    owner = server.databases[asked.prod.database].owner
    of_prod = {owner, *graph.members(owner), *subjects.dump_own}
    yield from brought.settings_of_prod(
        server, asked.prod, of_prod - subjects.own, {PUBLIC, *subjects.own}
    )
    yield from unknown.of_server(server)
    yield from unknown.of_holdings(server, asked.holdings)
    for contents in asked.looked_into:
        yield from unknown.of_database(contents)


def _rights(asked: Asked, sandbox: Sandbox) -> Iterator[Right]:
    """Everything that leads to prod, whoever has it."""
    server, own, prod = asked.server, asked.subjects.own, asked.prod
    yield from of_roles(server)
    yield from ownership.of_databases(server, sandbox)
    yield from ownership.of_shared_objects(asked.sandbox.mentions, server)
    looked_into = {contents.database for contents in asked.looked_into}
    yield from ownership.of_holdings(server, asked.holdings, looked_into)
    yield from resolved(grants.on_shared_objects(server, sandbox), server, asked.sandbox.database)
    in_prod = [
        *ownership.of_objects(prod, server, sandbox.prod_owner_role),
        *grants.in_prod(prod, server),
        *code.as_their_owner(prod, server, own),
    ]
    if asked.enters_prod:
        in_prod += _ways_out(prod, asked)
    yield from resolved(in_prod, server, prod.database)
    for contents in (asked.sandbox, *asked.others):
        inside = [
            *grants.on_ways_out(contents, server, HARMLESS_GRANTS, own),
            *code.as_their_owner(contents, server, own),
            *code.through_views(contents, server, own),
            *code.run_by_all(contents),
            *_ways_out(contents, asked),
        ]
        if contents is not asked.sandbox:
            owner = server.name(server.databases[contents.database].owner)
            inside += ownership.of_objects(contents, server, owner)
        yield from resolved(inside, server, contents.database)


def _ways_out(contents: Contents, asked: Asked) -> Iterator[Right]:
    """What leads out of a database, for whoever has a session there."""
    yield from code.outside_the_database(contents, asked.server)
    yield from code.through_servers(contents, asked.server)


def _rights_of_dump(asked: Asked, sandbox: Sandbox) -> Iterator[Right]:
    """What the dump's login must not have, beside what its owner role is there for."""
    server = asked.server
    for right in of_roles(server):
        # To pass over row policies is what a complete dump needs.
        if right.key != "BYPASSRLS" and right.key not in READING_ROLES:
            yield right
    for right in grants.on_shared_objects(server, sandbox):
        if " on parameter " in right.key:
            yield right
    functions = code.as_their_owner(asked.prod, server, asked.subjects.dump_own)
    yield from resolved(functions, server, asked.prod.database)
