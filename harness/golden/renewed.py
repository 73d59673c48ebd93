"""The baseline after a reset: what is true of the sandbox once its transaction is committed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

from harness.golden.catalogues import WRITING
from harness.golden.sequences import FETCHING
from harness.postgres.connection import one

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.golden.anatomy import Anatomy
    from harness.golden.baseline import Baseline, TableBaseline
    from harness.golden.match import Matched
    from harness.golden.sequences import Standing
    from harness.golden.survey import Marks, TableState
    from harness.postgres.connection import Connection

_NOW = sql.SQL("""
SELECT
    pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::text::bigint,
    pg_catalog.pg_current_xact_id_if_assigned()::text::bigint,
    ({writing}),
    ARRAY({fetching})
""").format(writing=WRITING, fetching=FETCHING)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reset has seen and done.

    Args:
        marks: What of the server decides which traces can be believed.
        state: Every table, before anything was put back.
        catalogues: Number of rows of each system catalogue.
        defining: How many row versions were written to them, as counters count.
        anatomies: The anatomy of tables, by OID, as it is.
        sequences: Where the sequences stood.
        placed: The tables that were looked into, as they were left.
        written: How many row versions were written to each table.
    """

    marks: Marks
    state: Mapping[str, TableState]
    catalogues: dict[str, int]
    defining: int
    anatomies: Mapping[int, Anatomy]
    sequences: Standing
    placed: Sequence[Matched]
    written: Mapping[str, int]


def renewed(connection: Connection, before: Baseline, seen: Seen) -> Baseline:
    """The baseline from now on.

    Args:
        connection: The session, in the transaction that has put everything back.
        before: The baseline until now.
        seen: What was seen and done.
    """
    sequences = seen.sequences
    threshold, own, written, fetched = one(connection, _NOW, list(sequences.read.values()))
    places = {table.anatomy.name: dict(table.same) for table in seen.placed}
    return before.model_copy(
        update={
            "threshold": threshold,
            "defined": threshold,
            "own": own,
            "server_started": seen.marks.server_started,
            "statistics_since": seen.marks.statistics_since,
            "catalogues": seen.catalogues,
            # By then what this transaction itself has done is counted, too. What others have done
            # since it first looked at the counters must not be taken for known.
            "defining": seen.defining + written,
            "anatomies": seen.anatomies,
            "fetched": {
                **sequences.fetched,
                **{
                    name: sequences.fetched[name] + more
                    for name, more in zip(sequences.read, fetched, strict=True)
                },
            },
            "tables": {
                name: _table(before.tables[name], now, seen.written.get(name), places.get(name))
                for name, now in seen.state.items()
            },
        }
    )


def _table(
    before: TableBaseline, now: TableState, written: int | None, places: dict[str, str] | None
) -> TableBaseline:
    if not written and not places and now.is_as(before):
        return before
    kept = before.moved if now.filenode == before.filenode else {}
    new = {
        "oid": now.oid,
        "filenode": now.filenode,
        "vacuums": now.vacuums,
        "written": now.written + (written or 0),
        "moved": kept | (places or {}),
    }
    return before.model_copy(update=new)
