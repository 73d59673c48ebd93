"""What the API reads: each answer is one statement's, so of one moment, and comes as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.postgres.connection import load_sql

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    Session = AsyncConnection[tuple[Any, ...]]
    Told = dict[str, Any]

_INVOICES = load_sql(__package__, "sql/invoices.sql")
_THIRD_PARTY = load_sql(__package__, "sql/third_party.sql")
_CONSTANT = "SELECT value FROM public.llx_const WHERE name = %(name)s AND entity = 1"
_MOST_INVOICES = 100


async def invoices(session: Session, told: Told) -> list[Any]:
    """The newest invoices with their lines; told how many."""
    values = {"id": None, "limit": told.get("limit", _MOST_INVOICES)}
    return [found for (found,) in await (await session.execute(_INVOICES, values)).fetchall()]


async def invoice(session: Session, told: Told) -> Any:
    """One invoice with its lines, or None."""
    return await first(session, _INVOICES, {"id": told["id"], "limit": 1})


async def third_party(session: Session, told: Told) -> Any:
    """One third party, or None."""
    return await first(session, _THIRD_PARTY, told)


async def constant(session: Session, told: Told) -> Any:
    """The value of a setting, or None."""
    return await first(session, _CONSTANT, told)


async def first(session: Session, query: Any, values: Told) -> Any:
    """The first column of the first row, or None where there is no row."""
    row = await (await session.execute(query, values)).fetchone()
    return None if row is None else row[0]
