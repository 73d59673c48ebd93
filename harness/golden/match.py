"""What became of each row: the same in another place, changed, new, or missing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psycopg import sql

from harness.golden.anatomy import listed, tids
from harness.golden.found import refuse_bent
from harness.postgres.batches import batches
from harness.postgres.connection import load_sql
from harness.postgres.rendering import joined, rendered, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from harness.golden.anatomy import Anatomy
    from harness.golden.found import Found
    from harness.postgres.connection import Connection

    # Place, key (or None), digest of the content.
    _Row = tuple[str, str | None, bytes]

_ROWS = load_sql(__package__, "match.sql")
_KEY = sql.SQL("ROW({columns})::text")
_NO_KEY = sql.SQL("NULL::text")
_TABLES_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Matched:
    """The rows of one table, by place in the table and by source, their place in the shadow.

    Args:
        anatomy: The table.
        same: Source and place of rows that are what they were, in another place.
        changed: Source and place of rows of the same key and another content.
        new: Places of rows that were not there.
        missing: Sources of rows that are not there any more.
    """

    anatomy: Anatomy
    same: list[tuple[str, str]] = field(default_factory=list)
    changed: list[tuple[str, str]] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def is_golden(self) -> bool:
        """Whether the table holds the rows that it should, wherever they are."""
        return not (self.changed or self.new or self.missing)


def match(
    connection: Connection, found: Sequence[Found], anatomies: Mapping[int, Anatomy]
) -> list[Matched]:
    """Match what was found in each table.

    Raises:
        DoubtError: A row of the shadow is not in its place.
    """
    # What an agent does most is to insert, and then there is nothing to match.
    both = [table for table in found if table.fresh and table.gone]
    rows = _read_rows(connection, both, anatomies)
    for table in both:
        now, was = rows[table.suspect.state.name]
        # A row of the shadow that is not where it was filled in would be lost without a word.
        refuse_bent(table.suspect, len(was) == len(table.gone) and len(now) == len(table.fresh))
    return [
        _pair(anatomy, *rows[anatomy.name])
        if anatomy.name in rows
        else Matched(anatomy, new=table.fresh, missing=table.gone)
        for table in found
        for anatomy in [anatomies[table.suspect.state.oid]]
    ]


def _read_rows(
    connection: Connection, found: Sequence[Found], anatomies: Mapping[int, Anatomy]
) -> dict[str, tuple[list[_Row], list[_Row]]]:
    """The rows of each table as they are now, and as they were."""
    rows: dict[str, tuple[list[_Row], list[_Row]]] = {
        table.suspect.state.name: ([], []) for table in found
    }
    for some in batches(found, _TABLES_AT_ONCE):
        parts = [part for table in some for part in _both(table, anatomies)]
        query = joined(" UNION ALL ", parts)
        for name, is_now, *row in connection.execute(query).fetchall():
            rows[name][0 if is_now else 1].append(tuple(row))
    return rows


def _both(found: Found, anatomies: Mapping[int, Anatomy]) -> Iterator[sql.SQL]:
    anatomy = anatomies[found.suspect.state.oid]
    for is_now, rows, places in (
        (True, anatomy.table, found.fresh),
        (False, anatomy.shadow, found.gone),
    ):
        yield rendered(
            _ROWS,
            name=text(anatomy.name),
            is_now=sql.SQL(str(is_now)),
            key=rendered(_KEY, columns=listed(anatomy.key)) if anatomy.key else _NO_KEY,
            columns=listed(anatomy.columns),
            rows=rows,
            places=tids(places),
        )


def _pair(anatomy: Anatomy, now: Iterable[_Row], was: Iterable[_Row]) -> Matched:
    """First those of the same content, one by one, then those of the same key."""
    matched = Matched(anatomy)
    by_content = defaultdict[bytes, list[tuple[str, str | None]]](list)
    for source, key, digest in was:
        by_content[digest].append((source, key))
    by_key: dict[str, str] = {}
    for place, key, digest in now:
        if copies := by_content.get(digest):
            matched.same.append((copies.pop()[0], place))
        elif key is None or key in by_key:
            matched.new.append(place)
        else:
            by_key[key] = place
    for source, key in (row for copies in by_content.values() for row in copies):
        if key is not None and key in by_key:
            matched.changed.append((source, by_key.pop(key)))
        else:
            matched.missing.append(source)
    matched.new.extend(by_key.values())
    return matched
