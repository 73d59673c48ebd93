"""What a scenario expects of a rehearsal, compared with what it changed; each difference a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.golden.report.words import NULL, counts, key_of, position, shown, unlisted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.golden.changes import Changes, Kind, RowChange, TableChanges

    Datatable = list[list[str]]

_WIDTH = 60
_HEADER = ["table", "inserted", "updated", "deleted"]


@dataclass(frozen=True, slots=True)
class Expected:
    """How many rows of each table a rehearsal may have changed, and of no other.

    Args:
        tables: The numbers of inserted, updated and deleted rows, by table.
    """

    tables: Mapping[str, tuple[int, int, int]]

    @classmethod
    def of(cls, datatable: Datatable) -> Expected:
        """What a data table says."""
        header, *rows = datatable
        assert header == _HEADER, f"the columns are {header}, expected {_HEADER}"
        names = [row[0] for row in rows]
        assert len(names) == len(set(names)), f"a table is there twice: {names}"
        return cls({name: (int(new), int(other), int(gone)) for name, new, other, gone in rows})

    def differences(self, changes: Changes, tables_of_sequences: Mapping[str, str]) -> list[str]:
        """What was changed otherwise; empty if nothing was.

        A sequence may have moved if rows were expected in the table that it numbers, or if that is
        there with three zeros: numbers that a rolled-back insert was given stay used up.

        Args:
            changes: What was changed.
            tables_of_sequences: The table that each sequence numbers.
        """
        numbered = {
            name for name, expected in self.tables.items() if expected[0] or not any(expected)
        }
        return [
            *self._tables(changes),
            *(
                f"sequence {item.sequence}: {position(item.before)}, then {position(item.after)},"
                " and no new row was expected in the table that it numbers"
                for item in changes.sequences
                if tables_of_sequences.get(item.sequence) not in numbered
            ),
            *changes.objects,
            *(f"{name}: not compared, {why}" for name, why in changes.uncounted.items()),
        ]

    def _tables(self, changes: Changes) -> Iterator[str]:
        found = {table.table: table for table in changes.tables}
        for name in sorted(self.tables.keys() | found.keys()):
            expected = self.tables.get(name, (0, 0, 0))
            table = found.get(name)
            present = (table.inserted, table.updated, table.deleted) if table else (0, 0, 0)
            if expected != present:
                yield f"{name}: expected {_counted(*expected)}; found {_counted(*present)}"


def the_row(changes: Changes, table: str, kind: Kind, called: str) -> RowChange:
    """The one row of a table that became what is told, found by its key.

    Args:
        changes: What was changed.
        table: The table.
        kind: What became of the row.
        called: A value of its key, or all of them with `, ` between.
    """
    rows = _rows(changes, table, kind)
    found = [row for row in rows if called in {*row.key.values(), _called(row)}]
    among = _among(changes, table, rows)
    assert found, f"no row {called} was {kind} in {table}; {among}"
    assert len(found) == 1, f"{len(found)} rows {called} were {kind} in {table}; {among}"
    return found[0]


def wrong_values(row: RowChange, datatable: Datatable) -> list[str]:
    """What a data table of column, before and after says otherwise than the row does."""
    return [
        f"{column} {when}: expected {value}, found {_value(version, column)}"
        for column, *values in _cells(datatable, ["column", "before", "after"])
        for when, value, version in zip(
            ("before", "after"), values, (row.before, row.after), strict=True
        )
        if not _is(version, column, value)
    ]


def has_inserted(changes: Changes, table: str, datatable: Datatable) -> None:
    """Look for a row that was inserted and has the values of a data table of column and value."""
    wanted = _cells(datatable, ["column", "value"])
    rows = _rows(changes, table, "inserted")
    found = [row for row in rows if all(_is(row.after, column, value) for column, value in wanted)]
    nearest = [
        f"{key_of(row, width=_WIDTH)}: "
        + ", ".join(
            f"{column} is {_value(row.after, column)}"
            for column, value in wanted
            if not _is(row.after, column, value)
        )
        for row in rows
    ]
    among = _among(changes, table, rows)
    assert found, "\n  ".join([f"no such row was inserted into {table}; {among}", *nearest])


def _rows(changes: Changes, table: str, kind: Kind) -> list[RowChange]:
    found = _found(changes, table)
    return [row for row in found.rows if row.kind == kind] if found else []


def _found(changes: Changes, table: str) -> TableChanges | None:
    return next((found for found in changes.tables if found.table == table), None)


def _among(changes: Changes, table: str, rows: list[RowChange]) -> str:
    """What there was to choose from."""
    found = _found(changes, table)
    if found is None:
        return "nothing changed there"
    names = "; ".join(key_of(row, width=_WIDTH) for row in rows) or "none"
    more = f", and {unlisted(found):,} that are not listed" if unlisted(found) else ""
    return f"it has {counts(found)}, of this kind {names}{more}"


def _called(row: RowChange) -> str:
    return ", ".join(NULL if value is None else value for value in row.key.values())


def _cells(datatable: Datatable, header: list[str]) -> Datatable:
    assert datatable[0] == header, f"the columns are {datatable[0]}, expected {header}"
    return datatable[1:]


def _is(version: Mapping[str, str | None], column: str, told: str) -> bool:
    """Whether a version of a row has that value; one that lacks the column has not."""
    if column not in version:
        return False
    value = version[column]
    return told == NULL if value is None else told == value


def _value(version: Mapping[str, str | None], column: str) -> str:
    return shown(version[column], width=_WIDTH) if column in version else "no change of it"


def _counted(inserted: int, updated: int, deleted: int) -> str:
    told = {"inserted": inserted, "updated": updated, "deleted": deleted}
    return ", ".join(f"{count:,} {what}" for what, count in told.items() if count) or "nothing"
