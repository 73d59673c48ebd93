"""Two questions that a scenario asks of both sides, answered without an attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.postgres.connection import Run, connect, one

if TYPE_CHECKING:
    from harness.settings import Settings
    from harness.sides import Prod, Sandbox

_DATABASES = "SELECT oid::bigint, datname::text FROM pg_catalog.pg_database ORDER BY oid"


def databases(sandbox: Sandbox, settings: Settings) -> list[tuple[int, str]]:
    """OID and name of every database of the server: one made anew has another OID."""
    with connect(sandbox, Run(), "audit", settings.deadlines, read_only=True) as session:
        return session.execute(_DATABASES).fetchall()


def starts_read_only(prod: Prod, settings: Settings) -> bool:
    """Whether a session of the harness on prod starts its transactions read-only."""
    with connect(prod, Run(), "audit", settings.deadlines) as session:
        answer: str = one(session, "SHOW transaction_read_only")[0]
        return answer == "on"
