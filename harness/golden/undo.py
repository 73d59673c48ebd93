"""Put rows back: delete what is new, update in place what was changed, insert what is missing.

Changed rows are updated, never deleted and inserted anew: the actions of foreign keys are never
deferred, and a delete would cascade into tables in which nothing was wrong.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from itertools import chain
from typing import TYPE_CHECKING

from psycopg import errors, sql

from harness.golden.anatomy import listed
from harness.golden.doubt import DoubtError

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
_BEGIN = sql.SQL(
    "SET CONSTRAINTS ALL DEFERRED;"
    " SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;"
    " SET LOCAL plan_cache_mode = force_generic_plan"
)
_END = sql.SQL(
    "SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on; SET CONSTRAINTS ALL IMMEDIATE"
)
_TRIGGER_STATES = {
    "O": sql.SQL("ENABLE"),
    "R": sql.SQL("ENABLE REPLICA"),
    "A": sql.SQL("ENABLE ALWAYS"),
}


def undo(connection: Connection, matched: Sequence[Matched]) -> None:
    """Put the rows of these tables back, with the application's triggers silent meanwhile.

    Args:
        connection: The session, in a transaction, in which no row was written yet.
        matched: What became of each row.

    Raises:
        DoubtError: A statement would not do, or did not do, what it should.
        psycopg.Error: The server refuses a statement.
    """
    work = [table for table in matched if not table.is_golden]
    anatomies = [table.anatomy for table in work]
    _refuse_beyond(anatomies)
    _run(connection, *map(_silence, anatomies), *map(_loosen, anatomies), [_BEGIN])
    children_first = _children_first(work)
    with connection.pipeline():
        for table in children_first:
            _delete(connection, table)
    for table in work:
        _update(connection, table)
    for table in reversed(children_first):
        _insert(connection, table)
    _run(connection, [_END], *map(_tighten, anatomies), *map(_give_voice, anatomies))


def _refuse_beyond(anatomies: Sequence[Anatomy]) -> None:
    """Refuse tables on which a statement would not do what it says."""
    for anatomy in anatomies:
        if anatomy.has_rules:
            raise DoubtError(f"table {anatomy.name} has rules, which turn statements into others")
        if anatomy.is_forced:
            raise DoubtError(f"the row policies of table {anatomy.name} bind its owner, too")


def _delete(connection: Connection, table: Matched) -> None:
    if table.new:
        _delete_rows(connection, table.anatomy, table.new)


def _update(connection: Connection, table: Matched) -> None:
    if not table.changed:
        return
    anatomy = table.anatomy
    if anatomy.unique_indexes < 2 or len(table.changed) == 1:  # noqa: PLR2004  one is the key
        _update_in_place(connection, table)
        return
    try:
        with connection.transaction():
            _update_in_place(connection, table)
    except (errors.UniqueViolation, errors.ExclusionViolation):
        # Values were swapped between rows, and the index is asked after each of them.
        _replace(connection, table)


def _update_in_place(connection: Connection, table: Matched) -> None:
    anatomy = table.anatomy
    sources, places = zip(*table.changed, strict=True)
    done = connection.execute(
        _UPDATE.format(
            table=anatomy.table,
            columns=listed(anatomy.updatable),
            golden=listed(anatomy.updatable, "row_was"),
            shadow=anatomy.shadow,
            sources=sql.Literal(list(sources)),
            places=sql.Literal(list(places)),
        )
    )
    _refuse_fewer(done.rowcount, len(places), anatomy)


def _replace(connection: Connection, table: Matched) -> None:
    """Delete and insert anew after all; what that does to other tables is noticed at the end."""
    sources, places = zip(*table.changed, strict=True)
    _delete_rows(connection, table.anatomy, list(places))
    _insert_rows(connection, table.anatomy, list(sources))


def _insert(connection: Connection, table: Matched) -> None:
    if table.missing:
        _insert_rows(connection, table.anatomy, table.missing)


def _delete_rows(connection: Connection, anatomy: Anatomy, places: list[str]) -> None:
    connection.execute(_DELETE.format(table=anatomy.table, places=sql.Literal(places)))


def _insert_rows(connection: Connection, anatomy: Anatomy, sources: list[str]) -> None:
    done = connection.execute(
        _INSERT.format(
            table=anatomy.table,
            columns=listed(anatomy.insertable),
            shadow=anatomy.shadow,
            sources=sql.Literal(sources),
        )
    )
    _refuse_fewer(done.rowcount, len(sources), anatomy)


def _refuse_fewer(found: int, expected: int, anatomy: Anatomy) -> None:
    if found != expected:
        raise DoubtError(
            f"{found:,} of {expected:,} rows could be put back in table {anatomy.name}"
        )


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


def _run(connection: Connection, *statements: Iterable[sql.Composable]) -> None:
    connection.execute(sql.SQL(";").join(chain.from_iterable(statements)))


def _silence(anatomy: Anatomy) -> Iterator[sql.Composed]:
    if anatomy.triggers:
        yield sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(anatomy.table)


def _give_voice(anatomy: Anatomy) -> Iterator[sql.Composed]:
    for trigger in anatomy.triggers:
        name, _, state = trigger.rpartition(":")
        yield sql.SQL("ALTER TABLE {table} {state} TRIGGER {name}").format(
            table=anatomy.table, state=_TRIGGER_STATES[state], name=sql.Identifier(name)
        )


def _loosen(anatomy: Anatomy) -> Iterator[sql.Composed]:
    return _alter_rigid(anatomy, sql.SQL("DEFERRABLE INITIALLY DEFERRED"))


def _tighten(anatomy: Anatomy) -> Iterator[sql.Composed]:
    return _alter_rigid(anatomy, sql.SQL("NOT DEFERRABLE"))


def _alter_rigid(anatomy: Anatomy, how: sql.SQL) -> Iterator[sql.Composed]:
    for name in anatomy.rigid:
        yield sql.SQL("ALTER TABLE {table} ALTER CONSTRAINT {name} {how}").format(
            table=anatomy.table, name=sql.Identifier(name), how=how
        )
