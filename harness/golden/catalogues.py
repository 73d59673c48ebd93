"""Whether anything was defined, dropped or altered since the baseline.

First the cheap question: how many rows the system catalogues have, and whether any was written
since. Only where the answer leaves a doubt are the definitions themselves compared.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from psycopg import sql

from harness.dolibarr.gate import strangers
from harness.golden.doubt import DoubtError
from harness.postgres.connection import load_sql, one
from harness.postgres.difference import definitions_differ
from harness.postgres.fingerprint import read_objects

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.golden.baseline import Baseline
    from harness.postgres.connection import Connection
    from harness.settings import Settings

_DEFINING = (
    "pg_aggregate",
    "pg_attrdef",
    "pg_attribute",
    "pg_cast",
    "pg_class",
    "pg_collation",
    "pg_constraint",
    "pg_conversion",
    "pg_default_acl",
    "pg_description",
    "pg_enum",
    "pg_event_trigger",
    "pg_extension",
    "pg_foreign_table",
    "pg_index",
    "pg_inherits",
    "pg_largeobject_metadata",
    "pg_namespace",
    "pg_opclass",
    "pg_operator",
    "pg_opfamily",
    "pg_partitioned_table",
    "pg_policy",
    "pg_proc",
    "pg_publication",
    "pg_range",
    "pg_rewrite",
    "pg_sequence",
    "pg_statistic_ext",
    "pg_trigger",
    "pg_ts_config",
    "pg_ts_dict",
    "pg_type",
)
_COUNT = sql.SQL(
    "SELECT {name}, count(*), count(*) FILTER (WHERE {fresh}) FROM pg_catalog.{catalogue}"
)
_CATALOGUES = sql.Literal([f"pg_catalog.{name}" for name in _DEFINING])
_WRITTEN = sql.SQL("""
SELECT coalesce(sum(
    pg_catalog.pg_stat_get_tuples_inserted(catalogue)
    + pg_catalog.pg_stat_get_tuples_updated(catalogue)
    + pg_catalog.pg_stat_get_tuples_deleted(catalogue)
), 0)::bigint
FROM unnest({catalogues}::regclass[]) AS defining (catalogue)
""").format(catalogues=_CATALOGUES)
WRITING = sql.SQL("""
SELECT coalesce(sum(
    pg_catalog.pg_stat_get_xact_tuples_inserted(catalogue)
    + pg_catalog.pg_stat_get_xact_tuples_updated(catalogue)
    + pg_catalog.pg_stat_get_xact_tuples_deleted(catalogue)
), 0)::bigint
FROM unnest({catalogues}::regclass[]) AS defining (catalogue)
""").format(catalogues=_CATALOGUES)
"""How many row versions this transaction has written to the catalogues, not counted yet."""
_SHADOW = load_sql(__package__, "shadow_catalogue.sql")
_COLUMNS = load_sql(__package__, "columns.sql")
_ELSEWHERE = load_sql(__package__, "elsewhere.sql")


@lru_cache(maxsize=8)
def fresh(threshold: int | None, own: int | None) -> sql.SQL:
    """The condition that a row version was written at or after the threshold, and not by `own`.

    Ages are told in the same way for frozen rows: their transaction id is kept. Without a threshold
    nothing is fresh.
    """
    if threshold is None:
        return sql.SQL("false")
    condition = sql.SQL("age(xmin) <= age({threshold}::xid) AND xmin <> {own}::xid").format(
        threshold=sql.Literal(str(threshold % 2**32)), own=sql.Literal(str((own or 0) % 2**32))
    )
    # Rendered once: it is a part of a statement for each table.
    return sql.SQL(condition.as_string())


def count_catalogues(connection: Connection, condition: sql.SQL) -> dict[str, tuple[int, int]]:
    """Of each catalogue: how many rows it has, and how many of them fulfil the condition."""
    query = sql.SQL(" UNION ALL ").join(
        _COUNT.format(name=sql.Literal(name), fresh=condition, catalogue=sql.Identifier(name))
        for name in _DEFINING
    )
    return {name: (total, found) for name, total, found in connection.execute(query)}


def written_to_catalogues(connection: Connection) -> int:
    """How many row versions the counters count."""
    counted: int = one(connection, _WRITTEN)[0]
    return counted


def shadow_catalogue(connection: Connection) -> str:
    """A digest of everything that is defined in the shadow."""
    digest: str = one(connection, _SHADOW)[0]
    return digest


def elsewhere(connection: Connection) -> tuple[str, ...]:
    """What is neither in schema public, nor the shadow's, nor the system's."""
    return tuple(line for (line,) in connection.execute(_ELSEWHERE))


def read_columns(connection: Connection) -> dict[str, dict[str, int]]:
    """The columns of every table of schema public, each with its number in the table."""
    return dict(connection.execute(_COLUMNS).fetchall())


def suspicious(found: Mapping[str, tuple[int, int]], baseline: Baseline) -> list[str]:
    """Names of the catalogues that were written since the baseline, or have lost rows."""
    return [
        name
        for name, (total, written) in found.items()
        if written or total != baseline.catalogues.get(name)
    ]


def changed_definitions(
    connection: Connection,
    baseline: Baseline,
    golden: Mapping[str, Mapping[str, str]],
    settings: Settings,
) -> list[str]:
    """Every object that is not defined as it was, one line each.

    Args:
        connection: The session.
        baseline: What there was outside of schema public.
        golden: What there was in schema public: definitions by kind and name.
        settings: Who should own it all, and what is the provisioner's.
    """
    now = read_objects(connection, settings.checks.provisioner_functions)
    found = [str(difference) for difference in definitions_differ(golden, now)]
    owner, provisioned = settings.sandbox.owner_role, settings.checks.provisioner_functions
    found += [f"{stranger} now" for stranger in strangers(connection, owner, provisioned)]
    found += sorted(set(baseline.elsewhere) ^ set(elsewhere(connection)))
    columns = read_columns(connection)
    found += [
        f"table {name} has other columns under the same names"
        for name, before in baseline.tables.items()
        if name in columns
        and columns[name].keys() == before.columns.keys()
        and columns[name] != before.columns
    ]
    return found


def refuse_bent_shadow(connection: Connection, baseline: Baseline) -> None:
    """Compare the shadow's own definitions with what they were.

    Raises:
        DoubtError: Somebody has changed them.
    """
    if shadow_catalogue(connection) != baseline.shadow_catalogue:
        raise DoubtError("the shadow was tampered with: its tables are not as they were made")
