"""Paths: who of those looked at could become a role, and what that role could do."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.integrity.catalogue.server import PUBLIC
from harness.integrity.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.integrity.catalogue.server import Server
    from harness.integrity.reach.graph import Graph
    from harness.integrity.reach.rights import Right
    from harness.integrity.reach.subjects import Subject

_MEMBERSHIP = 2


def resolved(rights: Iterable[Right], server: Server, database: str) -> Iterator[Right]:
    """The rights as they are in one database: its owner is a member of `pg_database_owner`."""
    implicit = server.oid("pg_database_owner")
    for right in rights:
        if right.role == implicit:
            steps = (f"pg_database_owner in {database}, as its owner", *right.chain)
            yield replace(right, role=server.databases[database].owner, steps=steps)
        else:
            yield right


@dataclass(frozen=True, slots=True)
class Paths:
    """The paths that lead from some roles to others.

    Args:
        server: The server.
        graph: Who could become whom.
        own: Roles that whoever is looked at may well be.
        owners: Of those, the roles that the others are members of.
    """

    server: Server
    graph: Graph
    own: frozenset[int]
    owners: frozenset[int]

    def find(self, subjects: Iterable[Subject], rights: Iterable[Right]) -> list[Finding]:
        """Each right that a subject has or could come to have.

        What all logins have through their owner role is told once, of the owner role; what is
        PUBLIC's, of PUBLIC.
        """
        by_role: dict[int, list[Right]] = defaultdict(list)
        for right in rights:
            by_role[right.role].append(right)
        common = {role for owner in self.owners for role in self.graph.reach(owner)}
        found: dict[str, Finding] = {}
        for subject in subjects:
            reach = {PUBLIC: ()} if subject.oid == PUBLIC else self.graph.reach(subject.oid)
            for role, steps in reach.items():
                if role in common and subject.oid not in self.owners:
                    continue
                if self.graph.is_implied(role, reach):
                    continue
                for right in by_role[role]:
                    finding = self._finding(subject, right, steps)
                    found.setdefault(finding.id, finding)
        return list(found.values())

    def _finding(self, subject: Subject, right: Right, steps: tuple[str, ...]) -> Finding:
        group, closes = right.group, [right.closes]
        if steps and right.role not in self.own:
            if not self.server.roles[right.role].is_predefined:
                group = _MEMBERSHIP
            closes = self._ways(subject, right) or closes
        return Finding(
            id=f"postgresql/{group}/{subject.name}/{right.key}",
            plane="postgresql",
            group=group,
            what=f"{subject.name} {right.what}",
            chain=(subject.name, *steps, *right.chain),
            closes=" ".join(closes),
        )

    def _ways(self, subject: Subject, right: Right) -> list[str]:
        behind = self.graph.reach(right.role)
        for owner in self.owners:
            # One of the other side came in, and is not to be put out of its own side.
            if owner in behind:
                return self.graph.ways_in(right.role, owner)
        return self.graph.ways_out(subject.oid, right.role, self.own)
