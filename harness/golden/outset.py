"""How the sandbox stands before a shadow of it is made, and what that will cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.golden.catalogues import elsewhere
from harness.golden.doubt import DoubtError
from harness.golden.survey import read_marks, read_state
from harness.postgres.connection import connect, one

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.deadlines import Deadlines
    from harness.golden.survey import Marks, TableState
    from harness.postgres.connection import Connection, Run
    from harness.sides import Sandbox

_SIZE = """
SELECT count(*), coalesce(sum(pg_catalog.pg_table_size(oid)), 0)::bigint
FROM pg_catalog.pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
"""
_HAS_MATERIALIZED_VIEWS = """
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_class
    WHERE relkind = 'm' AND relnamespace = 'public'::regnamespace
)
"""
# Filled and indexed at some 100 MB a second and core, and a millisecond a table: a first guess.
_BYTES_A_SECOND = 60e6
_SECONDS_A_TABLE = 0.006


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a shadow will cost.

    Args:
        tables: How many tables.
        size: In bytes, about.
        seconds: How long it will take, about.
    """

    tables: int
    size: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Outset:
    """How the sandbox stood before a snapshot of it was taken.

    What is counted later than that would hide what was written in between.

    Args:
        marks: What of the server decides which traces can be believed.
        state: Every table.
        elsewhere: What is neither in schema public, nor the shadow's, nor the system's.
    """

    marks: Marks
    state: Mapping[str, TableState]
    elsewhere: tuple[str, ...]


def estimate(connection: Connection) -> Estimate:
    """What a shadow will cost, before it is made."""
    tables, size = one(connection, _SIZE)
    return Estimate(tables, size, round(size / _BYTES_A_SECOND + tables * _SECONDS_A_TABLE, 1))


def look(sandbox: Sandbox, run: Run, deadlines: Deadlines) -> Outset:
    """See how the sandbox stands before a snapshot of it is taken.

    Raises:
        DoubtError: There is something that a differential reset could not put back.
    """
    with connect(sandbox, run, "shadow", deadlines, read_only=True) as connection:
        marks = read_marks(connection, run)
        if one(connection, _HAS_MATERIALIZED_VIEWS)[0]:
            raise DoubtError("there are materialized views, which cannot be put back row by row")
        beside = elsewhere(connection)
        large = [line for line in beside if line.startswith("large object")]
        if large:
            raise DoubtError(f"there are large objects, which no golden copy holds: {large[0]}")
        return Outset(marks, read_state(connection), beside)
