"""What belongs to a table beside its columns: constraints, indexes, triggers, views, grants."""
# ruff: noqa: S608  random statements are texts, and no value comes from outside

from __future__ import annotations

from typing import TYPE_CHECKING

from .drawing import chance, name, one_of
from .values import TYPES

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn

    from .schemas import Column, Table

LOG = "llx_log"
COMMON = f"""
{TYPES}
CREATE TABLE public.{LOG} (rowid serial PRIMARY KEY, body text);
CREATE SEQUENCE public.llx_uncalled;
CREATE SEQUENCE public.llx_loose START 5 INCREMENT -1 MINVALUE -100 MAXVALUE 100 CYCLE;
CREATE FUNCTION public.is_fine(anyelement) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT true';
CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.{LOG} (body) VALUES (TG_OP || ' ' || TG_TABLE_NAME);
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE FUNCTION public.note_all() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.{LOG} (body) VALUES (TG_OP || ' of ' || TG_TABLE_NAME);
    RETURN NULL;
END $$;
CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the application does not do that'; END $$;
CREATE FUNCTION public.swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN NEW.tms = clock_timestamp(); RETURN NEW; END';
"""
_EACH_ROW = "ON {on} FOR EACH ROW EXECUTE FUNCTION public"


def constraint(draw: DrawFn, column: Column) -> str:
    """A constraint on one column, for CREATE TABLE."""
    own = name(column.name)
    if column.kind.name == "int4range":
        return f"EXCLUDE USING gist ({own} WITH &&)"
    choices = [f"CHECK (public.is_fine({own}))"]
    if column.kind.key and column.is_written:
        choices += [
            f"UNIQUE ({own}){when}"
            for when in ("", " DEFERRABLE", " DEFERRABLE INITIALLY DEFERRED")
        ]
    return one_of(draw, *choices)


def additions(draw: DrawFn, table: Table) -> list[str]:
    """Statements: indexes, and what a table has been through."""
    on = table.sql
    able = [name(column.name) for column in table.columns if column.kind.key]
    indexes = (
        "INDEX ON {on} ({column})",
        "UNIQUE INDEX ON {on} ({column})",
        "UNIQUE INDEX ON {on} ({column}) NULLS NOT DISTINCT",
        "UNIQUE INDEX ON {on} ({column}) WHERE {column} IS NOT NULL",
        "INDEX ON {on} ((ROW({column}) IS NULL))",
    )
    found = [
        f"CREATE {one_of(draw, *indexes).format(on=on, column=column)}"
        for column in able
        if chance(draw, 15)
    ]
    if len(able) > 1 and chance(draw, 15):
        found.append(f"CREATE UNIQUE INDEX ON {on} ({able[0]}, {able[1]})")
    if chance(draw, 12):
        # What is left of a column that was dropped: a gap in the numbers of the columns.
        found.append(f"ALTER TABLE {on} ADD COLUMN gone integer, ADD COLUMN later text DEFAULT 'l'")
        found.append(f"ALTER TABLE {on} DROP COLUMN gone")
    return found


def triggers(draw: DrawFn, table: Table) -> list[str]:
    """Statements that make triggers, in every state that they can have."""
    has_tms = any(column.name == "tms" for column in table.columns)
    made = {
        "touches": f"BEFORE UPDATE {_EACH_ROW}.touch()",
        "notes": f"AFTER INSERT OR UPDATE OR DELETE {_EACH_ROW}.note()",
        "refuses": f"BEFORE {one_of(draw, 'DELETE', 'UPDATE')} {_EACH_ROW}.refuse()",
        "swallows": f"BEFORE {one_of(draw, 'DELETE', 'INSERT')} {_EACH_ROW}.swallow()",
        "counts": "AFTER INSERT ON {on} REFERENCING NEW TABLE AS new FOR EACH STATEMENT"
        " EXECUTE FUNCTION public.note_all()",
        "truncates": "AFTER TRUNCATE ON {on} EXECUTE FUNCTION public.note_all()",
        "waits": "AFTER UPDATE OR DELETE ON {on} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
        " EXECUTE FUNCTION public.note_all()",
    }
    found = []
    for trigger, definition in made.items():
        percent = 10 if trigger != "touches" else 60 if has_tms else 0
        if not chance(draw, percent):
            continue
        kind = "CONSTRAINT TRIGGER" if trigger == "waits" else "TRIGGER"
        found.append(f"CREATE {kind} {trigger} {definition.format(on=table.sql)}")
        if chance(draw, 40):
            state = one_of(draw, "DISABLE", "ENABLE ALWAYS", "ENABLE REPLICA")
            found.append(f"ALTER TABLE {table.sql} {state} TRIGGER {trigger}")
    return found


def extras(draw: DrawFn, table: Table) -> list[str]:
    """Statements: views, grants, comments, and what makes a table an odd one."""
    on = table.sql

    def beside(letter: str) -> str:
        """Another name, that of the table in it."""
        return f"public.{name(f'{letter} {table.name}'[:60])}"

    made = {
        f"CREATE VIEW {beside('v')} AS SELECT * FROM {on}": 10,
        f"GRANT SELECT ON {on} TO PUBLIC": 6,
        f"COMMENT ON TABLE {on} IS 'in $body$'": 4,
        f"CREATE TABLE {beside('h')} (heir int) INHERITS ({on})": 2,
        f"CREATE RULE goes AS ON DELETE TO {on} DO INSTEAD NOTHING": 2,
        f"CREATE RULE logs AS ON UPDATE TO {on}"
        f" DO ALSO INSERT INTO public.{LOG} (body) VALUES ('ruled')": 2,
        f"ALTER TABLE {on} ENABLE ROW LEVEL SECURITY": 2,
        f"ALTER TABLE {on} REPLICA IDENTITY FULL": 2,
    }
    return [each for each, percent in made.items() if chance(draw, percent)]
