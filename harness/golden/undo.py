"""Put rows back: delete what is new, update in place what was changed, insert what is missing.

Changed rows are updated, never deleted and inserted anew: the actions of foreign keys are never
deferred, and a delete would cascade into tables in which nothing was wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from typing import TYPE_CHECKING

from psycopg import errors, sql

from harness.golden.anatomy import listed, tids
from harness.golden.doubt import DoubtError
from harness.postgres.rendering import joined, name, rendered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.golden.anatomy import Anatomy
    from harness.golden.match import Matched
    from harness.postgres.connection import Connection

# Values stand in the statements: beside parameters, a percent sign in the name of a column would be
# taken for one.
_DELETE = sql.SQL("DELETE FROM ONLY {table} WHERE ctid = ANY ({places}::tid[])")
_UPDATE = sql.SQL(
    "UPDATE ONLY {table} AS row_now SET ({columns}) = ROW({golden})"
    " FROM unnest({sources}::tid[], {places}::tid[]) AS pair (source, place)"
    " JOIN {shadow} AS row_was ON row_was.ctid = pair.source"
    " WHERE row_now.ctid = pair.place"
)
_INSERT = sql.SQL(
    "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE"
    " SELECT {columns} FROM {shadow} WHERE ctid = ANY ({sources}::tid[])"
)
# Planned as joins over whole tables, the statements below would read whole tables. What the server
# asks to check a foreign key would be planned anew for each of the first five rows.
_BEGIN = (
    sql.SQL("SET CONSTRAINTS ALL DEFERRED"),
    sql.SQL("SET LOCAL enable_hashjoin = off"),
    sql.SQL("SET LOCAL enable_mergejoin = off"),
    sql.SQL("SET LOCAL plan_cache_mode = force_generic_plan"),
)
_END = (
    sql.SQL("SET LOCAL enable_hashjoin = on"),
    sql.SQL("SET LOCAL enable_mergejoin = on"),
    sql.SQL("SET CONSTRAINTS ALL IMMEDIATE"),
)
_DISABLE = sql.SQL("ALTER TABLE {table} DISABLE TRIGGER USER")
_ENABLE = sql.SQL("ALTER TABLE {table} {state} TRIGGER {trigger}")
_ALTER = sql.SQL("ALTER TABLE {table} ALTER CONSTRAINT {constraint} {how}")
_VIOLATIONS = (errors.UniqueViolation, errors.ExclusionViolation)
_TRIGGER_STATES = {
    "O": sql.SQL("ENABLE"),
    "R": sql.SQL("ENABLE REPLICA"),
    "A": sql.SQL("ENABLE ALWAYS"),
}


@dataclass(frozen=True, slots=True)
class _Step:
    """One statement, and how many rows it has to put back."""

    statement: sql.Composable
    table: str = ""
    rows: int | None = None


class SwappedError(Exception):
    """Values that may be there once were swapped between rows: only one by one can they go back."""


def undo(connection: Connection, matched: Sequence[Matched], *, one_by_one: bool) -> None:
    """Put the rows of these tables back, with the application's triggers silent meanwhile.

    Args:
        connection: The session, in a transaction, in which no row was written yet.
        matched: What became of each row.
        one_by_one: Update each table for itself, ready to go another way.

    Raises:
        SwappedError: It has to be done one by one, in another transaction.
        DoubtError: A statement would not do, or did not do, what it should.
        psycopg.Error: The server refuses a statement.
    """
    work = [table for table in matched if not table.is_golden]
    _refuse_beyond([table.anatomy for table in work])
    if one_by_one:
        _one_by_one(connection, work)
        return
    try:
        _at_once(connection, work)
    except _VIOLATIONS as error:
        # The index is asked after each row.
        raise SwappedError from error


def _at_once(connection: Connection, work: Sequence[Matched]) -> None:
    """Send everything together: to wait for each answer would take most of the time.

    No part of it is a transaction of its own, whose id the next reset would not know as this one's.
    """
    updates = [_update(table) for table in work if table.changed]
    _run(connection, [*_before_updates(work), *updates, *_after_updates(work)])


def _one_by_one(connection: Connection, work: Sequence[Matched]) -> None:
    _run(connection, _before_updates(work))
    for table in work:
        if table.changed:
            _update_or_replace(connection, table)
    _run(connection, _after_updates(work))


def _before_updates(work: Sequence[Matched]) -> list[_Step]:
    anatomies = [table.anatomy for table in work]
    return [
        *_plainly(*map(_silence, anatomies), *map(_loosen, anatomies), _BEGIN),
        *(_delete(table.anatomy, table.new) for table in _children_first(work) if table.new),
    ]


def _after_updates(work: Sequence[Matched]) -> list[_Step]:
    anatomies = [table.anatomy for table in work]
    parents_first = reversed(_children_first(work))
    return [
        *(_insert(table.anatomy, table.missing) for table in parents_first if table.missing),
        *_plainly(_END, *map(_tighten, anatomies), *map(_give_voice, anatomies)),
    ]


def _refuse_beyond(anatomies: Sequence[Anatomy]) -> None:
    """Refuse tables on which a statement would not do what it says."""
    for anatomy in anatomies:
        if anatomy.has_rules:
            raise DoubtError(f"table {anatomy.name} has rules, which turn statements into others")
        if anatomy.is_forced:
            raise DoubtError(f"the row policies of table {anatomy.name} bind its owner, too")


def _update_or_replace(connection: Connection, table: Matched) -> None:
    if table.anatomy.unique_indexes < 2 or len(table.changed) == 1:  # noqa: PLR2004  one is the key
        _run(connection, [_update(table)])
        return
    try:
        with connection.transaction():
            _run(connection, [_update(table)])
    except _VIOLATIONS:
        # Delete and insert after all; what that does to other tables is noticed at the end.
        sources, places = zip(*table.changed, strict=True)
        _run(connection, [_delete(table.anatomy, places), _insert(table.anatomy, sources)])


def _delete(anatomy: Anatomy, places: Sequence[str]) -> _Step:
    return _Step(rendered(_DELETE, table=anatomy.table, places=tids(places)))


def _update(table: Matched) -> _Step:
    anatomy = table.anatomy
    sources, places = zip(*table.changed, strict=True)
    statement = rendered(
        _UPDATE,
        table=anatomy.table,
        columns=listed(anatomy.updatable),
        golden=listed(anatomy.updatable, "row_was"),
        shadow=anatomy.shadow,
        sources=tids(sources),
        places=tids(places),
    )
    return _Step(statement, anatomy.name, len(places))


def _insert(anatomy: Anatomy, sources: Sequence[str]) -> _Step:
    statement = rendered(
        _INSERT,
        table=anatomy.table,
        columns=listed(anatomy.insertable),
        shadow=anatomy.shadow,
        sources=tids(sources),
    )
    return _Step(statement, anatomy.name, len(sources))


def _plainly(*statements: Iterable[sql.Composable]) -> Iterator[_Step]:
    return map(_Step, chain.from_iterable(statements))


def _run(connection: Connection, steps: Sequence[_Step]) -> None:
    answer = connection.execute(joined(";", (step.statement for step in steps)))
    for step in steps:
        if step.rows is not None and answer.rowcount != step.rows:
            raise DoubtError(
                f"{answer.rowcount:,} of {step.rows:,} rows could be put back in table {step.table}"
            )
        answer.nextset()


def _children_first(work: Sequence[Matched]) -> list[Matched]:
    """Tables in an order in which no delete meets a row that still refers to what it deletes."""
    by_oid = {table.anatomy.oid: table for table in work}
    sorter = TopologicalSorter(
        {
            oid: [parent for parent in table.anatomy.referenced if parent in by_oid]
            for oid, table in by_oid.items()
        }
    )
    try:
        parents_first = list(sorter.static_order())
    except CycleError:
        return list(work)
    return [by_oid[oid] for oid in reversed(parents_first)]


def _silence(anatomy: Anatomy) -> Iterator[sql.SQL]:
    if anatomy.triggers:
        yield rendered(_DISABLE, table=anatomy.table)


def _give_voice(anatomy: Anatomy) -> Iterator[sql.SQL]:
    for trigger in anatomy.triggers:
        own, _, state = trigger.rpartition(":")
        yield rendered(
            _ENABLE, table=anatomy.table, state=_TRIGGER_STATES[state], trigger=name(own)
        )


def _loosen(anatomy: Anatomy) -> Iterator[sql.SQL]:
    return _alter_rigid(anatomy, sql.SQL("DEFERRABLE INITIALLY DEFERRED"))


def _tighten(anatomy: Anatomy) -> Iterator[sql.SQL]:
    return _alter_rigid(anatomy, sql.SQL("NOT DEFERRABLE"))


def _alter_rigid(anatomy: Anatomy, how: sql.SQL) -> Iterator[sql.SQL]:
    for constraint in anatomy.rigid:
        yield rendered(_ALTER, table=anatomy.table, constraint=name(constraint), how=how)
