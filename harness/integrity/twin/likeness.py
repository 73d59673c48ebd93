"""Whether a twin is one: the same owners, rights and roles as the target, object by object.

A twin that a dump filled only in part would refuse every attempt, and prove nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.postgres.connection import load_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.postgres.connection import Connection

    Likeness = frozenset[tuple[str, str, str]]
    """Kind, name and definition of everything that decides who may do what."""

_DATABASE = load_sql(__package__, "likeness.sql")
_SHARED = load_sql(__package__, "likeness_shared.sql")
_PARAMETERS_GRANTED = 15
_PARAMETERS = """
SELECT
    'parameter', parname,
    (SELECT string_agg(item::text, ',' ORDER BY item::text) FROM unnest(paracl) AS item)
FROM pg_catalog.pg_parameter_acl
"""


def of_database(session: Connection) -> Likeness:
    """What decides who may do what in the session's database."""
    return frozenset(session.execute(_DATABASE))


def of_server(
    session: Connection, databases: Sequence[str], own_roles: Sequence[str] = ()
) -> Likeness:
    """What decides who may do what on the whole server.

    Args:
        session: A session on it.
        databases: The databases that count.
        own_roles: Roles that do not: a twin has some more than its target.
    """
    values = {"databases": list(databases), "own_roles": list(own_roles)}
    shared = frozenset(session.execute(_SHARED, values))
    if session.info.server_version // 10000 < _PARAMETERS_GRANTED:
        return shared
    return shared | frozenset(session.execute(_PARAMETERS))


def differing(target: Likeness, twin: Likeness) -> list[str]:
    """Kind and name of each object that is missing, too many, or defined otherwise."""
    return sorted({f"{kind} {name}" for kind, name, _definition in target ^ twin})
