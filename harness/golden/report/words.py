"""How every form of the report says a value, a key, a count: nothing in it acts on its reader."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from harness.reports.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.golden.changes import Changes, RowChange, TableChanges

NULL = "(null)"
ARROW = "→"
LINE_FEED = "␊"  # what stands for one

# Of a long value, so much before the place where it differs from what it was.
_BEFORE_THE_DIFFERENCE = 20


def shown(value: str | None, beside: str | None = None, *, width: int) -> str:
    """A value as one reads it: NULL told from a text, what acts made visible, cut if it is long.

    Args:
        value: The value.
        beside: What it was or became; a long value is cut to where the two differ.
        width: How many characters of it, at most; whoever reads is told how many there are.
    """
    if value is None:
        return NULL
    if len(value) <= width:
        return _told_apart(visible(value))
    same = len(os.path.commonprefix([value, beside or ""]))  # noqa: RUF071  of characters
    start = min(max(0, same - _BEFORE_THE_DIFFERENCE), len(value) - width)
    part = visible(value[start : start + width])
    end = "…" if start + width < len(value) else ""
    return f"{'…' if start else ''}{part}{end} ({len(value):,} characters)"


def is_cut(value: str | None, *, width: int) -> bool:
    """Whether `shown` leaves something of it out."""
    return value is not None and len(value) > width


def key_of(row: RowChange, *, width: int) -> str:
    """What a row is called: its key, column by column; just a row where that would be all of it."""
    if _is_all_key(row):
        return "a row"
    return ", ".join(
        f"{visible(column)} {shown(value, width=width)}" for column, value in row.key.items()
    )


def pairs(row: RowChange) -> Iterator[tuple[str, str | None, str | None]]:
    """Of an updated row: each column that changed, what it was, what it is."""
    for column in {**row.before, **row.after}:
        yield column, row.before.get(column), row.after.get(column)


def values(row: RowChange) -> Iterator[tuple[str, str]]:
    """Of a row that came or went: its columns, less what is told as its key, and what is NULL."""
    yield from ((name, value) for name, value in _told(row) if value is not None)


def nulls(row: RowChange) -> list[str]:
    """Of a row that came or went: the columns that are NULL."""
    return [name for name, value in _told(row) if value is None]


def counts(*tables: TableChanges) -> str:
    """The exact totals of some tables; what did not happen is left out."""
    told = {
        "inserted": sum(table.inserted for table in tables),
        "updated": sum(table.updated for table in tables),
        "deleted": sum(table.deleted for table in tables),
    }
    return ", ".join(f"{count:,} {what}" for what, count in told.items() if count)


def totals(changes: Changes) -> str:
    """The exact totals of everything."""
    if changes.is_nothing:
        return "nothing changed"
    told = [
        (len(changes.tables), "table", f": {counts(*changes.tables)}"),
        (len(changes.sequences), "sequence", " moved"),
        (len(changes.objects), "object", " changed"),
        (len(changes.uncounted), "table", " not compared"),
    ]
    return "; ".join(many(count, what) + then for count, what, then in told if count)


def many(count: int, what: str) -> str:
    """A number of things."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def unlisted(table: TableChanges) -> int:
    """How many changed rows of a table are counted and not listed."""
    return table.inserted + table.updated + table.deleted - len(table.rows)


def position(at: tuple[int, bool] | None) -> str:
    """Where a sequence stands."""
    if at is None:
        return "not there"
    last, called = at
    return str(last) if called else f"{last} (not called)"


def _told(row: RowChange) -> Iterator[tuple[str, str | None]]:
    if row.kind != "updated":
        all_key = _is_all_key(row)
        for name, value in {**row.before, **row.after}.items():
            if all_key or name not in row.key:
                yield name, value


def _is_all_key(row: RowChange) -> bool:
    return row.kind != "updated" and row.key.keys() >= {*row.before, *row.after}


def _told_apart(text: str) -> str:
    """In quotes where a reader would else take it for NULL, for nothing, or lose a blank."""
    return f'"{text}"' if text in {"", NULL} or text != text.strip() else text
