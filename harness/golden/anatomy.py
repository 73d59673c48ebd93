"""What has to be known of a table before its rows are put back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from psycopg import sql
from psycopg.rows import class_row

from harness.postgres.connection import load_sql
from harness.postgres.rendering import name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import LiteralString

    from harness.postgres.connection import Connection

SHADOW = "golden"
"""The schema of the shadow."""

_QUERY = load_sql(__package__, "anatomy.sql")


@dataclass(frozen=True, slots=True)
class Anatomy:
    """The columns of `anatomy.sql`.

    Args:
        oid: The table's OID.
        name: Its name, in schema public.
        has_rules: Whether a rule could turn a statement on it into another.
        is_forced: Whether its row policies bind its owner, too.
        columns: All columns, in their order.
        insertable: Those that are not generated.
        updatable: Of these, those that are not identities that are always generated.
        key: What tells its rows apart and is never null; None where nothing does.
        unique_indexes: How many indexes two rows can be in conflict in.
        triggers: The application's triggers that are not disabled, each with how it is enabled.
        rigid: Foreign keys that cannot be deferred.
        referenced: OIDs of the other tables that its foreign keys refer to.
    """

    oid: int
    name: str
    has_rules: bool
    is_forced: bool
    columns: list[str]
    insertable: list[str]
    updatable: list[str]
    key: list[str] | None
    unique_indexes: int
    triggers: list[str]
    rigid: list[str]
    referenced: list[int]

    @property
    def table(self) -> sql.SQL:
        """The table, for a statement."""
        return name("public", self.name)

    @property
    def shadow(self) -> sql.SQL:
        """Its shadow, for a statement."""
        return name(SHADOW, self.name)


def anatomies(connection: Connection, tables: Iterable[int]) -> dict[int, Anatomy]:
    """The anatomy of some tables, by OID."""
    tables = list(tables)
    if not tables:
        return {}
    with connection.cursor(row_factory=class_row(Anatomy)) as cursor:
        return {found.oid: found for found in cursor.execute(_QUERY, {"tables": tables})}


def tids(places: Iterable[str]) -> sql.Literal:
    """Places of rows as the text of an array; a list as a literal takes as long as to be read."""
    return sql.Literal("{" + ",".join(f'"{place}"' for place in places) + "}")


def listed(
    names: Iterable[str], of: str = "", suffix: LiteralString = "", separator: LiteralString = ", "
) -> sql.SQL:
    """Names as a part of a statement; rendered once, since that takes as long as to run it.

    Args:
        names: Columns, or tables.
        of: The alias, or the schema, that they are of.
        suffix: What comes behind each.
        separator: What comes between two.
    """
    return _listed(tuple(names), of, suffix, separator)


@cache
def _listed(
    names: tuple[str, ...], of: str, suffix: LiteralString, separator: LiteralString
) -> sql.SQL:
    each = (name(of, own) if of else name(own) for own in names)
    return sql.SQL(separator.join(one.as_string() + suffix for one in each))
