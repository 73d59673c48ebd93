"""Asking: every database that matters, through the login of the side that it belongs to."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.errors import ConfigurationError, RefusedError
from harness.integrity.catalogue.database import ask_contents, nothing
from harness.integrity.catalogue.server import PUBLIC, ask_holdings, ask_server
from harness.integrity.finding import Unproven
from harness.integrity.reach.graph import Graph
from harness.integrity.reach.limits import ask_limits
from harness.integrity.reach.subjects import find_subjects
from harness.postgres.connection import connect, connect_as_others, one, read_only_transaction
from harness.sides import Prod

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.integrity.catalogue.database import Contents
    from harness.integrity.catalogue.server import Holding, Server
    from harness.integrity.reach.limits import Limit
    from harness.integrity.reach.subjects import Subjects
    from harness.postgres.connection import Connection, Run
    from harness.settings import Settings
    from harness.sides import Sandbox

_PART = "audit"
_IDENTIFIER = "SELECT system_identifier FROM pg_catalog.pg_control_system()"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was read, before anything is concluded.

    Args:
        server: What all databases share.
        graph: Who could become whom.
        subjects: Whose reach is looked at.
        holdings: What they own or are named in, on the whole server.
        prod: Prod's database; empty where there was no session on it.
        sandbox: The sandbox's.
        others: Every other database that the sandbox may enter.
        limits: What holds a session of the sandbox's application back.
        unproven: Databases that could not be looked into.
    """

    server: Server
    graph: Graph
    subjects: Subjects
    holdings: list[Holding]
    prod: Contents
    sandbox: Contents
    others: list[Contents]
    limits: dict[str, Limit]
    unproven: list[Unproven]

    @property
    def enters_prod(self) -> bool:
        """Whether any of the sandbox's identities may connect to prod."""
        return self.prod.database in may_enter(self.server, self.graph, self.subjects)

    @property
    def looked_into(self) -> tuple[Contents, ...]:
        """Every database that was asked, prod first."""
        every = (self.prod, self.sandbox, *self.others)
        return tuple(contents for contents in every if contents.kinds)


def ask(settings: Settings, run: Run, prod: Prod, sandbox: Sandbox) -> Asked:
    """Ask everything that the audit goes by. See `harness.integrity.closure`."""
    with _session(sandbox, settings, run) as session:
        server = ask_server(session)
        graph = Graph(server)
        subjects = find_subjects(server, graph, prod, sandbox)
        # Who owns a database is its pg_database_owner, though no membership says so.
        reach = _reach(graph, subjects) | {server.oid("pg_database_owner") or PUBLIC}
        with_dump = reach | set(graph.reach(subjects.dump.oid))
        holdings = ask_holdings(session, with_dump)
        of_sandbox = ask_contents(session, reach, reach)
        identifier = one(session, _IDENTIFIER)
    unproven: list[Unproven] = []
    of_prod = nothing(prod.login.database)
    with _told_if_closed(prod, unproven), _session(prod, settings, run) as session:
        if one(session, _IDENTIFIER) != identifier:
            raise _on_two_servers(prod, sandbox)
        of_prod = ask_contents(session, with_dump, reach)
    others = []
    for name in sorted(may_enter(server, graph, subjects)):
        if name not in (prod.login.database, sandbox.login.database):
            # As a Prod, since that is the side that is only ever read.
            side = Prod(replace(sandbox.login, database=name), sandbox.owner_role)
            with _told_if_closed(side, unproven), _session(side, settings, run) as session:
                others.append(ask_contents(session, reach, reach))
    with (
        connect_as_others(sandbox.application, run, _PART, settings.deadlines) as session,
        read_only_transaction(session),
    ):
        limits = ask_limits(session)
    return Asked(server, graph, subjects, holdings, of_prod, of_sandbox, others, limits, unproven)


def may_enter(server: Server, graph: Graph, subjects: Subjects) -> set[str]:
    """The databases to which a role that the sandbox's identities could become may connect."""
    reach = _reach(graph, subjects)
    granted = {
        grant.name
        for grant in server.grants
        if grant.kind == "DATABASE" and "CONNECT" in grant.privileges and grant.grantee in reach
    }
    return {
        row.name
        for row in server.databases.values()
        if row.accepts_sessions and (row.name in granted or row.owner in reach)
    }


def _reach(graph: Graph, subjects: Subjects) -> set[int]:
    return {role for subject in subjects.sandbox for role in graph.reach(subject.oid)}


@contextmanager
def _session(side: Prod | Sandbox, settings: Settings, run: Run) -> Iterator[Connection]:
    with (
        connect(side, run, _PART, settings.deadlines, read_only=True) as session,
        read_only_transaction(session),
    ):
        yield session


@contextmanager
def _told_if_closed(side: Prod, unproven: list[Unproven]) -> Iterator[None]:
    """Note that there was no session: what the shared catalogues say is told all the same."""
    try:
        yield
    except ConfigurationError as error:
        name = side.login.database
        unproven.append(
            Unproven(
                id=f"postgresql/8/database {name}",
                plane="postgresql",
                group=8,
                what=f"that nothing in database {name} leads from the sandbox to prod",
                why=f"{side.login.user} got no session there: {error.found}",
            )
        )


def _on_two_servers(prod: Prod, sandbox: Sandbox) -> RefusedError:
    return RefusedError(
        "prod and sandbox are on different servers, so their roles cannot be compared",
        found=f"prod is {prod.login}, sandbox is {sandbox.login}",
        expected="two databases of one server",
        remedy="correct [prod] or [sandbox] in the settings; nothing has been changed",
    )
