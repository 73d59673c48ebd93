"""How prod is on a twin: what an attempt must leave as it was.

A look costs a fraction of a millisecond and is taken after every attempt. Whatever changes a table
or a catalogue is written ahead in the WAL, so only where that has moved everything is compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql
from psycopg.rows import dict_row

from harness.postgres.connection import load_sql, one

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.integrity.twin.made_up import Table
    from harness.postgres.connection import Connection

_LOOK = load_sql(__package__, "look.sql")
_WAL = "WAL"
_CATALOGUES = """
SELECT relname::text FROM pg_catalog.pg_class WHERE relnamespace = 'pg_catalog'::regnamespace
"""
# What all databases share, row by row.
_SHARED = (
    "pg_auth_members", "pg_authid", "pg_database", "pg_db_role_setting", "pg_file_settings",
    "pg_parameter_acl", "pg_prepared_xacts", "pg_replication_origin", "pg_replication_slots",
    "pg_shdescription", "pg_shseclabel", "pg_subscription", "pg_tablespace",
)  # fmt: skip
# What prod alone has, row by row: a vacuum changes it without a new version of the row.
_OF_PROD = ("pg_class",)
# The same, by its versions: there are tens of thousands of rows.
_VERSIONED = (
    "pg_attrdef", "pg_attribute", "pg_cast", "pg_collation", "pg_constraint", "pg_default_acl",
    "pg_depend", "pg_description", "pg_enum", "pg_event_trigger", "pg_extension",
    "pg_foreign_data_wrapper", "pg_foreign_server", "pg_foreign_table", "pg_index", "pg_inherits",
    "pg_language", "pg_largeobject", "pg_largeobject_metadata", "pg_namespace", "pg_opclass",
    "pg_operator", "pg_policy", "pg_proc", "pg_publication", "pg_publication_rel", "pg_rewrite",
    "pg_seclabel", "pg_sequence", "pg_statistic", "pg_statistic_ext", "pg_trigger", "pg_type",
    "pg_user_mapping",
)  # fmt: skip
_ROWS = sql.SQL(
    "SELECT {what},"
    " coalesce(pg_catalog.sum(pg_catalog.hashtextextended(t::text, 0)), 0)::text"
    " || ' ' || pg_catalog.count(*) FROM {relation} AS t"
)
_VERSIONS = sql.SQL(
    "SELECT {what}, pg_catalog.count(*)"
    " || ' ' || pg_catalog.count(*) FILTER ("
    " WHERE pg_catalog.age(t.xmin) <= pg_catalog.age({since}))"
    " FROM {relation} AS t"
)
_SIZES = (
    "SELECT 'size of every table', pg_catalog.sum(pg_catalog.pg_relation_size(oid))::text"
    " FROM pg_catalog.pg_class WHERE relkind IN ('r', 'm') AND oid >= 16384"
)
_POSITION = sql.SQL("SELECT {what}, last_value || ' ' || is_called FROM {sequence}")
_AT_ONCE = 100
_SEQUENCES = """
SELECT pg_catalog.format('%I.%I', namespace.nspname, class.relname)
FROM pg_catalog.pg_class AS class
JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE class.relkind = 'S' ORDER BY 1
"""


class Guard:
    """Watches prod on a twin.

    Args:
        admin: A superuser's session on prod's database.
        tables: Tables whose rows are compared.
    """

    def __init__(self, admin: Connection, tables: Iterable[Table]) -> None:
        self._admin = admin
        self._tables = tuple(tables)
        self.accept()

    def accept(self) -> None:
        """Take prod as it is now for what it should be."""
        since = one(self._admin, "SELECT pg_catalog.pg_current_xact_id()::text")[0]
        self._query = sql.SQL(" UNION ALL ").join(self._parts(since))
        self._look = self._take_look()
        self._whole = self._take_whole()

    def changed(self) -> list[str]:
        """What is no longer as it was; empty where everything is."""
        look = self._take_look()
        found = [name for name, value in look.items() if value != self._look[name]]
        if _WAL not in found:
            return found
        self._look[_WAL] = look[_WAL]
        whole = self._take_whole()
        return [
            *(name for name in found if name != _WAL),
            *(name for name in whole if whole[name] != self._whole[name]),
        ]

    def everything(self) -> dict[str, str]:
        """All of it, with the size of every table and the position of every sequence."""
        positions: dict[str, str] = {}
        names = [name for (name,) in self._admin.execute(_SEQUENCES)]
        for start in range(0, len(names), _AT_ONCE):
            query = sql.SQL(" UNION ALL ").join(
                _POSITION.format(what=sql.Literal(f"sequence {name}"), sequence=sql.SQL(name))
                for name in names[start : start + _AT_ONCE]
            )
            positions |= dict(self._admin.execute(query).fetchall())
        return {**self._take_whole(), **dict(self._admin.execute(_SIZES).fetchall()), **positions}

    def _take_look(self) -> dict[str, str]:
        with self._admin.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(_LOOK).fetchone() or {}

    def _take_whole(self) -> dict[str, str]:
        return dict(self._admin.execute(self._query, prepare=True).fetchall())

    def _parts(self, since: str) -> Iterator[sql.Composed]:
        here = {name for (name,) in self._admin.execute(_CATALOGUES)}
        for name in (*_SHARED, *_OF_PROD):
            if name in here:
                catalogue = sql.Identifier("pg_catalog", name)
                yield _ROWS.format(what=sql.Literal(name), relation=catalogue)
        for name in _VERSIONED:
            yield _VERSIONS.format(
                what=sql.Literal(name),
                since=sql.SQL("{}::xid").format(sql.Literal(since)),
                relation=sql.Identifier("pg_catalog", name),
            )
        for table in self._tables:
            what = sql.Literal(f"rows of {table.schema}.{table.name}")
            yield _ROWS.format(what=what, relation=table.identifier)
