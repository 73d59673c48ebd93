"""Ways to find what a rehearsal has changed that look right.

Each is honest, small, and right on a quiet day; `naive_undo` has ways to put it back. `Kept` is
what all of them keep at the checkpoint: a copy of every table, and what was known of it. A protocol
is a function of `Kept` and of the session, inside a transaction, that resets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from psycopg import sql

from .naive_undo import insert_missing, replace_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .ground import Session

_TABLES = """
SELECT relname::text FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1
"""
_COUNTERS = """
SELECT n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables
WHERE schemaname = 'public' AND relname = %s
"""
_SEQUENCES = "SELECT sequencename::text, last_value FROM pg_sequences WHERE schemaname = 'public'"
_CHANGED_PAGES = """
SELECT array_agg(blkno) FROM pg_visibility_map(format('public.%%I', %s::text)::regclass)
WHERE NOT {bit}
"""
_COPY = sql.SQL("CREATE TABLE naive.{name} AS SELECT ctid AS was_at, * FROM {rows}")
_LOCK = sql.SQL("LOCK TABLE public.{} IN SHARE ROW EXCLUSIVE MODE")


@dataclass(frozen=True)
class Kept:
    """What was kept at the checkpoint.

    Args:
        tables: Their names.
        counters: What the server had counted for each: rows inserted, updated, deleted.
        transaction: The checkpoint's own transaction id.
        sequences: Where each stood.
    """

    tables: tuple[str, ...]
    counters: dict[str, object]
    transaction: int
    sequences: dict[str, int | None]

    @classmethod
    def of(cls, session: Session, *, with_heirs: bool = False) -> Self:
        """Copy every table into schema naive.

        Args:
            session: A session of the owner's.
            with_heirs: A copy also holds the rows of the tables that inherit from its table.
        """
        tables = tuple(name for (name,) in session.execute(_TABLES).fetchall())
        rows = sql.SQL("public.{}" if with_heirs else "ONLY public.{}")
        for table in map(sql.Identifier, tables):
            session.execute(sql.SQL("VACUUM (FREEZE) public.{}").format(table))
        with session.transaction():
            session.execute("CREATE SCHEMA naive")
            for table in map(sql.Identifier, tables):
                session.execute(_COPY.format(name=table, rows=rows.format(table)))
            row = session.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()
            assert row
            return cls(
                tables,
                {table: _counters(session, table) for table in tables},
                row[0],
                dict(session.execute(_SEQUENCES).fetchall()),
            )


def by_counters(kept: Kept, session: Session) -> None:
    """A table whose counters stand where they stood is clean."""
    for table in _counted(kept, session):
        replace_rows(session, table)


def by_counters_then_lock(kept: Kept, session: Session) -> None:
    """The same, and nobody writes to the dirty ones while they are put right."""
    dirty = _counted(kept, session)
    _lock(session, dirty)
    for table in dirty:
        replace_rows(session, table)


def by_locking_each(kept: Kept, session: Session) -> None:
    """Nobody writes to any table from the moment when all are locked."""
    _lock(session, kept.tables)
    for table in kept.tables:
        replace_rows(session, table)


def by_transaction(kept: Kept, session: Session) -> None:
    """What a transaction after the checkpoint's wrote has a greater id."""
    for table in kept.tables:
        query = sql.SQL("DELETE FROM ONLY public.{} WHERE xmin::text::bigint > %s")
        session.execute(query.format(sql.Identifier(table)), (kept.transaction,))
        insert_missing(session, table)


def by_pages_not_frozen(kept: Kept, session: Session) -> None:
    """After the checkpoint's VACUUM (FREEZE) every page is frozen; a write clears the bit."""
    _by_pages(kept, session, sql.SQL("all_frozen"))


def by_pages_not_visible(kept: Kept, session: Session) -> None:
    """The same by the other bit, which a write clears too."""
    _by_pages(kept, session, sql.SQL("all_visible"))


def by_every_table(kept: Kept, session: Session) -> None:
    """The copies hold what they were filled with, and every table is compared with its copy."""
    for table in kept.tables:
        replace_rows(session, table)


def _counted(kept: Kept, session: Session) -> list[str]:
    return [table for table in kept.tables if _counters(session, table) != kept.counters[table]]


def _lock(session: Session, tables: Iterable[str]) -> None:
    for table in tables:
        session.execute(_LOCK.format(sql.Identifier(table)))


def _by_pages(kept: Kept, session: Session, bit: sql.SQL) -> None:
    for table in kept.tables:
        row = session.execute(sql.SQL(_CHANGED_PAGES).format(bit=bit), (table,)).fetchone()
        if row and row[0]:
            replace_rows(session, table)


def _counters(session: Session, table: str) -> object:
    session.execute("SELECT pg_stat_clear_snapshot()")
    return session.execute(_COUNTERS, (table,)).fetchone()
