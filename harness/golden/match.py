"""What became of each row: the same in another place, changed, new, or missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psycopg import sql

from harness.golden.anatomy import listed
from harness.postgres.connection import load_sql

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.golden.anatomy import Anatomy
    from harness.golden.found import Found
    from harness.postgres.connection import Connection

_MATCH = load_sql(__package__, "match.sql")


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
    """Match what was found in each table."""
    return [_match(connection, table, anatomies[table.suspect.state.oid]) for table in found]


def _match(connection: Connection, found: Found, anatomy: Anatomy) -> Matched:
    # What an agent does most is to insert, and then there is nothing to match.
    if not (found.fresh and found.gone):
        return Matched(anatomy, new=found.fresh, missing=found.gone)
    matched = Matched(anatomy)
    query = _MATCH.format(
        key=sql.SQL("ROW({})::text").format(listed(anatomy.key))
        if anatomy.key
        else sql.SQL("NULL::text"),
        columns=listed(anatomy.columns),
        table=anatomy.table,
        shadow=anatomy.shadow,
        fresh=sql.Literal(found.fresh),
        gone=sql.Literal(found.gone),
    )
    for place, source, is_same in connection.execute(query):
        if source is None:
            matched.new.append(place)
        elif place is None:
            matched.missing.append(source)
        else:
            (matched.same if is_same else matched.changed).append((source, place))
    return matched
