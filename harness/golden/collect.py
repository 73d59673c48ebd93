"""The account of what a rehearsal changed, from what was matched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

from harness.dolibarr.secrets import naming_columns
from harness.golden.anatomy import listed
from harness.golden.changes import Changes, RowChange, SequenceChange, TableChanges

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from harness.golden.anatomy import Anatomy
    from harness.golden.baseline import Baseline
    from harness.golden.match import Matched
    from harness.postgres.connection import Connection
    from harness.postgres.fingerprint import Position

    _Values = Mapping[str, str | None]

_ROWS = sql.SQL(
    "SELECT ctid::text, ARRAY[{columns}]::text[] FROM {table} WHERE ctid = ANY ({places}::tid[])"
)


@dataclass(frozen=True, slots=True)
class _Listed:
    """The rows of one table that are listed, still to be fetched."""

    table: Matched
    limit: int
    present: Iterable[tuple[str, list[str | None]]]
    golden: Iterable[tuple[str, list[str | None]]]

    def rows(self) -> Iterator[RowChange]:
        columns = self.table.anatomy.columns
        now = {place: dict(zip(columns, row, strict=True)) for place, row in self.present}
        was = {source: dict(zip(columns, row, strict=True)) for source, row in self.golden}
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
    changed = [table for table in matched if not table.is_golden]
    with connection.pipeline():
        listed = [_ask(connection, table, limit) for table in changed]
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
            for rows in sorted(listed, key=lambda rows: rows.table.anatomy.name)
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


def _ask(connection: Connection, table: Matched, limit: int) -> _Listed:
    anatomy = table.anatomy
    places = [*(place for _source, place in table.changed[:limit]), *table.new[:limit]]
    sources = [*(source for source, _place in table.changed[:limit]), *table.missing[:limit]]
    return _Listed(
        table,
        limit,
        present=connection.execute(_rows(anatomy, anatomy.table, places)) if places else (),
        golden=connection.execute(_rows(anatomy, anatomy.shadow, sources)) if sources else (),
    )


def _rows(anatomy: Anatomy, table: sql.Identifier, places: list[str]) -> sql.Composed:
    return _ROWS.format(
        columns=listed(anatomy.columns, suffix="::text"), table=table, places=sql.Literal(places)
    )
