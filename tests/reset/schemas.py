"""Random schemas, with their rows: what an application may have, and what PostgreSQL allows."""
# ruff: noqa: S608  random statements are texts, and no value comes from outside

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from .decorations import additions, constraint, extras, triggers
from .drawing import chance, name, names, one_of, some_of
from .values import INTEGER, KEY_TEXT, KEYS, KINDS, TEXT, Kind

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn

TABLE_NAMES = (
    "llx_a", "llx_b", "llx_c", "llx_Mixed Case", 'llx_quo"te', "llx_é%s", "order",
    "llx_" + "n" * 59, "llx_{0}",
)  # fmt: skip
COLUMN_NAMES = (
    "a", "b", "c", "Mixed", "select", 'quo"te', "50%", "%s", "{}", "é", "golden", "now", "row",
    "x" * 63,
)  # fmt: skip
# Names that the shadow has uses of its own for.
TAKEN_TABLE, TAKEN_COLUMN = "sentinel of the shadow", "_place"
_MOST_COLUMNS = 12
ACTIONS = ("NO ACTION", "CASCADE", "RESTRICT", "SET NULL", "SET DEFAULT")


@dataclass(frozen=True)
class Column:
    """One column.

    Args:
        name: Its name.
        kind: Its type.
        clause: What follows its name in CREATE TABLE.
        is_written: Statements give it a value; otherwise the server does.
        is_nullable: It may be NULL.
        refers: Name of the table whose key it holds; empty if none.
    """

    name: str
    kind: Kind
    clause: str
    is_written: bool = True
    is_nullable: bool = True
    refers: str = ""

    def value(self, draw: DrawFn) -> str:
        """An expression for it."""
        if self.refers and not chance(draw, 20):
            at = draw(st.integers(0, 3))
            return f"(SELECT rowid FROM public.{name(self.refers)} ORDER BY 1 OFFSET {at} LIMIT 1)"
        return draw(self.kind.nullable if self.is_nullable else self.kind.values)


@dataclass(frozen=True)
class Table:
    """One table, and what belongs to it.

    Args:
        name: Its name.
        columns: Its columns.
        key: Columns of its primary key; empty if it has none.
        persistence: UNLOGGED, or nothing.
        storage: What follows its columns in CREATE TABLE.
        constraints: Constraints within CREATE TABLE, the primary key aside.
        additions: Statements after all tables are made.
        triggers: Statements that make its triggers, after its rows.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    persistence: str = ""
    storage: str = ""
    constraints: tuple[str, ...] = ()
    additions: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()

    @property
    def sql(self) -> str:
        """Its name in SQL."""
        return name("public", self.name)

    @property
    def written(self) -> list[Column]:
        """The columns that statements give a value."""
        return [column for column in self.columns if column.is_written]

    @property
    def creation(self) -> str:
        """The statement that makes it."""
        parts = [f"{name(column.name)} {column.clause}" for column in self.columns]
        parts += [f"PRIMARY KEY ({names(self.key)})"] if self.key else []
        inside = ", ".join([*parts, *self.constraints])
        return f"CREATE {self.persistence} TABLE {self.sql} ({inside}) {self.storage}"


@dataclass(frozen=True)
class Schema:
    """A schema and its rows.

    Args:
        tables: The tables.
        foreign_keys: Statements.
        extras: Statements: views, grants, comments and so on.
        rows: Statements; some fail, since nobody looks whether a row fits.
        late: Statements after the rows: what rows need not fit.
    """

    tables: tuple[Table, ...]
    foreign_keys: tuple[str, ...]
    extras: tuple[str, ...]
    rows: tuple[str, ...]
    late: tuple[str, ...]

    @property
    def takes_a_name_of_the_shadow(self) -> bool:
        """Whether it uses a name that leaves the shadow none."""
        return any(
            table.name == TAKEN_TABLE or column.name == TAKEN_COLUMN
            for table in self.tables
            for column in table.columns
        )


@st.composite
def schemas(draw: DrawFn) -> Schema:
    """A schema of one to five tables."""
    chosen = some_of(draw, TABLE_NAMES, at_least=1, at_most=5)
    takes = one_of(draw, TAKEN_TABLE, TAKEN_COLUMN) if chance(draw, 2) else ""
    if takes == TAKEN_TABLE:
        chosen[0] = TAKEN_TABLE
    made = [_table(draw, each, takes) for each in chosen]
    parents = [table.name for table in made if table.key == ("rowid",) and not table.persistence]
    tables, foreign_keys, late = [], [], []
    for each in made:
        table = each
        while parents and chance(draw, 45) and len(table.columns) < _MOST_COLUMNS:
            table, statement = _with_reference(draw, table, one_of(draw, *parents))
            if chance(draw, 8):
                late.append(f"{statement} NOT VALID")
            else:
                foreign_keys.append(statement)
        tables.append(table)
    return Schema(
        tables=tuple(tables),
        foreign_keys=tuple(foreign_keys),
        extras=tuple(statement for table in tables for statement in extras(draw, table)),
        rows=tuple(statement for table in tables for statement in _rows(draw, table)),
        late=tuple(late),
    )


def _table(draw: DrawFn, table: str, takes: str) -> Table:
    named = some_of(draw, COLUMN_NAMES, at_most=5)
    if named and takes == TAKEN_COLUMN:
        named[0] = TAKEN_COLUMN
    columns = [_column(draw, each, one_of(draw, *KINDS)) for each in named]
    first, key = _key(draw)
    columns = [*first, *columns]
    numbers = [c for c in columns if c.kind.name == "integer" and c.is_written]
    if numbers and chance(draw, 25):
        clause = f"integer GENERATED ALWAYS AS ({name(numbers[0].name)} * 2) STORED"
        place = draw(st.integers(0, len(columns)))
        columns.insert(place, Column("double", INTEGER, clause, is_written=False))
    if chance(draw, 30):
        clause = "timestamptz DEFAULT clock_timestamp()"
        columns.append(Column("tms", TEXT, clause, is_written=False))
    storage = one_of(draw, "WITH (fillfactor = 30)", "WITH (autovacuum_enabled = off)")
    found = Table(
        name=table,
        columns=tuple(columns),
        key=tuple(key),
        persistence="UNLOGGED" if chance(draw, 4) else "",
        storage=storage if chance(draw, 10) else "",
        constraints=tuple(constraint(draw, each) for each in columns if chance(draw, 12)),
    )
    return replace(
        found, additions=tuple(additions(draw, found)), triggers=tuple(triggers(draw, found))
    )


def _column(draw: DrawFn, column: str, kind: Kind) -> Column:
    is_nullable = not chance(draw, 15)
    clause = kind.name + ("" if is_nullable else " NOT NULL")
    if chance(draw, 15):
        clause += f" DEFAULT {draw(kind.values)}" if kind is not TEXT else " DEFAULT 'default'"
    return Column(column, kind, clause, is_nullable=is_nullable)


def _key(draw: DrawFn) -> tuple[list[Column], list[str]]:
    """Columns to come first, and the names of those that make the primary key."""
    how = one_of(
        draw, "serial", "serial", "always", "by default", "number", "none", "column", "several"
    )
    own = {
        "serial": ("serial", False),
        "always": ("integer GENERATED ALWAYS AS IDENTITY", False),
        "by default": ("integer GENERATED BY DEFAULT AS IDENTITY", chance(draw, 50)),
        "number": ("integer", True),
    }
    if how in own:
        clause, is_written = own[how]
        first = Column("rowid", INTEGER, clause, is_written=is_written, is_nullable=False)
        return [first], ["rowid"]
    if how == "column":
        kind = one_of(draw, *KEYS)
        return [Column("id", kind, kind.name, is_nullable=False)], ["id"]
    if how == "several":
        first = [
            Column("entity", INTEGER, "integer", is_nullable=False),
            Column("ref", KEY_TEXT, "text", is_nullable=False),
        ]
        return first, ["ref", "entity"]
    return [], []


def _with_reference(draw: DrawFn, table: Table, parent: str) -> tuple[Table, str]:
    """The table with one more column, and the foreign key of it."""
    number = len(table.columns)
    default = " DEFAULT 1" if chance(draw, 20) else ""
    column = Column(f"fk_{number}", INTEGER, f"integer{default}", refers=parent)
    more = replace(table, columns=(*table.columns, column))
    when = one_of(draw, "", "DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED")
    statement = (
        f"ALTER TABLE {more.sql} ADD CONSTRAINT {name(f'fk {table.name}'[:55] + str(number))}"
        f" FOREIGN KEY ({name(column.name)}) REFERENCES public.{name(parent)} (rowid)"
        f" ON DELETE {one_of(draw, *ACTIONS)} ON UPDATE {one_of(draw, *ACTIONS)} {when}"
    )
    return more, statement


def _rows(draw: DrawFn, table: Table) -> list[str]:
    found = [insertion(draw, table) for _ in range(draw(st.integers(0, 7)))]
    texts = [column.name for column in table.written if column.kind is TEXT]
    counts_itself = table.key == ("rowid",) and not table.columns[0].is_written
    if texts and counts_itself and chance(draw, 15):
        # More than one page of them.
        found.append(
            f"INSERT INTO {table.sql} ({name(texts[0])})"
            " SELECT repeat('bulk ', 20) || i FROM generate_series(1, 300) AS i"
        )
    return found


def insertion(draw: DrawFn, table: Table) -> str:
    """An INSERT of one row, which need not fit."""
    columns = [column for column in table.written if not chance(draw, 15)]
    if not columns:
        return f"INSERT INTO {table.sql} DEFAULT VALUES"
    values = ", ".join(column.value(draw) for column in columns)
    return f"INSERT INTO {table.sql} ({names(c.name for c in columns)}) VALUES ({values})"
