"""What was found in one table, and the parts of the statements that find it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

from harness.golden.anatomy import SHADOW, tids
from harness.golden.catalogues import fresh
from harness.golden.doubt import DoubtError
from harness.postgres.rendering import name, rendered

if TYPE_CHECKING:
    from harness.golden.baseline import Baseline
    from harness.golden.survey import Suspect
    from harness.postgres.connection import Connection

_SHADOW_COUNT = sql.SQL("SELECT count(*), count(*) FILTER (WHERE xmin = {filler}) FROM {shadow}")


@dataclass(frozen=True, slots=True)
class Found:
    """What is to be matched in one table.

    Args:
        suspect: The table.
        fresh: Places of the rows that were written since the baseline.
        gone: Places, in the shadow, of the rows that are not in their place any more.
    """

    suspect: Suspect
    fresh: list[str]
    gone: list[str]

    @property
    def is_nothing(self) -> bool:
        """Whether every row is in its place, and no other is there."""
        return not (self.fresh or self.gone)


def is_whole(connection: Connection, suspect: Suspect) -> bool:
    """Whether the shadow holds as many rows as it was given, and no other."""
    query = rendered(_SHADOW_COUNT, filler=filler_of(suspect), shadow=shadow_of(suspect))
    return connection.execute(query).fetchone() == (suspect.before.rows, suspect.before.rows)


def refuse_bent(suspect: Suspect, holds: bool) -> None:  # noqa: FBT001  what was asked
    """Refuse to go on by a shadow of which something does not hold.

    Raises:
        DoubtError: It does not.
    """
    if not holds:
        raise DoubtError(
            f"the shadow of {suspect.state.name} does not hold what it was filled with"
        )


def refuse_lost(found: Found, holds: bool) -> None:  # noqa: FBT001  what was asked
    """Refuse to leave a table in which more has changed than what was put back.

    Raises:
        DoubtError: It has.
    """
    if not holds:
        raise DoubtError(f"the rows of {found.suspect.state.name} could not be put back exactly")


def fresh_in(suspect: Suspect, baseline: Baseline) -> sql.SQL:
    """The condition that a row of the table was written since the baseline."""
    if suspect.way == "rewritten":
        return sql.SQL("true")
    return fresh(baseline.threshold, baseline.own)


def moved_in(suspect: Suspect) -> dict[str, sql.Literal]:
    """Rows that an earlier reset has put elsewhere, for statements that look for rows in place."""
    moved = {} if suspect.way == "rewritten" else suspect.before.moved
    return {
        "moved_from": tids(moved.keys()),
        "moved_to": tids(moved.values()),
    }


def table_of(suspect: Suspect) -> sql.SQL:
    """The table, for a statement."""
    return name("public", suspect.state.name)


def shadow_of(suspect: Suspect) -> sql.SQL:
    """Its shadow, for a statement."""
    return name(SHADOW, suspect.state.name)


def filler_of(suspect: Suspect) -> sql.SQL:
    """The transaction that filled its shadow, for a statement."""
    return sql.SQL(f"'{suspect.before.shadow_filler:d}'::xid")
