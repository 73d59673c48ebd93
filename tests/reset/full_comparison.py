"""What changed between two moments, by reading everything twice; it shares no line with a reset."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.golden.changes import Changes

    from .ground import Session

    Row = tuple[str | None, ...]

_TABLES = """
SELECT class.relname::text,
       coalesce(array_agg(attribute.attname::text ORDER BY attnum)
           FILTER (WHERE attnum IS NOT NULL), '{}'),
       coalesce(array_agg(format_type(atttypid, atttypmod) ORDER BY attnum)
           FILTER (WHERE attnum IS NOT NULL), '{}'),
       coalesce((
           SELECT array_agg(k.attname::text ORDER BY k.attnum)
           FROM (
               -- The primary key, else the first index that tells every row from every other.
               SELECT indkey FROM pg_index
               WHERE indrelid = class.oid AND indisunique
                 AND indpred IS NULL AND indexprs IS NULL
                 AND NOT EXISTS (
                     SELECT FROM pg_attribute AS part
                     WHERE part.attrelid = class.oid AND part.attnum = ANY (indkey)
                       AND NOT part.attnotnull
                 )
               ORDER BY indisprimary DESC, indexrelid LIMIT 1
           ) AS chosen
           JOIN pg_attribute AS k ON k.attrelid = class.oid AND k.attnum = ANY (indkey)
       ), '{}')
FROM pg_class AS class
LEFT JOIN pg_attribute AS attribute
  ON attribute.attrelid = class.oid AND attnum > 0 AND NOT attisdropped
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
GROUP BY class.oid, relname
"""
_SEQUENCES = """
SELECT relname::text FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'S' ORDER BY 1
"""
_LARGE_OBJECTS = "SELECT oid::bigint, lo_get(oid) FROM pg_largeobject_metadata ORDER BY 1"


@dataclass(frozen=True)
class Table:
    """The rows of one table.

    Args:
        columns: Type of each, by name, in their order.
        key: Columns of its key; empty if there is none.
        rows: Each as the server writes it, sorted.
    """

    columns: Mapping[str, str]
    key: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def form(self) -> tuple[Any, ...]:
        """What must be the same for rows to be comparable."""
        return tuple(self.columns.items()), self.key

    def named(self, row: Row) -> dict[str, str | None]:
        """A row by column."""
        return dict(zip(self.columns, row, strict=True))

    def by_key(self) -> dict[tuple[Any, ...], dict[str, str | None]]:
        """Rows by the text of their key."""
        named = map(self.named, self.rows)
        found = {tuple(row[column] for column in self.key): row for row in named}
        assert len(found) == len(self.rows)
        return found


@dataclass(frozen=True)
class Content:
    """Everything that a rehearsal can change, and a row list shows.

    Args:
        tables: By name.
        sequences: Last value of each, and whether it was called.
        large_objects: Bytes of each.
    """

    tables: dict[str, Table]
    sequences: dict[str, tuple[int, bool]]
    large_objects: dict[int, bytes]

    @classmethod
    def read(cls, session: Session) -> Content:
        """What there is now."""
        with session.transaction():
            session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            tables = {
                table: Table(
                    dict(zip(columns, types, strict=True)),
                    tuple(key),
                    _rows(session, table, columns),
                )
                for table, columns, types, key in session.execute(_TABLES).fetchall()
            }
            sequences = {}
            for (sequence,) in session.execute(_SEQUENCES).fetchall():
                query = sql.SQL("SELECT last_value, is_called FROM {}")
                found = session.execute(query.format(sql.Identifier("public", sequence)))
                sequences[sequence] = found.fetchone()
            return cls(tables, sequences, dict(session.execute(_LARGE_OBJECTS).fetchall()))


@dataclass(frozen=True)
class Changed:
    """What became of the rows of one table, every one of them.

    Args:
        rows: How often each change happened: kind, key, before and after.
    """

    rows: Counter[tuple[str, frozenset[Any], frozenset[Any], frozenset[Any]]]

    def count(self, kind: str) -> int:
        """How many of a kind."""
        return sum(number for (each, *_), number in self.rows.items() if each == kind)


def change(
    kind: str,
    key: Mapping[str, str | None],
    before: Mapping[str, str | None],
    after: Mapping[str, str | None],
) -> tuple[str, frozenset[Any], frozenset[Any], frozenset[Any]]:
    """One change, to be compared."""
    return kind, frozenset(key.items()), frozenset(before.items()), frozenset(after.items())


def told(found: Changes) -> tuple[Any, ...]:
    """A list of changes, to be compared with another: rows are listed in any order."""
    tables = {
        each.table: Counter(change(row.kind, row.key, row.before, row.after) for row in each.rows)
        for each in found.tables
    }
    totals = {each.table: (each.inserted, each.updated, each.deleted) for each in found.tables}
    return tables, totals, found.sequences, found.objects, found.uncounted


def changed(golden: Content, now: Content) -> dict[str, Changed]:
    """The changed tables, by name, of those that are there on both sides in the same form."""
    found = {}
    both = golden.tables.keys() & now.tables.keys()
    for table in both - of_another_form(golden, now):
        if rows := _changes(golden.tables[table], now.tables[table]):
            found[table] = Changed(rows)
    return found


def of_another_form(golden: Content, now: Content) -> set[str]:
    """Tables that are there on both sides, and whose rows cannot be compared."""
    both = golden.tables.keys() & now.tables.keys()
    return {table for table in both if golden.tables[table].form != now.tables[table].form}


def moved(golden: Content, now: Content) -> dict[str, tuple[Any, Any]]:
    """Where each sequence that moved stood and stands; None where there was or is none."""
    return {
        each: (golden.sequences.get(each), now.sequences.get(each))
        for each in golden.sequences.keys() | now.sequences.keys()
        if golden.sequences.get(each) != now.sequences.get(each)
    }


def _changes(before: Table, after: Table) -> Counter[Any]:
    if not before.key:
        old, new = Counter(before.rows), Counter(after.rows)
        found = Counter[Any]()
        for row, number in (new - old).items():
            found[change("inserted", after.named(row), {}, after.named(row))] = number
        for row, number in (old - new).items():
            found[change("deleted", before.named(row), before.named(row), {})] = number
        return found
    was, stands = before.by_key(), after.by_key()
    found = Counter[Any]()
    for key in was.keys() | stands.keys():
        one, other = was.get(key), stands.get(key)
        if one == other:
            continue
        row = other or one
        assert row
        named = {column: row[column] for column in before.key}
        if one is None or other is None:
            kind = "inserted" if one is None else "deleted"
            found[change(kind, named, one or {}, other or {})] += 1
        else:
            differing = [column for column in one if one[column] != other[column]]
            found[
                change(
                    "updated",
                    named,
                    {column: one[column] for column in differing},
                    {column: other[column] for column in differing},
                )
            ] += 1
    return found


def _rows(session: Session, table: str, columns: list[str]) -> tuple[Row, ...]:
    query = sql.SQL("SELECT {texts} FROM ONLY {table}").format(
        texts=sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(c)) for c in columns),
        table=sql.Identifier("public", table),
    )
    rows = session.execute(query).fetchall()
    return tuple(sorted(rows, key=str))
