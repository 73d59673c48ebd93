"""The provisioner's grant by which a reset sees the changed pages of a table.

`pg_visibility` reads two bits of each page and no data; its other functions stay out of reach.
"""

from __future__ import annotations

from psycopg import sql

EXTENSION = "pg_visibility"

_GRANT = sql.SQL(
    "CREATE EXTENSION IF NOT EXISTS {extension};"
    " GRANT EXECUTE ON FUNCTION pg_visibility_map(regclass), pg_visibility_map_summary(regclass)"
    " TO {owner}"
)


def grant(owner_role: str) -> sql.Composed:
    """What the provisioner runs, once, in the sandbox database."""
    return _GRANT.format(extension=sql.Identifier(EXTENSION), owner=sql.Identifier(owner_role))
