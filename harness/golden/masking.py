"""Take the secrets out of what a rehearsal changed, before anybody is told of it.

Of a masked value it shows that it is there and whether it changed, and nothing else: no length, and
no hash that one could guess against. NULL and the empty text are no secrets and stay.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.dolibarr.secrets import is_secret_name, is_secret_value, secret_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.golden.changes import Changes, RowChange

    Row = Mapping[str, str | None]

MASK = "•••"
MASK_CHANGED = f"{MASK} (changed)"

# A secret that was copied into another column is found again. Shorter ones would be found all over:
# the value of a setting may be `1`.
_LONG_ENOUGH_TO_RECOGNISE = 8


def masked(changes: Changes) -> Changes:
    """The same changes without a secret.

    What is said of an object or of a table that could not be compared is cut at the first colon
    where it holds one.
    """
    rows = [(table.table, row) for table in changes.tables for row in table.rows]
    secrets = {secret for table, row in rows for secret in _recognisable(table, row)}
    return replace(
        changes,
        tables=tuple(
            replace(table, rows=tuple(_masked(table.table, row, secrets) for row in table.rows))
            for table in changes.tables
        ),
        objects=tuple(_told(line, secrets) for line in changes.objects),
        uncounted={name: _told(why, secrets) for name, why in changes.uncounted.items()},
    )


def _secret_columns(table: str, row: RowChange) -> set[str]:
    return secret_columns(table, row.key, row.before, row.after, whole=row.kind != "updated")


def _recognisable(table: str, row: RowChange) -> Iterator[str]:
    for column in _secret_columns(table, row):
        for version in (row.key, row.before, row.after):
            value = version.get(column)
            if value is not None and len(value) >= _LONG_ENOUGH_TO_RECOGNISE:
                yield value


def _masked(table: str, row: RowChange, secrets: set[str]) -> RowChange:
    columns = _secret_columns(table, row)
    for version in (row.key, row.before, row.after):
        columns |= {name for name, value in version.items() if _holds_one(value, secrets)}
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


def _holds_one(value: str | None, secrets: set[str]) -> bool:
    return value is not None and any(secret in value for secret in secrets)


def _told(line: str, secrets: set[str]) -> str:
    """A line about an object, without what stands behind its first colon if a secret is in that."""
    name, _, rest = line.partition(":")
    if is_secret_value(name) or _holds_one(name, secrets):
        return MASK
    # The initial value of a column that holds secrets is one itself.
    given = "'" in rest and is_secret_name(name)
    return (
        f"{name}: {MASK}" if given or is_secret_value(rest) or _holds_one(rest, secrets) else line
    )
