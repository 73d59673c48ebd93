"""Who could become whom: memberships as a graph."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from harness.integrity.reach import statements

if TYPE_CHECKING:
    from collections.abc import Container

    from harness.integrity.catalogue.server import Membership, Server

# GRANTED BY means something from here on; its superuser is the one that initdb made.
_GRANTORS_SINCE = 16
_FIRST_SUPERUSER = 10


class Graph:
    """The memberships of a server.

    A membership counts when any of its options is set: with INHERIT a member has the role's
    rights, with SET it can become it, and with ADMIN it can grant itself the others. Up to 15
    every membership counts.

    Args:
        server: The server.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._up: dict[int, list[Membership]] = {}
        self._down: dict[int, list[Membership]] = {}
        for membership in server.memberships:
            if membership.inherits or membership.sets or membership.administers:
                self._up.setdefault(membership.member, []).append(membership)
            if membership.inherits or membership.sets:
                self._down.setdefault(membership.role, []).append(membership)

    def reach(self, role: int) -> dict[int, tuple[str, ...]]:
        """Every role that a role is or could become, with the steps of a shortest way there."""
        found: dict[int, tuple[str, ...]] = {role: ()}
        queue = deque([role])
        while queue:
            member = queue.popleft()
            for membership in self._up.get(member, ()):
                if membership.role not in found:
                    found[membership.role] = (*found[member], self._tell(membership))
                    queue.append(membership.role)
        return found

    def members(self, role: int) -> set[int]:
        """Every role that has another's rights or can become it, transitively.

        Who may only administer it is not among them: that is whoever made the role.
        """
        found: set[int] = set()
        queue = [role]
        while queue:
            for membership in self._down.get(queue.pop(), ()):
                if membership.member not in found:
                    found.add(membership.member)
                    queue.append(membership.member)
        return found - {role}

    def is_implied(self, role: int, among: Container[int]) -> bool:
        """Whether a role is reached only because predefined roles are members of it."""
        members = [
            membership.member
            for membership in self._server.memberships
            if membership.role == role and membership.member in among
        ]
        return bool(members) and all(self._server.roles[member].is_predefined for member in members)

    def ways_out(self, start: int, target: int, own: Container[int]) -> list[str]:
        """The statements that cut every way from one role to another.

        Args:
            start: Where the ways begin.
            target: Where they end.
            own: Roles that `start` may well be or become; what leads out of them is cut.
        """
        leaving = [
            membership
            for member in self.reach(start)
            for membership in self._up.get(member, ())
            if (member == start or member in own)
            and membership.role not in own
            and target in self.reach(membership.role)
        ]
        return [self._cut(membership) for membership in leaving]

    def ways_in(self, start: int, role: int) -> list[str]:
        """The statements that keep one role out of another."""
        before = self.reach(start)
        return [
            self._cut(membership)
            for member in before
            for membership in self._up.get(member, ())
            if membership.role == role
        ]

    def _tell(self, membership: Membership) -> str:
        name = self._server.name(membership.role)
        if membership.sets:
            return f"member of {name}"
        return f"inherits {name}" if membership.inherits else f"may administer {name}"

    def _cut(self, membership: Membership) -> str:
        named = self._server.major >= _GRANTORS_SINCE
        return statements.leave(
            self._server.name(membership.role),
            self._server.name(membership.member),
            [
                self._server.name(grantor) if named and grantor != _FIRST_SUPERUSER else ""
                for grantor in membership.grantors
            ],
            passed_on=membership.administers,
        )
