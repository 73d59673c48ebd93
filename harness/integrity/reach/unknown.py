"""What the audit does not know how to judge: each is a finding, never a pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.integrity.finding import Finding
from harness.integrity.reach.known import CLASSES, KINDS, MENTIONS, NEWEST_MAJOR, PREDEFINED_ROLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.integrity.catalogue.database import Contents
    from harness.integrity.catalogue.server import Holding, Server

_OWNERSHIP = 1
_PREDEFINED = 4
_REMEDY = "use a release of the harness that knows it; until then name it in the approved list"


def of_server(server: Server) -> Iterator[Finding]:
    """A version, or predefined roles, that came after this release."""
    if server.major > NEWEST_MAJOR:
        yield _unknown(_OWNERSHIP, f"PostgreSQL {server.major}", f"PostgreSQL {server.version}")
    for role in server.roles.values():
        since = PREDEFINED_ROLES.get(role.name, (NEWEST_MAJOR + 1, ""))[0]
        if role.is_predefined and since > server.major:
            yield _unknown(
                _PREDEFINED, f"predefined role {role.name}", f"PostgreSQL {server.version}"
            )


def of_database(contents: Contents) -> Iterator[Finding]:
    """Kinds of objects, of owners and of grants that this release does not know."""
    for kind in contents.kinds:
        if kind.name not in KINDS[kind.what]:
            yield _unknown(_OWNERSHIP, f"{kind.what} {kind.name}", f"database {contents.database}")


def of_holdings(server: Server, holdings: Iterable[Holding]) -> Iterator[Finding]:
    """What roles own, or are named in, in catalogues that this release does not know."""
    for holding in holdings:
        where = holding.database or "what all databases share"
        if holding.class_name not in CLASSES:
            what = f"an object of {holding.class_name} in {where}"
        elif holding.how not in MENTIONS:
            what = f"dependency {holding.how} on {holding.class_name} in {where}"
        else:
            continue
        yield _unknown(_OWNERSHIP, what, server.name(holding.role))


def _unknown(group: int, what: str, where: str) -> Finding:
    return Finding(
        id=f"postgresql/{group}/unknown/{what}",
        plane="postgresql",
        group=group,
        what=f"nobody has said here what {what} could do",
        chain=(where, what),
        closes=_REMEDY,
    )
