"""The report as lines for a terminal: exact totals always, the listed rows, long values cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.golden.report.words import (
    ARROW,
    NULL,
    counts,
    key_of,
    many,
    nulls,
    pairs,
    position,
    shown,
    totals,
    unlisted,
    values,
)
from harness.reports.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.golden.changes import Changes, Kind, RowChange, TableChanges

    Tone = Literal["heading", "inserted", "updated", "deleted", "plain"]

# Two values and the name of their column side by side on a wide terminal, a few lines on a narrow.
_WIDTH = 60
_SIGNS: Mapping[Kind, str] = {"updated": "~", "inserted": "+", "deleted": "-"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line, and what it tells of, for whoever has colours; every sign is in the text too."""

    text: str
    tone: Tone = "plain"


def text(changes: Changes) -> str:
    """The report as plain text."""
    return "".join(f"{line.text}\n" for line in lines(changes))


def lines(changes: Changes) -> Iterator[Line]:
    """The report, line by line."""
    yield Line(f"since golden copy {visible(changes.generation)}: {totals(changes)}", "heading")
    for table in changes.tables:
        yield from _table(table)
    if changes.sequences:
        yield from _heading("sequences")
    width = max((len(visible(item.sequence)) for item in changes.sequences), default=0)
    for item in changes.sequences:
        moved = f"{position(item.before)} {ARROW} {position(item.after)}"
        yield Line(f"  {visible(item.sequence):<{width}}  {moved}")
    if changes.objects:
        yield from _heading("objects")
    for line in changes.objects:
        yield Line(f"  {visible(line)}")
    if changes.uncounted:
        yield from _heading("not compared")
    for name, why in changes.uncounted.items():
        yield Line(f"  {visible(name)}: {visible(why)}")


def summary(changes: Changes) -> list[tuple[str, str]]:
    """One line a table, as label and value."""
    return [
        ("changed", totals(changes)),
        *((f"  {visible(table.table)}", counts(table)) for table in changes.tables),
    ]


def _heading(title: str) -> Iterator[Line]:
    yield Line("")
    yield Line(title, "heading")


def _table(table: TableChanges) -> Iterator[Line]:
    yield from _heading(f"{visible(table.table)}  {counts(table)}")
    for row in table.rows:
        yield from _row(row)
    if more := unlisted(table):
        yield Line(f"  and {many(more, 'more row')}")


def _row(row: RowChange) -> Iterator[Line]:
    yield Line(f"  {_SIGNS[row.kind]} {key_of(row, width=_WIDTH)}", row.kind)
    told = list(_columns(row))
    width = max((len(column) for column, _ in told), default=0)
    for column, value in told:
        yield Line(f"      {column:<{width}}  {value}")
    if empty := nulls(row):
        yield Line(f"      and {many(len(empty), 'column')} with {NULL}")


def _columns(row: RowChange) -> Iterator[tuple[str, str]]:
    if row.kind == "updated":
        for column, before, after in pairs(row):
            was, is_now = (
                shown(before, after, width=_WIDTH),
                shown(after, before, width=_WIDTH),
            )
            yield visible(column), f"{was} {ARROW} {is_now}"
    for column, value in values(row):
        yield visible(column), shown(value, width=_WIDTH)
