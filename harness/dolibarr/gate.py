"""The gate that the first version of this tool had: few questions, asked of the content itself.

Verification compares the sandbox with prod object by object. The gate asks what a person would ask:
is this a whole Dolibarr, of the right company, and does it belong to the sandbox?
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import errors

from harness.postgres.connection import load_sql

if TYPE_CHECKING:
    from harness.postgres.connection import Connection
    from harness.postgres.fingerprint import Fingerprint

TABLE_PREFIX = "llx_"

_COMPANY = load_sql(__package__, "company.sql")
_STRANGERS = load_sql(__package__, "strangers.sql")


def dolibarr_tables(fingerprint: Fingerprint) -> int:
    """How many tables of the ERP a database holds."""
    return sum(name.startswith(TABLE_PREFIX) for name in fingerprint.rows)


def company_name(connection: Connection) -> str | None:
    """The company that the database belongs to, or None where it does not say."""
    try:
        row = connection.execute(_COMPANY).fetchone()
    except errors.UndefinedTable:
        return None
    return row[0] if row else None


def gate(
    connection: Connection, fingerprint: Fingerprint, *, company: str | None, minimum_tables: int
) -> list[str]:
    """What speaks against the content of the sandbox; empty if nothing does.

    Args:
        connection: A session on the sandbox.
        fingerprint: What the sandbox holds.
        company: The company that it must belong to.
        minimum_tables: Fewest tables of a whole Dolibarr.
    """
    found = []
    if (tables := dolibarr_tables(fingerprint)) < minimum_tables:
        found.append(f"{tables} {TABLE_PREFIX}* tables, expected at least {minimum_tables}")
    if (present := company_name(connection)) != company:
        found.append(f"the company is {present!r}, expected {company!r}")
    return found


def strangers(
    connection: Connection, owner_role: str, provisioner_functions: tuple[str, ...]
) -> list[str]:
    """Objects in schema public that belong to somebody else than `owner_role`, with their owner."""
    values = (owner_role, list(provisioner_functions))
    return [
        f"{kind} {name} of {owner}" for kind, name, owner in connection.execute(_STRANGERS, values)
    ]
