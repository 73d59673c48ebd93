"""How much of what everybody on the server shares one identity gets: slots, locks, space, time.

None of it can be refused altogether. What is told is how far it went and what prod felt; where
nothing but the server's size ends it, that no limit is stated.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg import errors, sql

from harness.integrity.attacks.hand import RefusedToConnectError
from harness.integrity.twin.server import CONNECTIONS, LIMIT
from harness.postgres.connection import one

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.integrity.attacks.hand import Hand
    from harness.integrity.attacks.prod_watch import ProdWatch
    from harness.integrity.twin.identity import Identity
    from harness.integrity.twin.server import Twin
    from harness.postgres.connection import Connection

_TOO_MANY = "too many connections for "
_LOCKS = sql.SQL(
    "SELECT pg_catalog.count(pg_catalog.pg_advisory_xact_lock(n))"
    " FROM pg_catalog.generate_series({first}, {last}) AS n"
)
_MOST_LOCKS = 100_000
_SPILL = "SELECT count(*) FROM (SELECT n FROM generate_series(1, 60000) AS n ORDER BY -n) AS sorted"
_SMALL_LIMIT = 1024  # kB: one that the few rows of _SPILL go beyond
_PROBE = sql.Identifier("public", "twin_probe")


@dataclass(frozen=True, slots=True)
class Reach:
    """What an attempt on something shared has shown.

    Args:
        told: How far it went and what prod felt, in a few words.
        bounded: Whether a limit that the target states ended it, or prod felt nothing of it.
    """

    told: str
    bounded: bool


@dataclass(frozen=True, slots=True)
class Measure:
    """An attempt on something shared.

    Args:
        name: What is attempted, in plain words.
        statement: By what.
        closes: What bounds it.
        take: Makes the attempt.
    """

    name: str
    statement: str
    closes: str
    take: Callable[[Twin, Identity, Hand, ProdWatch], Reach]


def _connection_slots(twin: Twin, identity: Identity, hand: Hand, _prod: ProdWatch) -> Reach:
    refusals: dict[str, str] = {}
    taken = 0
    with ExitStack() as undo:
        for database in (twin.sandbox_database, "postgres", "template1", twin.prod.database):
            while database not in refusals:
                try:
                    undo.enter_context(hand.open(database))
                    taken += 1
                except RefusedToConnectError as refusal:
                    refusals[database] = refusal.found or ""
        kept_out = _why_prod_is_kept_out(twin)
    if kept_out:
        told = f"none stated; after {taken} sessions of {CONNECTIONS} prod got no more: {kept_out}"
        return Reach(told, bounded=False)
    stated, slots = _stated(twin, identity, refusals), _slots(twin)
    if stated >= slots:
        told = f"none stated: limits that sum up to {stated}, on a server of {slots} sessions"
        return Reach(told, bounded=False)
    return Reach(f"{stated} sessions of {slots}, and prod still got in", bounded=True)


def _why_prod_is_kept_out(twin: Twin) -> str | None:
    try:
        with twin.prod_session():
            return None
    except psycopg.OperationalError as error:
        return " ".join(str(error).rpartition("FATAL:")[2].split())


def _stated(twin: Twin, identity: Identity, refusals: Mapping[str, str]) -> int:
    """How many sessions the target's own limits leave it."""
    limited = {
        ("ROLE", identity.user) if said.startswith(f"{_TOO_MANY}role") else ("DATABASE", database)
        for database, said in refusals.items()
        if said.startswith(_TOO_MANY)
    }
    return sum(twin.limits.get(name, LIMIT) for name in limited)


def _slots(twin: Twin) -> int:
    settings = twin.blueprint.sandbox.plan.settings
    return int(settings["max_connections"]) - int(settings["superuser_reserved_connections"])


def _lock_table(_twin: Twin, _identity: Identity, hand: Hand, prod: ProdWatch) -> Reach:
    session = hand.session_anywhere()
    session.execute("BEGIN")
    try:
        taken = _take_locks(session)
        felt = prod.cannot_write()
    finally:
        session.execute("ROLLBACK")
    told = f"{taken} locks in one transaction"
    if felt:
        return Reach(f"none stated; after {told} prod could not write: {felt}", bounded=False)
    return Reach(f"{told}, and prod could write meanwhile", bounded=True)


def _take_locks(session: Connection) -> int:
    taken, step = 0, 1000
    while step and taken < _MOST_LOCKS:
        session.execute("SAVEPOINT more")
        try:
            session.execute(
                _LOCKS.format(first=sql.Literal(taken), last=sql.Literal(taken + step - 1))
            )
            taken += step
        except errors.OutOfMemory:
            session.execute("ROLLBACK TO SAVEPOINT more")
            step //= 10
    return taken


def _temporary_files(_twin: Twin, _identity: Identity, hand: Hand, _prod: ProdWatch) -> Reach:
    session = hand.session_anywhere()
    limit = one(session, "SELECT setting::int FROM pg_settings WHERE name = 'temp_file_limit'")[0]
    session.execute("SET work_mem = '64kB'")
    try:
        session.execute(_SPILL)
    except errors.ConfigurationLimitExceeded:
        return Reach(f"{limit} kB for each session, where it was stopped", bounded=True)
    if limit >= _SMALL_LIMIT:
        return Reach(f"{limit} kB for each session", bounded=True)
    return Reach("none stated; a sort wrote as much as it liked", bounded=False)


def _vacuum(twin: Twin, _identity: Identity, hand: Hand, _prod: ProdWatch) -> Reach:
    session = hand.session_anywhere()
    with twin.administer() as admin:
        admin.execute(sql.SQL("CREATE TABLE {} AS SELECT 1 AS id").format(_PROBE))
        try:
            session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            session.execute("SELECT pg_catalog.pg_current_xact_id()")
            admin.execute(sql.SQL("DELETE FROM {}").format(_PROBE))
            admin.execute(sql.SQL("VACUUM {}").format(_PROBE))
            left = one(
                admin, "SELECT pg_catalog.pg_relation_size(%s::regclass)", _PROBE.as_string(admin)
            )[0]
        finally:
            session.execute("ROLLBACK")
            admin.execute(sql.SQL("DROP TABLE {}").format(_PROBE))
    if left:
        return Reach("none stated; rows that prod had deleted could not be vacuumed", bounded=False)
    return Reach("prod's own tables were vacuumed meanwhile", bounded=True)


MEASURES = (
    Measure(
        "take every connection slot",
        "connect again and again",
        "ALTER DATABASE … CONNECTION LIMIT for every database that it may enter, and ALTER ROLE …"
        " CONNECTION LIMIT for the login",
        _connection_slots,
    ),
    Measure(
        "fill the shared lock table",
        "SELECT pg_advisory_xact_lock(n) FROM generate_series(…) AS n",
        "a larger max_locks_per_transaction; PostgreSQL has no limit for one role",
        _lock_table,
    ),
    Measure(
        "fill the disk with temporary files",
        f"SET work_mem = '64kB'; {_SPILL}",
        "ALTER ROLE … SET temp_file_limit, by a superuser",
        _temporary_files,
    ),
    Measure(
        "hold back prod's vacuum",
        "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_current_xact_id()",
        "ALTER ROLE … SET idle_in_transaction_session_timeout; the role can set it back",
        _vacuum,
    ),
)
