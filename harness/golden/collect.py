"""The account of what a rehearsal changed, from what was matched."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psycopg import sql

from harness.dolibarr.secrets import naming_columns
from harness.golden.anatomy import listed, tids
from harness.golden.changes import Changes, RowChange, SequenceChange, TableChanges
from harness.postgres.batches import batches
from harness.postgres.rendering import joined, rendered, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.golden.baseline import Baseline
    from harness.golden.match import Matched
    from harness.postgres.connection import Connection
    from harness.postgres.fingerprint import Position

    _Values = Mapping[str, str | None]

_ROWS = sql.SQL(
    "SELECT {name}, {is_now}, ctid::text, ARRAY[{columns}]::text[]"
    " FROM ONLY {table} WHERE ctid = ANY ({places}::tid[])"
)
_TABLES_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class _Listed:
    """The rows of one table that are listed: as they are by place, and as they were by source."""

    table: Matched
    limit: int
    now: dict[str, _Values] = field(default_factory=dict)
    was: dict[str, _Values] = field(default_factory=dict)

    def rows(self) -> Iterator[RowChange]:
        now, was = self.now, self.was
        for source, place in self.table.changed[: self.limit]:
            yield self._updated(was[source], now[place])
        for place in self.table.new[: self.limit]:
            yield RowChange("inserted", self._key(now[place]), {}, now[place])
        for source in self.table.missing[: self.limit]:
            yield RowChange("deleted", self._key(was[source]), was[source], {})

    def _updated(self, was: _Values, now: _Values) -> RowChange:
        differing = [column for column in was if was[column] != now[column]]
        return RowChange(
            "updated",
            self._key(now),
            {column: was[column] for column in differing},
            {column: now[column] for column in differing},
        )

    def _key(self, row: _Values) -> _Values:
        """What the row is called: its key, and of a setting its name."""
        columns = [*(self.table.anatomy.key or row), *naming_columns(row)]
        return {column: row[column] for column in columns}


def collect(
    connection: Connection,
    matched: Sequence[Matched],
    sequences: Mapping[str, Position],
    baseline: Baseline,
    limit: int,
) -> Changes:
    """Tell what was changed, with the first rows of each table; nothing is put back yet.

    Args:
        connection: The session.
        matched: What became of each row.
        sequences: Where the sequences stand.
        baseline: What was.
        limit: How many rows of each kind and table are listed.
    """
    changed = [_Listed(table, limit) for table in matched if not table.is_golden]
    for some in batches(changed, _TABLES_AT_ONCE):
        _fetch(connection, some)
    return Changes(
        generation=baseline.generation,
        tables=tuple(
            TableChanges(
                table=rows.table.anatomy.name,
                inserted=len(rows.table.new),
                updated=len(rows.table.changed),
                deleted=len(rows.table.missing),
                rows=tuple(rows.rows()),
            )
            for rows in sorted(changed, key=lambda rows: rows.table.anatomy.name)
        ),
        sequences=tuple(moved(sequences, baseline)),
        listed=limit,
    )


def moved(sequences: Mapping[str, Position], baseline: Baseline) -> Iterator[SequenceChange]:
    """Sequences that do not stand where they stood, by name."""
    now = {name: (found.last_value, found.is_called) for name, found in sequences.items()}
    for name in sorted(now.keys() | baseline.sequences.keys()):
        before, after = baseline.sequences.get(name), now.get(name)
        if before != after:
            yield SequenceChange(name, before, after)


def _fetch(connection: Connection, tables: Sequence[_Listed]) -> None:
    by_name = {rows.table.anatomy.name: rows for rows in tables}
    parts = [part for rows in tables for part in _both(rows)]
    if not parts:
        return
    query = joined(" UNION ALL ", parts)
    for name, is_now, place, values in connection.execute(query).fetchall():
        rows = by_name[name]
        found = dict(zip(rows.table.anatomy.columns, values, strict=True))
        (rows.now if is_now else rows.was)[place] = found


def _both(rows: _Listed) -> Iterator[sql.SQL]:
    table, limit, anatomy = rows.table, rows.limit, rows.table.anatomy
    places = [*(place for _source, place in table.changed[:limit]), *table.new[:limit]]
    sources = [*(source for source, _place in table.changed[:limit]), *table.missing[:limit]]
    for is_now, stored, wanted in ((True, anatomy.table, places), (False, anatomy.shadow, sources)):
        if wanted:
            yield rendered(
                _ROWS,
                name=text(anatomy.name),
                is_now=sql.SQL(str(is_now)),
                columns=listed(anatomy.columns, suffix="::text"),
                table=stored,
                places=tids(wanted),
            )
