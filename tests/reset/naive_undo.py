"""Ways to put back what a rehearsal has changed that look right; see `naive`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

if TYPE_CHECKING:
    from typing import LiteralString

    from .ground import Session
    from .naive import Kept

_COLUMNS = """
SELECT array_agg(attname::text ORDER BY attnum)
FROM pg_attribute
WHERE attrelid = format('public.%%I', %s::text)::regclass AND attnum > 0 AND NOT attisdropped
"""
_WRITTEN = f"{_COLUMNS} AND attgenerated = ''"
_KEY = """
SELECT array_agg(attname::text ORDER BY attnum)
FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
WHERE indisprimary AND indrelid = format('public.%%I', %s::text)::regclass
"""
# The n-th row of each text, so that equal rows are counted and not merged.
_NUMBERED = sql.SQL("""
SELECT {at} AS at, ROW({columns})::text AS row_text,
       row_number() OVER (PARTITION BY ROW({columns})::text) AS n
FROM {table}
""")
_DELETE_EXTRAS = sql.SQL("""
DELETE FROM ONLY public.{name} WHERE ctid = ANY (ARRAY(
    SELECT now.at FROM ({now}) AS now
    WHERE NOT EXISTS (
        SELECT FROM ({golden}) AS golden
        WHERE (golden.row_text, golden.n) = (now.row_text, now.n)
    )
))
""")
_INSERT_MISSING = sql.SQL("""
INSERT INTO public.{name} ({written}) {overriding} SELECT {written} FROM naive.{name}
WHERE was_at = ANY (ARRAY(
    SELECT golden.at FROM ({golden}) AS golden
    WHERE NOT EXISTS (
        SELECT FROM ({now}) AS now WHERE (golden.row_text, golden.n) = (now.row_text, now.n)
    )
))
""")
_DIFFERS = sql.SQL("""
SELECT EXISTS (
    SELECT FROM ({now}) AS now FULL JOIN ({golden}) AS golden USING (row_text, n)
    WHERE now.at IS NULL OR golden.at IS NULL
)
""")
_DELETE_BY_KEY = sql.SQL("""
DELETE FROM ONLY public.{name} AS now
WHERE NOT EXISTS (SELECT FROM naive.{name} AS golden WHERE ({key}) = ({golden_key}))
""")
_UPDATE_BY_KEY = sql.SQL("""
UPDATE ONLY public.{name} AS now SET ({columns}) = ROW({golden}) FROM naive.{name} AS golden
WHERE ({key}) = ({golden_key}) AND ROW({now}) IS DISTINCT FROM ROW({golden})
""")
_INSERT_BY_KEY = sql.SQL("""
INSERT INTO public.{name} ({columns}) SELECT {columns} FROM naive.{name} AS golden
WHERE NOT EXISTS (SELECT FROM public.{name} AS now WHERE ({key}) = ({golden_key}))
""")
_DELETE_OTHERS = sql.SQL("""
DELETE FROM ONLY public.{name} WHERE ROW({columns})::text IN (
    SELECT ROW({columns})::text FROM ONLY public.{name}
    EXCEPT SELECT ROW({columns})::text FROM naive.{name}
)
""")
_INSERT_ABSENT = sql.SQL("""
INSERT INTO public.{name} ({columns}) SELECT {columns} FROM naive.{name}
WHERE ROW({columns})::text NOT IN (SELECT ROW({columns})::text FROM public.{name})
""")


def delete_and_insert(kept: Kept, session: Session) -> None:
    """Foreign keys are checked at the end, when all is as it was."""
    session.execute("SET CONSTRAINTS ALL DEFERRED")
    for table in _dirty(kept, session):
        replace_rows(session, table)


def table_after_table(kept: Kept, session: Session) -> None:
    """Each table is put right by itself, in the order of their names."""
    for table in _dirty(kept, session):
        replace_rows(session, table)


def triggers_off_for_each(kept: Kept, session: Session) -> None:
    """The application's triggers do not fire for what a reset writes."""
    session.execute("SET CONSTRAINTS ALL DEFERRED")
    for table in _dirty(kept, session):
        _triggers(session, table, sql.SQL("DISABLE"))
        replace_rows(session, table)
        _triggers(session, table, sql.SQL("ENABLE"))


def triggers_off_and_on(kept: Kept, session: Session) -> None:
    """They are off while anything is written, and on again afterwards."""
    dirty = _dirty(kept, session)
    for table in dirty:
        _triggers(session, table, sql.SQL("DISABLE"))
    for table in dirty:
        replace_rows(session, table)
    for table in dirty:
        _triggers(session, table, sql.SQL("ENABLE"))


def update_what_differs(kept: Kept, session: Session) -> None:
    """A row of the same key that differs is updated; other keys are deleted or inserted."""
    for table in kept.tables:
        key, columns = _names(session, _KEY, table), _names(session, _COLUMNS, table)
        values = {
            "name": sql.Identifier(table),
            "key": _list(key, "now"),
            "golden_key": _list(key, "golden"),
            "columns": _list(columns),
            "now": _list(columns, "now"),
            "golden": _list(columns, "golden"),
        }
        for statement in (_DELETE_BY_KEY, _UPDATE_BY_KEY, _INSERT_BY_KEY):
            session.execute(statement.format(**values))


def by_sets_of_rows(kept: Kept, session: Session) -> None:
    """What is there and was not is deleted; what was there and is not, inserted."""
    for table in kept.tables:
        columns = _list(_names(session, _COLUMNS, table))
        for statement in (_DELETE_OTHERS, _INSERT_ABSENT):
            session.execute(statement.format(name=sql.Identifier(table), columns=columns))


def insert_whole_rows(kept: Kept, session: Session) -> None:
    """What was there and is not is inserted, every column of it."""
    for table in _dirty(kept, session):
        _delete_extras(session, table)
        insert_missing(session, table, whole=True)


def sequences_by_setval(kept: Kept, session: Session) -> None:
    """A sequence is set to the value that it had given out last."""
    for name, last in kept.sequences.items():
        session.execute(
            "SELECT setval(format('public.%%I', %s::text)::regclass, coalesce(%s, 1))", (name, last)
        )


def replace_rows(session: Session, table: str) -> None:
    """Delete the rows that were not there, insert those that are missing; rows by their text."""
    _delete_extras(session, table)
    insert_missing(session, table)


def insert_missing(session: Session, table: str, *, whole: bool = False) -> None:
    """Insert the rows that were there and are not.

    Args:
        session: The session.
        table: Name of the table.
        whole: Every column is written; otherwise not what the server writes by itself.
    """
    session.execute(
        _INSERT_MISSING.format(
            written=_list(_names(session, _COLUMNS if whole else _WRITTEN, table)),
            overriding=sql.SQL("" if whole else "OVERRIDING SYSTEM VALUE"),
            **_parts(session, table),
        )
    )


def _dirty(kept: Kept, session: Session) -> list[str]:
    """The tables in which any row is not as it was."""
    found = []
    for table in kept.tables:
        row = session.execute(_DIFFERS.format(**_parts(session, table))).fetchone()
        if row and row[0]:
            found.append(table)
    return found


def _delete_extras(session: Session, table: str) -> None:
    session.execute(_DELETE_EXTRAS.format(**_parts(session, table)))


def _parts(session: Session, table: str) -> dict[str, sql.Composable]:
    name, columns = sql.Identifier(table), _list(_names(session, _COLUMNS, table))
    now, golden = sql.SQL("ONLY public.{}").format(name), sql.SQL("naive.{}").format(name)
    return {
        "name": name,
        "now": _NUMBERED.format(at=sql.SQL("ctid"), columns=columns, table=now),
        "golden": _NUMBERED.format(at=sql.SQL("was_at"), columns=columns, table=golden),
    }


def _triggers(session: Session, table: str, what: sql.SQL) -> None:
    statement = sql.SQL("ALTER TABLE public.{} {} TRIGGER USER")
    session.execute(statement.format(sql.Identifier(table), what))


def _names(session: Session, query: LiteralString, table: str) -> list[str]:
    row = session.execute(query, (table,)).fetchone()
    return list(row[0] or []) if row else []


def _list(names: list[str], of: str | None = None) -> sql.Composed:
    parts = (sql.Identifier(of, name) if of else sql.Identifier(name) for name in names)
    return sql.SQL(", ").join(parts)
