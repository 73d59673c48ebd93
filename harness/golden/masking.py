"""Take the secrets out of what a rehearsal changed, before anybody is told of it.

Of a masked value it shows that it is there and whether it changed, and nothing else: no length, and
no hash that one could guess against. NULL and the empty text are no secrets and stay.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.dolibarr.secrets import is_secret_name, is_secret_value, secret_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.golden.changes import Changes, RowChange

    Row = Mapping[str, str | None]

MASK = "•••"
MASK_CHANGED = f"{MASK} (changed)"

# A secret that was copied into another column is found again. Shorter ones would be found all over:
# the value of a setting may be `1`.
_LONG_ENOUGH_TO_RECOGNISE = 8
# How a difference between two definitions begins, behind the name of the object.
_DIFFERENCE = ": expected "


def masked(changes: Changes) -> Changes:
    """The same changes without a secret."""
    found = [[_secret_columns(table.table, row) for row in table.rows] for table in changes.tables]
    secrets = {
        secret
        for table, columns in zip(changes.tables, found, strict=True)
        for row, names in zip(table.rows, columns, strict=True)
        for secret in _recognisable(row, names)
    }
    return replace(
        changes,
        tables=tuple(
            replace(
                table,
                rows=tuple(
                    _masked(row, names, secrets)
                    for row, names in zip(table.rows, columns, strict=True)
                ),
            )
            for table, columns in zip(changes.tables, found, strict=True)
        ),
        objects=tuple(masked_line(line, secrets) for line in changes.objects),
        uncounted={name: masked_line(why, secrets) for name, why in changes.uncounted.items()},
    )


def masked_line(line: str, secrets: Iterable[str] = ()) -> str:
    """What is said of an object or a table: only which it is, where a secret is in the rest.

    Args:
        line: What is said; first which object it is, then a colon.
        secrets: Secrets that are known.
    """
    colon = _DIFFERENCE if _DIFFERENCE in line else ":"
    name, _, rest = line.partition(colon)
    if is_secret_value(name) or _holds_one(name, secrets):
        return MASK
    # The initial value of a column that holds secrets is one itself.
    given = "'" in rest and is_secret_name(line)
    return (
        f"{name}: {MASK}" if given or is_secret_value(rest) or _holds_one(rest, secrets) else line
    )


def _secret_columns(table: str, row: RowChange) -> set[str]:
    return secret_columns(table, row.key, row.before, row.after, whole=row.kind != "updated")


def _recognisable(row: RowChange, columns: set[str]) -> Iterator[str]:
    for column in columns:
        for version in (row.key, row.before, row.after):
            value = version.get(column)
            if value is not None and len(value) >= _LONG_ENOUGH_TO_RECOGNISE:
                yield value


def _masked(row: RowChange, columns: set[str], secrets: set[str]) -> RowChange:
    if secrets:
        for version in (row.key, row.before, row.after):
            copied = {name for name, value in version.items() if _holds_one(value, secrets)}
            columns = columns | copied
    if not columns:
        return row
    return replace(
        row,
        key={name: _mask(name, value, columns) for name, value in row.key.items()},
        before={name: _mask(name, value, columns) for name, value in row.before.items()},
        after={
            name: _mask(name, value, columns, changed=bool(row.before.get(name)))
            for name, value in row.after.items()
        },
    )


def _mask(
    column: str, value: str | None, columns: set[str], *, changed: bool = False
) -> str | None:
    if not value or column not in columns:
        return value
    return MASK_CHANGED if changed else MASK


def _holds_one(value: str | None, secrets: Iterable[str]) -> bool:
    return value is not None and any(secret in value for secret in secrets)
