"""The fingerprint: equal for equal content, whatever its order; different for anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from harness.postgres.connection import Run, connect, exported_snapshot
from harness.postgres.difference import differences
from harness.postgres.fingerprint import fingerprint_of, measuring
from harness.settings import Settings
from harness.sides import Prod, Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.local.layout import Layout
    from harness.local.servers import LocalServer

    Session = psycopg.Connection[tuple[Any, ...]]

PLATFORM = """
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE parent (id serial PRIMARY KEY, name text DEFAULT 'x');
CREATE TABLE t (
    id serial PRIMARY KEY, parent_id int REFERENCES parent DEFERRABLE, body text, amount numeric,
    at timestamp, share real, place point, feeling mood, raw bytea
);
CREATE INDEX t_body ON t (body);
CREATE TRIGGER touched BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch();
CREATE VIEW v AS SELECT id FROM t;
CREATE TABLE bag (label text, n int);
COMMENT ON TABLE bag IS 'no key';
INSERT INTO parent (name) VALUES ('p');
INSERT INTO t (parent_id, body, amount, at, share, place, feeling, raw)
VALUES (1, E'a\\tb \\u2603', 1.0, '2024-02-29 12:00:00.000001', 0.1, '(1,2)', 'good', '\\x00ff'),
       (1, '', NULL, 'infinity', 'NaN', NULL, NULL, NULL);
INSERT INTO bag VALUES ('a', 1), ('a', 1), ('b', NULL);
"""


@pytest.fixture
def settings(laid_out: Layout, tmp_path: Path) -> Settings:
    return Settings.of(
        {
            "prod": {"dsn": laid_out.prod.conninfo, "owner_role": "erp_role"},
            "sandbox": {"dsn": laid_out.sandbox.conninfo, "owner_role": "erp_sandbox_role"},
            "golden": {"directory": tmp_path},
        },
        origin="a test",
    )


@pytest.fixture
def prod(laid_out: Layout) -> Iterator[Session]:
    with psycopg.connect(laid_out.prod.conninfo, autocommit=True) as session:
        session.execute(PLATFORM)
        yield session


@pytest.fixture
def sandbox(laid_out: Layout) -> Iterator[Session]:
    with psycopg.connect(laid_out.sandbox.conninfo, autocommit=True) as session:
        session.execute(PLATFORM)
        yield session


def compared(settings: Settings, *, grants: bool = False) -> list[str]:
    run = Run()
    sides = (Prod.of(settings), Sandbox.of(settings))
    found = [fingerprint_of(side, run, settings) for side in sides]
    return [f"{item.kind} {item.name}" for item in differences(*found, grants=grants)]


@pytest.mark.usefixtures("prod", "sandbox")
def test_equal_content_has_equal_fingerprints(settings: Settings) -> None:
    assert compared(settings) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("DELETE FROM t WHERE id = 2", ["rows t"]),
        ("INSERT INTO bag VALUES ('a', 1)", ["rows bag"]),
        ("UPDATE bag SET label = 'b', n = NULL WHERE label = 'a'", ["rows bag"]),
        ("UPDATE t SET body = NULL WHERE id = 2", ["rows t"]),
        ("UPDATE t SET body = body || ' ' WHERE id = 1", ["rows t"]),
        ("UPDATE t SET amount = 1.00 WHERE id = 1", ["rows t"]),
        ("UPDATE t SET share = '-0' WHERE id = 2", ["rows t"]),
        ("UPDATE t SET at = at + interval '1 microsecond' WHERE id = 1", ["rows t"]),
        ("UPDATE t SET place = '(1,2.0000000001)' WHERE id = 1", ["rows t"]),
        ("UPDATE t SET raw = '\\x00fe' WHERE id = 1", ["rows t"]),
        ("SELECT nextval('t_id_seq')", ["sequence value t_id_seq"]),
        ("SELECT setval('t_id_seq', 2, false)", ["sequence value t_id_seq"]),
        ("ALTER SEQUENCE t_id_seq CACHE 10", ["sequence t_id_seq"]),
        ("DROP INDEX t_body", ["index t_body"]),
        ("DROP INDEX t_body; CREATE INDEX t_body ON t (body DESC)", ["index t_body"]),
        ("DROP TRIGGER touched ON t", ["trigger touched on t"]),
        ("ALTER TABLE t DISABLE TRIGGER touched", ["trigger touched on t"]),
        (
            (
                "CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql"
                " AS 'BEGIN  RETURN NEW; END'"
            ),
            ["function touch()"],
        ),
        ("ALTER TABLE t DROP CONSTRAINT t_parent_id_fkey", ["constraint t_parent_id_fkey on t"]),
        (
            "ALTER TABLE t ALTER CONSTRAINT t_parent_id_fkey NOT DEFERRABLE",
            ["constraint t_parent_id_fkey on t"],
        ),
        ("ALTER TABLE parent ALTER name SET DEFAULT 'y'", ["column parent.name"]),
        ("ALTER TABLE parent ALTER name TYPE varchar(9)", ["column parent.name"]),
        ("ALTER TABLE parent SET (fillfactor = 50)", ["table parent"]),
        ("ALTER TYPE mood ADD VALUE 'mixed'", ["type mood"]),
        ("CREATE OR REPLACE VIEW v AS SELECT id FROM t WHERE id > 0", ["view v"]),
        ("COMMENT ON TABLE bag IS 'still no key'", ["comment table public.bag"]),
        ("CREATE TABLE more ()", ["table more"]),
        ("CREATE COLLATION mine (locale = 'C')", ["other object collation public.mine"]),
        ("DROP VIEW v", ["view v"]),
    ],
)
@pytest.mark.usefixtures("prod")
def test_one_change_is_one_difference(
    settings: Settings, sandbox: Session, change: str, named: list[str]
) -> None:
    sandbox.execute(change)
    assert compared(settings) == named


@pytest.mark.usefixtures("prod")
def test_grants_are_compared_where_they_are_asked_for(settings: Settings, sandbox: Session) -> None:
    sandbox.execute("GRANT SELECT (body), UPDATE ON t TO pgbouncer WITH GRANT OPTION")
    assert compared(settings) == []
    assert compared(settings, grants=True) == [
        "grant column t.body to pgbouncer",
        "grant relation t to pgbouncer",
    ]


@pytest.mark.usefixtures("prod")
def test_columns_are_compared_by_name_not_by_place(settings: Settings, sandbox: Session) -> None:
    sandbox.execute(
        "CREATE TABLE swapped (n int, label text); INSERT INTO swapped SELECT n, label FROM bag;"
        "DROP TABLE bag; ALTER TABLE swapped RENAME TO bag; COMMENT ON TABLE bag IS 'no key'"
    )
    assert compared(settings) == []


@pytest.mark.usefixtures("prod")
def test_what_a_role_sets_for_itself_does_not_matter(
    settings: Settings, sandbox: Session, server: LocalServer
) -> None:
    login = Sandbox.of(settings).login.user
    with server.connect() as superuser:
        for setting in (
            "DateStyle = 'SQL, DMY'",
            "TimeZone = 'Asia/Tokyo'",
            "extra_float_digits = -15",
            "bytea_output = 'escape'",
            "search_path = 'nowhere'",
            "row_security = on",
        ):
            superuser.execute(f'ALTER ROLE "{login}" SET {setting}')  # type: ignore[arg-type]
    assert compared(settings) == []
    sandbox.execute("UPDATE t SET share = 0.10000001 WHERE id = 1")
    assert compared(settings) == ["rows t"]


def test_a_sequence_that_moves_during_the_dump_is_no_difference(
    settings: Settings, prod: Session, sandbox: Session
) -> None:
    side = Prod.of(settings)
    with (
        connect(side, Run(), "test", settings.deadlines) as keeper,
        exported_snapshot(keeper) as snapshot,
        measuring(side, snapshot, Run(), settings) as fingerprint,
    ):
        for _ in range(3):
            prod.execute("SELECT nextval('t_id_seq')")
        measured = fingerprint()
        later = measured.moved_to(fingerprint_of(side, Run(), settings).sequences)
    sandbox.execute("SELECT nextval('t_id_seq')")
    copy = fingerprint_of(Sandbox.of(settings), Run(), settings)
    assert [item.kind for item in differences(measured, copy, grants=False)] == ["sequence value"]
    assert differences(later, copy, grants=False) == []


labels = st.none() | st.sampled_from(["", "a", "b", "(", ",", '"', "\\N", "NULL", "a,1", "☃"])
rows = st.lists(st.tuples(labels, st.none() | st.integers(-2, 2)), max_size=6)


@given(one=rows, other=rows)
@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_fingerprints_are_equal_just_for_the_same_rows(
    settings: Settings, prod: Session, sandbox: Session, one: list[Any], other: list[Any]
) -> None:
    for session, content in ((prod, one), (sandbox, other)):
        session.execute("TRUNCATE bag")
        with session.cursor() as cursor:
            cursor.executemany("INSERT INTO bag VALUES (%s, %s)", content)
    same = sorted(map(repr, one)) == sorted(map(repr, other))
    assert compared(settings) == ([] if same else ["rows bag"])
