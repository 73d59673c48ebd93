"""Random rehearsals: what an agent, its application and its operator do in several sessions."""
# ruff: noqa: S608  random statements are texts, and no value comes from outside

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from .decorations import LOG
from .definitions import definition
from .drawing import chance, name, one_of, some_of
from .schemas import Schema, Table, insertion, schemas
from .values import TEXT, quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import DrawFn
    from hypothesis.vendor.pretty import RepresentationPrinter

    from .schemas import Column

MAIN, OLD, READER, IDLE = "main", "old", "reader", "idle"
"""Sessions. OLD has a transaction with an id, and READER one with a snapshot, from before the
checkpoint; IDLE was opened before it and stays; MAIN is opened afterwards."""


_IN_SUBTRANSACTIONS = f"""DO $do$ BEGIN FOR i IN 1..3 LOOP
    BEGIN INSERT INTO public.{LOG} (body) VALUES (i); EXCEPTION WHEN OTHERS THEN NULL; END;
END LOOP; END $do$"""


@dataclass(frozen=True)
class Block:
    """Statements of one session.

    Args:
        session: Which.
        statements: They need not succeed.
        end: How their transaction ends; empty where each is one by itself.
        is_guarded: Each is in a savepoint of its own, so that a failure is its own, too.
        is_late: The transaction ends after the next block.
    """

    session: str
    statements: tuple[str, ...]
    end: str = ""
    is_guarded: bool = False
    is_late: bool = False

    def __str__(self) -> str:
        how = f" ... {self.end}{', guarded' if self.is_guarded else ''}" if self.end else ""
        late = ", late" if self.is_late else ""
        return f"-- {self.session}{how}{late}\n" + ";\n".join(self.statements) + ";"


@dataclass(frozen=True)
class Example:
    """A schema, its rows, and a rehearsal.

    Args:
        schema: What there is at the checkpoint.
        sessions: Which of OLD, READER and IDLE there are.
        stay: Those are left open while the sandbox is reset.
        blocks: What is done.
    """

    schema: Schema
    sessions: tuple[str, ...]
    stay: bool
    blocks: tuple[Block, ...]

    def _repr_pretty_(self, printer: RepresentationPrinter, cycle: object) -> None:
        """As hypothesis prints it: a script to run by hand."""
        del cycle
        printer.text(str(self))

    def __str__(self) -> str:
        schema = self.schema
        parts = [
            *(table.creation for table in schema.tables),
            *(each for table in schema.tables for each in table.additions),
            *schema.foreign_keys,
            *(each for table in schema.tables for each in table.triggers),
            *schema.extras,
            *schema.rows,
            *schema.late,
        ]
        blocks = "\n".join(map(str, self.blocks))
        sessions = f"{', '.join(self.sessions) or 'none'}{', which stay' if self.stay else ''}"
        return "\n".join(
            ["", *(f"{part};" for part in parts), f"-- checkpoint; sessions: {sessions}", blocks]
        )


@st.composite
def examples(draw: DrawFn) -> Example:
    """An example; one of five has statements that change definitions."""
    schema = draw(schemas())
    with_definitions = chance(draw, 18)
    sessions = some_of(draw, (OLD, READER, IDLE), at_most=3) if chance(draw, 50) else []
    blocks = []
    for _ in range(draw(st.integers(0, 7))):
        writers = [MAIN, MAIN, *(each for each in sessions if each != READER)]
        blocks.append(_block(draw, schema, one_of(draw, *writers), definitions=with_definitions))
    return Example(schema, tuple(sessions), chance(draw, 60), tuple(blocks))


def _block(draw: DrawFn, schema: Schema, session: str, *, definitions: bool) -> Block:
    if not chance(draw, 50):
        return Block(session, _statement(draw, schema, definitions=definitions))
    statements: list[str] = []
    for _ in range(draw(st.integers(1, 4))):
        statements += _statement(draw, schema, definitions=definitions)
    if chance(draw, 30):
        at = draw(st.integers(0, len(statements)))
        how = one_of(draw, "ROLLBACK TO s", "RELEASE s", "ROLLBACK TO s; RELEASE s")
        statements = [*statements[:at], "SAVEPOINT s", *statements[at:], how]
        statements += _statement(draw, schema, definitions=definitions)
    return Block(
        session,
        tuple(statements),
        one_of(draw, "COMMIT", "COMMIT", "ROLLBACK"),
        is_guarded=chance(draw, 50),
        is_late=chance(draw, 30),
    )


def _statement(draw: DrawFn, schema: Schema, *, definitions: bool) -> tuple[str, ...]:
    """One statement, or a few that belong together."""
    if definitions and chance(draw, 40):
        return (definition(draw, schema),)
    table = one_of(draw, *schema.tables)
    kinds: list[tuple[int, Callable[[], tuple[str, ...]]]] = [
        (25, lambda: (insertion(draw, table),)),
        (30, lambda: _update(draw, table)),
        (18, lambda: (f"DELETE FROM {table.sql}{_which(draw, table)}",)),
        (7, lambda: (_sequence(draw, schema),)),
        (5, lambda: (_truncation(draw, table),)),
        (5, lambda: (_maintenance(draw, table),)),
        (10, lambda: _oddity(draw, schema, table)),
    ]
    return one_of(draw, *(kind for weight, kind in kinds for _ in range(weight)))()


def _which(draw: DrawFn, table: Table) -> str:
    """A WHERE for one row by its place, for some by a value, or none."""
    if chance(draw, 12):
        return ""
    able = [column for column in table.columns if column.kind.key and column.is_written]
    if able and chance(draw, 40):
        column = one_of(draw, *able)
        return f" WHERE {name(column.name)} = {draw(column.kind.values)}"
    at = draw(st.integers(0, 5))
    return f" WHERE ctid = (SELECT ctid FROM {table.sql} ORDER BY 1 OFFSET {at} LIMIT 1)"


def _update(draw: DrawFn, table: Table) -> tuple[str, ...]:
    if not table.written:
        return (f"DELETE FROM {table.sql}{_which(draw, table)}",)
    numbers = [column for column in table.written if column.kind.name == "integer"]
    if numbers and chance(draw, 20):
        return _exchange(draw, table, one_of(draw, *numbers))
    column = one_of(draw, *table.written)
    values = {column.name: column.value(draw)}
    if chance(draw, 20):
        other = one_of(draw, *table.written)
        values[other.name] = other.value(draw)
    if chance(draw, 15):
        values[column.name] = name(column.name)  # a new version of the row, with nothing new in it
    assigned = ", ".join(f"{name(key)} = {value}" for key, value in values.items())
    return (f"UPDATE {table.sql} SET {assigned}{_which(draw, table)}",)


def _exchange(draw: DrawFn, table: Table, column: Column) -> tuple[str, ...]:
    """Two rows take one another's value, whatever constraint is on it; or all move by one."""
    own, on = name(column.name), table.sql
    if chance(draw, 30):
        return (f"UPDATE {on} SET {own} = {own} + {one_of(draw, 1, -1, 100)}",)
    one, other = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    return (
        f"UPDATE {on} SET {own} = -1 WHERE {own} = {one}",
        f"UPDATE {on} SET {own} = {one} WHERE {own} = {other}",
        f"UPDATE {on} SET {own} = {other} WHERE {own} = -1",
    )


def _sequence(draw: DrawFn, schema: Schema) -> str:
    owned = [
        f"pg_get_serial_sequence({quoted(table.sql)}, 'rowid')"
        for table in schema.tables
        if table.key == ("rowid",) and not table.columns[0].is_written
    ]
    sequence = one_of(draw, *owned, "'public.llx_uncalled'", "'public.llx_loose'")
    return one_of(
        draw,
        f"SELECT nextval({sequence})",
        f"SELECT setval({sequence}, 7, false)",
        f"SELECT setval({sequence}, 1, true)",
        f"SELECT setval({sequence}, 70)",
        "ALTER SEQUENCE public.llx_loose RESTART",
        "ALTER SEQUENCE public.llx_uncalled RESTART WITH 3",
    )


def _truncation(draw: DrawFn, table: Table) -> str:
    return f"TRUNCATE {table.sql}" + one_of(
        draw, " CASCADE", "", " RESTART IDENTITY", " RESTART IDENTITY CASCADE"
    )


def _maintenance(draw: DrawFn, table: Table) -> str:
    return one_of(
        draw,
        f"VACUUM {table.sql}",
        f"VACUUM (FREEZE) {table.sql}",
        f"ANALYZE {table.sql}",
        f"VACUUM (FULL) {table.sql}",
        f"REINDEX TABLE {table.sql}",
        "VACUUM (FREEZE)",
    )


def _oddity(draw: DrawFn, schema: Schema, table: Table) -> tuple[str, ...]:
    """What is rare, and easily forgotten."""
    on = table.sql
    other = one_of(draw, *schema.tables)
    return one_of(
        draw,
        # Locks leave their mark on rows, and so does what was rolled back.
        (f"SELECT FROM {on} FOR UPDATE",),
        (f"SELECT FROM {on} FOR KEY SHARE",),
        (f"DO $do$ BEGIN DELETE FROM {on}; RAISE 'no'; EXCEPTION WHEN OTHERS THEN NULL; END $do$",),
        (_IN_SUBTRANSACTIONS,),
        # Away and there again.
        (
            f"CREATE TEMPORARY TABLE away AS SELECT * FROM {on}",
            f"DELETE FROM {on}",
            f"INSERT INTO {on} OVERRIDING SYSTEM VALUE SELECT * FROM away",
            "DROP TABLE away",
        ),
        (
            "SET CONSTRAINTS ALL DEFERRED",
            f"DELETE FROM {on}",
            f"DELETE FROM {other.sql}",
        ),
        (f"INSERT INTO {on} SELECT * FROM {on}",),
        (f"TRUNCATE {on}, {other.sql} CASCADE",),
        ("SELECT lo_from_bytea(0, 'large')",) if chance(draw, 30) else ("SELECT 1",),
        (f"UPDATE public.llx_const SET value = {draw(TEXT.values)} WHERE name = 'x'",),
        (f"INSERT INTO public.llx_const (name, value) VALUES ('x', {draw(TEXT.values)})",),
    )
