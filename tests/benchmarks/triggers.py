"""Triggers that note keys, or a scan: what either way of finding changed rows costs, and whom.

Where changed pages cannot be had, changed rows can be noted by triggers while the application
writes, or be looked for by a scan when a reset needs them. Triggers are paid for with every write
of the application, a scan once for each reset. Measured on a clone of the golden content:

- **writes**: single rows inserted and updated by the application, statement by statement, in all
  tables of the rehearsal that it inserts into or updates; once with all of them in one transaction,
  once with a commit (that waits for the disk) for each.
- **scan**: one look at each row of the biggest of these tables for those whose transaction is young
  (`age(xmin)`), as the differential reset does it.
"""

from __future__ import annotations

import math
import statistics
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from harness.postgres.connection import load_sql, one

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.progress import Progress
    from tests.benchmarks.ground import Ground
    from tests.benchmarks.server import Connection

_MAKE_TRIGGERS = load_sql(__package__, "triggers.sql")
_MILLION = 1e6
_WRITES = 200
_COMMITS = 40
# The smallest sample has so many rows of each updated table.
_OLD_ROWS = 90

# One row each, as the application writes it; `number` is the key of an old row.
_WRITE_ONE = (
    """INSERT INTO public.llx_facturedet (fk_facture, description, qty, rang)
       SELECT max(rowid), 'One more line', 1, 9 FROM public.llx_facture""",
    "UPDATE public.llx_facturedet SET qty = qty + 1 WHERE rowid = {number}",
    """INSERT INTO public.llx_actioncomm (ref, entity, datep, code, fk_user_author, label)
       VALUES ('ONE-MORE', 1, now(), 'AC_OTH_AUTO', 1, 'One more event')""",
    "UPDATE public.llx_actioncomm SET percent = 100 WHERE id = {number}",
    """INSERT INTO public.llx_paiement (ref, datec, amount, fk_paiement, fk_bank)
       VALUES ('ONE-MORE', now(), 1, 2, 0)""",
    "UPDATE public.llx_facture SET note_private = 'touched' WHERE rowid = {number}",
)
_TABLES = [f"public.llx_{name}" for name in ("facturedet", "actioncomm", "paiement", "facture")]
_SCAN = """
SELECT count(*), array_agg(ctid) FILTER (WHERE age(xmin) < 100) FROM public.llx_facturedet
"""


@dataclass(frozen=True, slots=True)
class Writes:
    """Seconds that one write took: the median of each kind of write, and the mean of the kinds.

    Args:
        plain: Without triggers, once for each repetition.
        noted: With them.
    """

    plain: tuple[float, ...]
    noted: tuple[float, ...]

    @property
    def slower(self) -> float:
        """How much slower the triggers make it, in percent of the medians."""
        return self.added / statistics.median(self.plain) * 100

    @property
    def added(self) -> float:
        """What they add to one write, in seconds."""
        return statistics.median(self.noted) - statistics.median(self.plain)


@dataclass(frozen=True, slots=True)
class TriggersOrScan:
    """What was measured.

    Args:
        together: Writes in one transaction.
        committed: Writes each in a transaction of its own.
        scanned_rows: How many rows a scan looked at.
        scans: Seconds of each scan.
    """

    together: Writes
    committed: Writes
    scanned_rows: int
    scans: tuple[float, ...]

    @property
    def scan_per_million(self) -> float:
        """Seconds of a scan of a million rows."""
        return statistics.median(self.scans) * _MILLION / self.scanned_rows

    @property
    def writes_worth_a_scan(self) -> float:
        """By how many writes the triggers have cost what one scan of a million rows costs."""
        added = self.together.added
        return self.scan_per_million / added if added > 0 else math.inf


def measure_triggers(ground: Ground, repeat: int, progress: Progress) -> TriggersOrScan:
    """Measure both on clones of the golden content.

    Args:
        ground: What it works on.
        repeat: How often each is measured.
        progress: Told of it.
    """
    together, committed, scans = [], [], []
    with (
        _session(ground, "benchmark-plain") as plain,
        _session(ground, "benchmark-noted") as noted,
        progress.phase("triggers and scans", repeat) as advance,
    ):
        noted.execute(_MAKE_TRIGGERS.format(tables=sql.Literal(_TABLES)))
        for _ in range(repeat):
            with (
                plain.transaction(force_rollback=True),
                noted.transaction(force_rollback=True),
            ):
                together.append(_write_in_turn(plain, noted, _WRITES))
            committed.append(_write_in_turn(plain, noted, _COMMITS))
            started = time.monotonic()
            rows = one(plain, _SCAN)[0]
            scans.append(time.monotonic() - started)
            advance(1)
    return TriggersOrScan(
        Writes(*zip(*together, strict=True)),
        Writes(*zip(*committed, strict=True)),
        rows,
        tuple(scans),
    )


@contextmanager
def _session(ground: Ground, database: str) -> Iterator[Connection]:
    """The application's session on a clone, which sends each statement as PHP does: unprepared."""
    conninfo = ground.sandbox.application.conninfo
    with (
        ground.clones.beside(database),
        psycopg.connect(
            conninfo, dbname=database, autocommit=True, prepare_threshold=None, options="-c jit=off"
        ) as session,
    ):
        yield session


def _write_in_turn(plain: Connection, noted: Connection, times: int) -> tuple[float, float]:
    """Write so many times one row of each kind on either side; seconds of one write on each.

    The sides take turns statement by statement, also in who goes first (the second finds warm what
    both need), and medians are taken: the rest of the machine makes more noise than triggers cost.
    """
    taken: list[tuple[list[float], list[float]]] = [([], []) for _ in _WRITE_ONE]
    for number in range(times):
        for text, sides in zip(_WRITE_ONE, taken, strict=True):
            key = sql.Literal(1 + number % _OLD_ROWS)
            statement = sql.SQL(text).format(number=key).as_bytes(plain)
            turns = list(zip((plain, noted), sides, strict=True))
            for session, side in turns if number % 2 else reversed(turns):
                started = time.monotonic()
                session.execute(statement)
                side.append(time.monotonic() - started)
    return (
        statistics.mean(statistics.median(sides[0]) for sides in taken),
        statistics.mean(statistics.median(sides[1]) for sides in taken),
    )
