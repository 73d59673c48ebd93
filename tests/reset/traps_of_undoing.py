"""Traps for whoever puts back what was changed: keys, triggers, types, and what else is defined."""

from __future__ import annotations

import psycopg

from . import naive_undo
from .traps import DURABLE, EITHER, LINES, Trap, sql

FAMILY = """
CREATE TABLE public.llx_parent (rowid int PRIMARY KEY, label text);
CREATE TABLE public.llx_child (
    rowid int PRIMARY KEY,
    fk_parent int REFERENCES public.llx_parent (rowid) ON DELETE {} {}
);
INSERT INTO public.llx_parent SELECT i, 'parent ' || i FROM generate_series(1, 9) AS i;
INSERT INTO public.llx_child SELECT i, i FROM generate_series(1, 9) AS i;
"""
CHANGE_A_PARENT = ["UPDATE public.llx_parent SET label = 'changed' WHERE rowid = 4"]
UNKEYED = """
CREATE TABLE public.llx_unkeyed (label text, n int);
INSERT INTO public.llx_unkeyed VALUES ('twice', 1), ('twice', 1), ('once', 2);
"""
NOTING = """
CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN INSERT INTO public.llx_notes (body) VALUES (TG_OP || TG_TABLE_NAME); RETURN NULL; END';
CREATE TABLE public.llx_notes (rowid serial PRIMARY KEY, body text);
CREATE TRIGGER noting AFTER INSERT OR UPDATE OR DELETE ON public.llx_lines
    FOR EACH ROW EXECUTE FUNCTION public.note();
"""
STATES = """
CREATE TRIGGER is_off BEFORE UPDATE ON public.llx_lines
    FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TRIGGER is_always BEFORE UPDATE ON public.llx_lines
    FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TRIGGER is_replica BEFORE UPDATE ON public.llx_lines
    FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
ALTER TABLE public.llx_lines DISABLE TRIGGER is_off;
ALTER TABLE public.llx_lines ENABLE ALWAYS TRIGGER is_always;
ALTER TABLE public.llx_lines ENABLE REPLICA TRIGGER is_replica;
"""
DEFERRED_PAIR = """
CREATE TABLE public.llx_a (rowid int PRIMARY KEY, fk_b int NOT NULL);
CREATE TABLE public.llx_b (rowid int PRIMARY KEY, fk_a int NOT NULL);
INSERT INTO public.llx_a VALUES (1, 1), (2, 2);
INSERT INTO public.llx_b VALUES (1, 1), (2, 2);
ALTER TABLE public.llx_a ADD FOREIGN KEY (fk_b) REFERENCES public.llx_b (rowid) {0};
ALTER TABLE public.llx_b ADD FOREIGN KEY (fk_a) REFERENCES public.llx_a (rowid) {0};
"""
SELF = """
CREATE TABLE public.llx_tree (
    rowid int PRIMARY KEY, fk_parent int REFERENCES public.llx_tree (rowid)
);
INSERT INTO public.llx_tree VALUES (1, NULL), (2, 1), (3, 2), (4, 3);
"""
UNIQUE = """
CREATE TABLE public.llx_ranks (rowid int PRIMARY KEY, rank int NOT NULL UNIQUE);
INSERT INTO public.llx_ranks VALUES (1, 10), (2, 20), (3, 30);
"""
GENERATED = """
CREATE TABLE public.llx_generated (
    rowid int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int,
    double int GENERATED ALWAYS AS (n * 2) STORED
);
INSERT INTO public.llx_generated (n) VALUES (1), (2), (3);
"""
PLACES = """
CREATE TABLE public.llx_places (rowid int PRIMARY KEY, place point, options json);
INSERT INTO public.llx_places VALUES (1, '(1,2)', '{"a": 1}'), (2, NULL, NULL);
"""
AMOUNTS = """
CREATE TABLE public.llx_amounts (
    rowid int PRIMARY KEY, amount numeric, share real, lasts interval, options jsonb
);
INSERT INTO public.llx_amounts VALUES (1, 1.00, 0.0, '1 day', '{"n": 1.00}');
"""
RULED = """
CREATE RULE keep AS ON DELETE TO public.llx_lines DO INSTEAD NOTHING;
"""
HEIRS = """
CREATE TABLE public.llx_heirs (more text) INHERITS (public.llx_lines);
INSERT INTO public.llx_heirs (label, n, more) VALUES ('heir', 1, 'x');
"""

TRAPS = {
    "CASCADE empties a clean table": Trap(
        naive_undo.delete_and_insert,
        FAMILY.format("CASCADE", "DEFERRABLE"),
        sql(*CHANGE_A_PARENT),
    ),
    "SET NULL spoils a clean table": Trap(
        naive_undo.delete_and_insert, FAMILY.format("SET NULL", ""), sql(*CHANGE_A_PARENT)
    ),
    "RESTRICT is never deferred": Trap(
        naive_undo.delete_and_insert,
        FAMILY.format("RESTRICT", "DEFERRABLE"),
        sql(*CHANGE_A_PARENT),
        psycopg.errors.RestrictViolation,
    ),
    "an immediate key refuses the delete": Trap(
        naive_undo.delete_and_insert,
        FAMILY.format("NO ACTION", ""),
        sql(*CHANGE_A_PARENT),
        psycopg.errors.ForeignKeyViolation,
    ),
    "tables refer to one another": Trap(
        naive_undo.table_after_table,
        DEFERRED_PAIR.format("DEFERRABLE"),
        sql(
            "BEGIN",
            "SET CONSTRAINTS ALL DEFERRED",
            "DELETE FROM public.llx_a",
            "DELETE FROM public.llx_b",
            "COMMIT",
        ),
        psycopg.errors.ForeignKeyViolation,
    ),
    "rows refer to rows of the same table, at once": Trap(
        naive_undo.update_what_differs,
        SELF,
        sql(
            "DELETE FROM public.llx_tree WHERE rowid > 1",
            "INSERT INTO public.llx_tree VALUES (7, 1), (8, 7)",
            "UPDATE public.llx_tree SET fk_parent = 8 WHERE rowid = 1",
        ),
        psycopg.errors.ForeignKeyViolation,
    ),
    "triggers wait for the constraints": Trap(
        naive_undo.triggers_off_for_each,
        DEFERRED_PAIR.format("DEFERRABLE"),
        sql("UPDATE public.llx_a SET fk_b = 1 WHERE rowid = 2"),
        psycopg.errors.ObjectInUse,
    ),
    "the application's triggers fire": Trap(
        naive_undo.table_after_table,
        LINES + NOTING,
        sql("UPDATE public.llx_lines SET label = 'x' WHERE n = 7"),
    ),
    "triggers are switched on that were not": Trap(
        naive_undo.triggers_off_and_on,
        LINES + STATES,
        sql("UPDATE public.llx_lines SET label = 'x' WHERE n = 7"),
    ),
    "a rule stands in the place of the delete": Trap(
        naive_undo.table_after_table,
        LINES + RULED,
        sql("INSERT INTO public.llx_lines (label, n) VALUES ('x', 7)"),
        way=EITHER,
    ),
    "unique values were swapped": Trap(
        naive_undo.update_what_differs,
        UNIQUE,
        sql(
            "UPDATE public.llx_ranks SET rank = 0 WHERE rowid = 1",
            "UPDATE public.llx_ranks SET rank = 10 WHERE rowid = 2",
            "UPDATE public.llx_ranks SET rank = 20 WHERE rowid = 1",
        ),
        psycopg.errors.UniqueViolation,
    ),
    "a unique value moved to a row with another key": Trap(
        naive_undo.update_what_differs,
        UNIQUE,
        sql(
            "DELETE FROM public.llx_ranks WHERE rowid = 3",
            "UPDATE public.llx_ranks SET rank = 30 WHERE rowid = 1",
            "INSERT INTO public.llx_ranks VALUES (9, 10)",
            "DELETE FROM public.llx_ranks WHERE rowid = 2",
            "UPDATE public.llx_ranks SET rank = 20 WHERE rowid = 9",
            "INSERT INTO public.llx_ranks VALUES (2, 10)",
        ),
        psycopg.errors.UniqueViolation,
    ),
    "a column is generated": Trap(
        naive_undo.insert_whole_rows,
        GENERATED,
        sql("DELETE FROM public.llx_generated WHERE n = 2"),
        psycopg.errors.GeneratedAlways,
    ),
    "an identity is always generated": Trap(
        naive_undo.update_what_differs,
        GENERATED.replace("double int GENERATED ALWAYS AS (n * 2) STORED", "double int"),
        sql("UPDATE public.llx_generated SET n = 9 WHERE n = 2"),
        psycopg.errors.GeneratedAlways,
    ),
    "a type has no equality": Trap(
        naive_undo.update_what_differs,
        PLACES,
        sql("UPDATE public.llx_places SET place = '(3,4)' WHERE rowid = 1"),
        psycopg.errors.UndefinedFunction,
    ),
    "what is equal is not the same": Trap(
        naive_undo.update_what_differs,
        AMOUNTS,
        sql(
            "UPDATE public.llx_amounts SET amount = 1.0, share = '-0', lasts = '24:00',"
            " options = '{\"n\": 1.0}'"
        ),
    ),
    "a table without a key holds a row twice": Trap(
        naive_undo.by_sets_of_rows,
        UNKEYED,
        sql("INSERT INTO public.llx_unkeyed VALUES ('twice', 1), ('once', 2)"),
    ),
    "one of two equal rows is gone": Trap(
        naive_undo.by_sets_of_rows,
        UNKEYED,
        sql(
            "DELETE FROM public.llx_unkeyed"
            " WHERE ctid = (SELECT min(ctid) FROM public.llx_unkeyed WHERE n = 1)"
        ),
    ),
    "a sequence was never called": Trap(
        naive_undo.sequences_by_setval,
        "CREATE SEQUENCE public.llx_uncalled; CREATE SEQUENCE public.llx_called;"
        " SELECT nextval('public.llx_called')",
        sql("SELECT nextval('public.llx_uncalled')", "SELECT nextval('public.llx_called')"),
    ),
    "a table inherits": Trap(
        naive_undo.table_after_table,
        LINES + HEIRS,
        sql("UPDATE ONLY public.llx_lines SET label = 'x' WHERE n = 7"),
        psycopg.errors.UniqueViolation,
        way=EITHER,
        with_heirs=True,
    ),
    "a column is new": Trap(
        naive_undo.table_after_table,
        LINES,
        sql("ALTER TABLE public.llx_lines ADD COLUMN more text"),
        psycopg.errors.UndefinedColumn,
        way=DURABLE,
    ),
    "an index is gone": Trap(
        naive_undo.table_after_table,
        LINES + "CREATE INDEX llx_lines_n ON public.llx_lines (n);",
        sql("DROP INDEX public.llx_lines_n"),
        way=EITHER,
    ),
    "a table is new": Trap(
        naive_undo.table_after_table,
        LINES,
        sql("CREATE TABLE public.llx_new AS SELECT * FROM public.llx_lines"),
        way=EITHER,
    ),
    "a grant is new": Trap(
        naive_undo.table_after_table,
        LINES,
        sql("GRANT SELECT ON public.llx_lines TO PUBLIC"),
        way=EITHER,
    ),
}
