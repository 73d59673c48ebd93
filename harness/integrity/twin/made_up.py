"""What the attempts reach for on a twin: made-up rows, a large object, and what is there already.

Where rights differ from one object to the next, one of each kind of rights is reached for.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from psycopg import Error, sql

from harness.postgres.connection import load_sql, one

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.postgres.connection import Connection

    Candidate = tuple[str, str, str, str, list[str], list[str], list[str]]

_TABLES = load_sql(__package__, "made_up_tables.sql")
_DEFINERS = load_sql(__package__, "definers.sql")
_MAKE_LARGE_OBJECT = """
SELECT pg_catalog.lo_from_bytea(0, 'made up')
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata)
"""
_LARGE_OBJECTS = """
SELECT pg_catalog.min(oid) FROM pg_catalog.pg_largeobject_metadata
GROUP BY lomowner, lomacl::text ORDER BY 1
"""
_SEQUENCES = """
SELECT DISTINCT ON (class.relowner, class.relacl::text, namespace.nspacl::text)
    namespace.nspname::text, class.relname::text
FROM pg_catalog.pg_class AS class
JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE class.relkind = 'S' AND namespace.nspname !~ '^(pg_|information_schema$)'
ORDER BY class.relowner, class.relacl::text, namespace.nspacl::text, 1, 2
"""
_VIEWS = """
SELECT DISTINCT ON (class.relowner, class.relacl::text)
    namespace.nspname::text, class.relname::text
FROM pg_catalog.pg_class AS class
JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE class.relkind IN ('v', 'm', 'f') AND namespace.nspname !~ '^(pg_|information_schema$)'
  AND pg_catalog.pg_get_userbyid(class.relowner) <> %(owner)s
  AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend AS member
      WHERE member.classid = 'pg_catalog.pg_class'::regclass AND member.objid = class.oid
        AND member.deptype = 'e'
  )
ORDER BY class.relowner, class.relacl::text, 1, 2
"""
_PARAMETERS = """
SELECT granted.parname, coalesce(setting.context LIKE 'superuser%%', false)
FROM pg_catalog.pg_parameter_acl AS granted
LEFT JOIN pg_catalog.pg_settings AS setting ON setting.name = granted.parname
ORDER BY 1
"""
_PARAMETERS_GRANTED = 15
_OF_SUPERUSERS = "log_statement"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of prod on the twin.

    Args:
        schema: Its schema.
        name: Its name.
        column: One of its columns.
    """

    schema: str
    name: str
    column: str

    @property
    def identifier(self) -> sql.Identifier:
        """Its name with its schema."""
        return sql.Identifier(self.schema, self.name)


@dataclass(frozen=True, slots=True)
class MadeUp:
    """What was made up.

    Args:
        tables: A table of each kind of rights, the most frequent first.
        empty: How many of them got no row, because their constraints or their code refused.
        large_objects: OIDs of large objects, one of each kind of rights.
    """

    tables: tuple[Table, ...]
    empty: int
    large_objects: tuple[int, ...]


def make_up(owner: Connection) -> MadeUp:
    """Insert a row into a table of each kind of rights, as their owner, and make a large object.

    What an earlier call has made up is used again.

    Args:
        owner: A session on prod's database of the twin, acting as the owner of its tables.
    """
    tables = []
    empty = 0
    for _rights, candidates in groupby(owner.execute(_TABLES).fetchall(), itemgetter(0)):
        table, has_row = _fill_one(owner, candidates)
        tables.append(table)
        empty += not has_row
    owner.execute(_MAKE_LARGE_OBJECT)
    large_objects = (oid for (oid,) in owner.execute(_LARGE_OBJECTS))
    return MadeUp(tuple(tables), empty, tuple(large_objects))


def sequences(session: Connection) -> list[sql.Identifier]:
    """A sequence of each kind of rights in the session's database."""
    return [sql.Identifier(*found) for found in session.execute(_SEQUENCES)]


def definers(session: Connection, owner: str) -> list[sql.SQL]:
    """Calls of functions that run as their owner, one of each kind of rights.

    Args:
        session: A session on the database.
        owner: A role whose functions give nothing to whoever could act as it anyway.
    """
    return [sql.SQL(call) for (call,) in session.execute(_DEFINERS, {"owner": owner})]


def views(session: Connection, owner: str) -> list[sql.Identifier]:
    """Views and foreign tables of others than `owner`, one of each kind of rights."""
    return [sql.Identifier(*found) for found in session.execute(_VIEWS, {"owner": owner})]


def parameters(session: Connection) -> tuple[list[sql.Identifier], list[sql.Identifier]]:
    """Parameters on which something is granted, and those among them that superusers set.

    In each there is one at least on which nothing need be granted.
    """
    everything, superusers = [_OF_SUPERUSERS], [_OF_SUPERUSERS]
    if session.info.server_version // 10000 >= _PARAMETERS_GRANTED:
        for name, only_superusers in session.execute(_PARAMETERS):
            everything.append(name)
            if only_superusers:
                superusers.append(name)
    return _named(everything), _named(superusers)


def _named(parameters: list[str]) -> list[sql.Identifier]:
    return [sql.Identifier(*name.split(".")) for name in dict.fromkeys(parameters)]


def _fill_one(owner: Connection, candidates: Iterable[Candidate]) -> tuple[Table, bool]:
    """A table with a row, or where none takes one, the first without."""
    tables = []
    for _rights, schema, name, column, columns, types, texts in candidates:
        table = Table(schema, name, column)
        tables.append(table)
        try:
            if not one(owner, sql.SQL("SELECT EXISTS (TABLE {})").format(table.identifier))[0]:
                owner.execute(_insert(table, columns, types, texts))
        except Error:
            continue
        return table, True
    return tables[0], False


def _insert(table: Table, columns: list[str], types: list[str], texts: list[str]) -> sql.Composed:
    if not columns:
        return sql.SQL("INSERT INTO {} DEFAULT VALUES").format(table.identifier)
    values = (
        sql.SQL("{}::{}").format(sql.Literal(text), sql.SQL(kind))
        for text, kind in zip(texts, types, strict=True)
    )
    return sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        table.identifier,
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(values),
    )
