"""The sample prod has the shape that it promises, and the same content every time."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from psycopg.sql import SQL, Identifier

from harness.local.sample import COMPANY, activity, fill, parties, sales
from harness.local.sample.bulk import Volumes
from harness.local.sample.texts import AWKWARD
from harness.progress import Silent

if TYPE_CHECKING:
    from psycopg import Connection

TINY = 0.01

COUNTS = """
    WITH relation AS (
      SELECT * FROM pg_class WHERE relnamespace = 'public'::regnamespace
    ), holding AS (
      SELECT d.objid, a.attname, d.refobjid FROM pg_depend d
        JOIN relation s ON s.oid = d.objid AND s.relkind = 'S'
        JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
       WHERE d.deptype = 'a'
    )
    SELECT
      (SELECT count(*) FROM relation WHERE relkind = 'r' AND relname LIKE 'llx\\_%') AS tables,
      (SELECT count(*) FROM relation r WHERE relkind = 'r' AND NOT EXISTS (
         SELECT FROM pg_constraint WHERE conrelid = r.oid AND contype = 'p')) AS keyless,
      (SELECT count(*) FROM pg_constraint
        WHERE contype = 'f' AND condeferrable AND NOT condeferred) AS deferrable_keys,
      (SELECT count(*) FROM pg_constraint
        WHERE contype = 'f' AND NOT condeferrable) AS other_keys,
      (SELECT count(*) FROM pg_constraint
        WHERE contype = 'f' AND conrelid = confrelid) AS self_references,
      (SELECT count(*) FROM pg_trigger
        WHERE tgname = 'update_customer_modtime'
          AND tgfoid = 'public.update_modified_column_tms'::regproc) AS triggers,
      (SELECT count(*) FROM holding) AS serials,
      (SELECT count(*) FROM holding WHERE pg_sequence_last_value(objid) IS NULL) AS never_called,
      (SELECT count(*) FROM pg_index i JOIN relation r ON r.oid = i.indexrelid
        WHERE NOT indisprimary) AS secondary_indexes,
      (SELECT count(*) FROM pg_index i JOIN relation r ON r.oid = i.indexrelid
        WHERE indpred IS NOT NULL OR indexprs IS NOT NULL) AS special_indexes,
      (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
          AND proowner = current_user::regrole) AS functions,
      (SELECT count(*) FROM relation WHERE relowner <> current_user::regrole) AS of_another_owner
"""


@pytest.fixture
def sample(empty_database: Connection[tuple[Any, ...]]) -> Connection[tuple[Any, ...]]:
    """A session on a tiny sample."""
    fill(empty_database, scale=TINY, progress=Silent())
    return empty_database


def digest(connection: Connection[tuple[Any, ...]]) -> str:
    """One hash of every row and every sequence."""
    whole = sha256()
    tables = connection.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        " ORDER BY relname"
    ).fetchall()
    with connection.cursor() as cursor:
        for (table,) in tables:
            whole.update(table.encode())
            with cursor.copy(SQL("COPY public.{} TO STDOUT").format(Identifier(table))) as rows:
                # Sorted: where in the table a row comes to lie is the server's choice.
                whole.update(b"".join(sorted(map(bytes, rows))))
        sequences = cursor.execute(
            "SELECT sequencename, last_value FROM pg_sequences ORDER BY sequencename"
        ).fetchall()
    whole.update(repr(sequences).encode())
    return whole.hexdigest()


def empty(connection: Connection[tuple[Any, ...]]) -> None:
    """Drop what was filled, in batches that a small lock table holds."""
    while tables := connection.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        " LIMIT 50"
    ).fetchall():
        named = SQL(", ").join(Identifier("public", table) for (table,) in tables)
        connection.execute(SQL("DROP TABLE {} CASCADE").format(named))
    connection.execute("DROP OWNED BY CURRENT_ROLE CASCADE")


def test_it_has_the_shape_of_an_erp(sample: Connection[tuple[Any, ...]]) -> None:
    cursor = sample.execute(COUNTS)
    assert cursor.description is not None
    found = dict(zip((c.name for c in cursor.description), cursor.fetchone() or (), strict=True))
    least = {
        "tables": 315,
        "keyless": 3,
        "deferrable_keys": 200,
        "self_references": 1,
        "triggers": 115,
        "serials": 290,
        "never_called": 200,
        "secondary_indexes": 700,
        "special_indexes": 2,
        "functions": 16,
    }
    assert {name: found[name] for name in least if found[name] < least[name]} == {}
    assert (found["other_keys"], found["of_another_owner"]) == (0, 0)


def test_sequences_are_as_years_of_use_leave_them(sample: Connection[tuple[Any, ...]]) -> None:
    serials = sample.execute(
        "SELECT format('%I.%I', n.nspname, t.relname), a.attname, pg_sequence_last_value(s.oid)"
        " FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.deptype = 'a'"
        " JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace n ON n.oid = t.relnamespace"
        " JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid"
        " WHERE s.relkind = 'S' AND n.nspname = 'public'"
    ).fetchall()
    behind = {}
    for table, column, last in serials:
        highest = sample.execute(
            SQL("SELECT max({}) FROM {}").format(Identifier(column), Identifier(*table.split(".")))
        ).fetchone()
        if highest is not None and (highest[0] or 0) > (last or 0):
            behind[table] = last
    assert sum(last is None for last in behind.values()) >= 10
    assert behind["public.llx_c_type_contact"] == 2
    assert "public.llx_facture" not in behind


def test_it_is_a_working_company(sample: Connection[tuple[Any, ...]]) -> None:
    assert sample.execute(
        "SELECT value FROM public.llx_const WHERE name = 'MAIN_INFO_SOCIETE_NOM' AND entity = 1"
    ).fetchone() == (COMPANY,)
    assert sample.execute(
        "UPDATE public.llx_societe SET nom = nom WHERE rowid = 1 RETURNING tms = now()"
    ).fetchone() == (True,)
    unpaid_payments = sample.execute(
        "SELECT count(*) FROM public.llx_paiement p"
        " JOIN public.llx_paiement_facture link ON link.fk_paiement = p.rowid"
        " JOIN public.llx_facture f ON f.rowid = link.fk_facture"
        " WHERE f.paye = 0 OR f.total_ttc <> p.amount"
    ).fetchone()
    assert unpaid_payments == (0,)
    assert sample.execute(
        "SELECT count(*) FROM public.llx_facture f WHERE total_ht <>"
        " (SELECT sum(total_ht) FROM public.llx_facturedet l WHERE l.fk_facture = f.rowid)"
    ).fetchone() == (0,)


def test_it_holds_what_is_hard_to_copy(sample: Connection[tuple[Any, ...]]) -> None:
    notes = sample.execute(
        "SELECT note FROM public.llx_actioncomm ORDER BY id LIMIT %s", (len(AWKWARD),)
    ).fetchall()
    assert [note for (note,) in notes] == list(AWKWARD)
    numbers = sample.execute(
        "SELECT net_measure::text, stock::text FROM public.llx_product ORDER BY rowid LIMIT 8"
    ).fetchall()
    assert {"1.0", "1.00", "NaN"} <= {measure for measure, _ in numbers}
    assert {"-0", "NaN", "Infinity"} <= {stock for _, stock in numbers}
    assert sample.execute(
        "SELECT datestartvalidity::text, dateendvalidity::text FROM public.llx_user WHERE rowid = 3"
    ).fetchone() == ("-infinity", "infinity")


def test_the_same_scale_gives_the_same_content(sample: Connection[tuple[Any, ...]]) -> None:
    before = digest(sample)
    empty(sample)
    fill(sample, scale=TINY, progress=Silent())
    assert digest(sample) == before


def test_the_big_tables_grow_with_the_scale() -> None:
    def rows(scale: float) -> dict[str, int]:
        volumes = Volumes.of(scale)
        bulks = (*parties.tables(volumes), *sales.tables(volumes), *activity.tables(volumes))
        return {bulk.table: bulk.rows for bulk in bulks}

    one, ten = rows(1), rows(10)
    assert len(one) >= 12
    assert all(ten[table] == pytest.approx(10 * one[table], rel=0.01) for table in one)
