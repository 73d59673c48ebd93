"""The fast tier: an unlogged copy of every table, beside the tables, in the sandbox database.

It is filled from one snapshot, the one that the durable dump is made of, and never written again:
so whatever is not as it was filled was tampered with. A crash of the server empties unlogged
tables; the sentinel's row tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

from harness.golden.anatomy import SHADOW
from harness.golden.baseline import Baseline, TableBaseline
from harness.golden.catalogues import (
    count_catalogues,
    elsewhere,
    fresh,
    read_columns,
    shadow_catalogue,
    written_to_catalogues,
)
from harness.golden.custody import AS_LOGIN, entrust
from harness.golden.doubt import DoubtError
from harness.golden.pages import unfrozen_pages
from harness.golden.survey import read_state
from harness.postgres.batches import batches
from harness.postgres.connection import connect, one
from harness.postgres.fingerprint import read_objects
from harness.postgres.identity import prove_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from harness.deadlines import Deadlines
    from harness.golden.outset import Outset
    from harness.golden.survey import TableState
    from harness.postgres.connection import Connection, Run
    from harness.postgres.fingerprint import Fingerprint
    from harness.postgres.identity import Identity
    from harness.sides import Sandbox

# A table takes some ten locks with its TOAST table and indexes.
_AT_ONCE = 40
_PLACE = "_place"
_SENTINEL = sql.Identifier(SHADOW, "sentinel of the shadow")

_TABLES = """
SELECT relname::text FROM pg_catalog.pg_class
WHERE relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = %s)
  AND relkind IN ('r', 'v', 'm', 'f', 'p')
ORDER BY oid
"""
_FILL = sql.SQL(
    "CREATE UNLOGGED TABLE {shadow} AS SELECT ctid AS {place}{columns} FROM ONLY {table}"
)
_INDEX = sql.SQL("CREATE INDEX ON {shadow} ({place})")
_THRESHOLD = """
SELECT pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::text::bigint
"""
_SIZE = "SELECT pg_catalog.pg_relation_size(pg_catalog.to_regclass(%s))"
_OWN_ID = "SELECT pg_catalog.pg_current_xact_id()::text::bigint"


@dataclass(frozen=True, slots=True)
class Filled:
    """A shadow that was filled.

    Args:
        tables: By table its columns with their numbers, and the id of the transaction that filled
            it, modulo 2^32.
        threshold: The oldest transaction that the snapshot did not see as ended.
    """

    tables: Mapping[str, tuple[dict[str, int], int]]
    threshold: int


def freeze(sandbox: Sandbox, run: Run, deadlines: Deadlines, schema: str) -> None:
    """Vacuum every table of a schema so that each page is known to be old as a whole.

    From then on a changed page can be told from the others; without it, all pages look changed.
    """
    with connect(sandbox, run, "freeze", deadlines) as connection:
        connection.execute("SET client_min_messages = error; SET ROLE NONE")
        for (name,) in connection.execute(_TABLES, (schema,)).fetchall():
            table = sql.Identifier(schema, name)
            connection.execute(sql.SQL("VACUUM (FREEZE, TRUNCATE false) {}").format(table))


def make_shadow(
    sandbox: Sandbox,
    run: Run,
    deadlines: Deadlines,
    snapshot: str,
    outset: Outset,
    assert_held: Callable[[], None],
) -> Filled:
    """Make the shadow anew, as one snapshot sees the tables.

    Args:
        sandbox: Whose shadow.
        run: The run that the session belongs to.
        deadlines: The table of deadlines.
        snapshot: An exported snapshot that is still held.
        outset: How the sandbox stood before that snapshot was taken.
        assert_held: Asserts the right to write.

    Raises:
        DoubtError: Somebody else has a schema of that name.
        RefusedError: The handshake failed.
    """
    with connect(sandbox, run, "shadow", deadlines) as connection:
        drop_shadow(connection, sandbox, assert_held)
        with connection.transaction():
            prove_sandbox(connection, sandbox)
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(SHADOW)))
            connection.execute(sql.SQL("CREATE UNLOGGED TABLE {} AS SELECT 1").format(_SENTINEL))
        tables, threshold = {}, 0
        for states in batches(list(outset.state.values()), _AT_ONCE):
            assert_held()
            with connection.transaction():
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                adopt = sql.SQL("SET TRANSACTION SNAPSHOT {}")
                connection.execute(adopt.format(sql.Literal(snapshot)))
                filler, threshold = (one(connection, ask)[0] for ask in (_OWN_ID, _THRESHOLD))
                columns = read_columns(connection)
                for state in states:
                    _fill(connection, state, columns[state.name])
                    tables[state.name] = (columns[state.name], filler % 2**32)
        for names in batches(
            [_SENTINEL, *(sql.Identifier(SHADOW, name) for name in tables)], _AT_ONCE
        ):
            with connection.transaction():
                entrust(connection, sandbox, names)
    return Filled(tables, threshold)


def drop_shadow(connection: Connection, sandbox: Sandbox, assert_held: Callable[[], None]) -> None:
    """Drop the shadow that is there, if there is one, few tables at a time.

    Raises:
        DoubtError: Somebody else has a schema of that name.
        RefusedError: The handshake failed.
    """
    schema = sql.Identifier(SHADOW)
    if one(connection, "SELECT pg_catalog.to_regnamespace(%s) IS NULL", SHADOW)[0]:
        return
    tables = [sql.Identifier(SHADOW, name) for (name,) in connection.execute(_TABLES, (SHADOW,))]
    if tables and _SENTINEL not in tables:
        raise DoubtError(f"there is a schema {SHADOW} in the database that is not the shadow")
    # The sentinel last: as long as it is there, what is left is known to be the shadow's.
    tables.sort(key=lambda table: table == _SENTINEL)
    for names in batches(tables, _AT_ONCE):
        assert_held()
        with connection.transaction():
            prove_sandbox(connection, sandbox)
            connection.execute(AS_LOGIN)
            connection.execute(sql.SQL("DROP TABLE {}").format(sql.SQL(", ").join(names)))
    with connection.transaction():
        prove_sandbox(connection, sandbox)
        connection.execute(AS_LOGIN)
        connection.execute(sql.SQL("DROP SCHEMA {}").format(schema))


def take_baseline(
    connection: Connection,
    filled: Filled,
    outset: Outset,
    fingerprint: Fingerprint,
    generation: str,
    identity: Identity,
    provisioner_functions: tuple[str, ...],
) -> Baseline:
    """What a reset will believe, once the shadow is filled and frozen.

    Args:
        connection: A session on the sandbox.
        filled: What was filled.
        outset: How the sandbox stood before the snapshot was taken.
        fingerprint: What the same snapshot saw.
        generation: The golden copy that it belongs to.
        identity: The server and the database.
        provisioner_functions: What is the provisioner's.

    Raises:
        DoubtError: Something was defined, altered or dropped meanwhile.
    """
    defined = one(connection, _THRESHOLD)[0]
    is_same = (
        outset.state.keys() == fingerprint.rows.keys()
        and outset.elsewhere == elsewhere(connection)
        and read_objects(connection, provisioner_functions) == fingerprint.objects
    )
    if not is_same:
        raise DoubtError("definitions were changed while the golden copy was taken")
    now = read_state(connection)
    sees_pages = outset.marks.visibility is not None
    shadows = [state.shadow_oid for state in now.values()]
    unfrozen = unfrozen_pages(connection, outset.marks, shadows)
    counted = count_catalogues(connection, fresh(None, None))
    return Baseline(
        generation=generation,
        system_identifier=identity.system_identifier,
        database_oid=identity.database_oid,
        threshold=filled.threshold,
        own=None,
        defined=defined,
        server_started=outset.marks.server_started,
        statistics_since=outset.marks.statistics_since,
        catalogues={name: total for name, (total, _written) in counted.items()},
        defining=written_to_catalogues(connection),
        shadow_catalogue=shadow_catalogue(connection),
        elsewhere=outset.elsewhere,
        sequences={name: found.latest for name, found in fingerprint.sequences.items()},
        tables={
            name: TableBaseline(
                oid=state.oid,
                filenode=state.filenode,
                columns=filled.tables[name][0],
                rows=fingerprint.rows[name].count,
                vacuums=state.vacuums,
                written=state.written,
                shadow_filler=filled.tables[name][1],
                shadow_vacuums=now[name].shadow_vacuums,
                shadow_unfrozen=unfrozen.get(now[name].shadow_oid, 0) if sees_pages else None,
            )
            for name, state in outset.state.items()
        },
    )


def refuse_emptied(connection: Connection) -> None:
    """Refuse a shadow that is not there, or that a crash of the server has emptied.

    Raises:
        DoubtError: It is.
    """
    size = one(connection, _SIZE, _SENTINEL.as_string())[0]
    if size is None:
        raise DoubtError("there is no shadow in the database")
    if not size:
        raise DoubtError("the shadow is empty: the server has crashed since it was made")


def _fill(connection: Connection, state: TableState, columns: Iterable[str]) -> None:
    shadow, place = sql.Identifier(SHADOW, state.name), sql.Identifier(_PLACE)
    connection.execute(
        _FILL.format(
            shadow=shadow,
            place=place,
            columns=sql.SQL("").join(sql.SQL(", {}").format(sql.Identifier(c)) for c in columns),
            table=sql.Identifier("public", state.name),
        )
    )
    connection.execute(_INDEX.format(shadow=shadow, place=place))
