"""A twin is as its target is, less what is prod's alone; and it cannot do any harm by itself."""

from __future__ import annotations

import json
import os
import pwd
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from harness.deadlines import Deadlines
from harness.integrity.attacks import names
from harness.integrity.attacks.state import Guard
from harness.integrity.finding import Unproven
from harness.integrity.twin import server
from harness.integrity.twin.server import Twin, twin_of
from harness.local.marks import SANDBOX_DATABASE
from harness.postgres import postmaster
from harness.postgres.binaries import find_binaries, wheel_binaries
from harness.postgres.connection import Run, one
from harness.postgres.directories import base_directory, throwaway
from harness.postgres.fingerprint import fingerprint_of
from harness.progress import Silent
from harness.sides import Prod
from tests.local.conftest import temporary
from tests.local.test_runs import SOON, assert_nothing_is_left, read_until

from .conftest import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.local.platform import LocalPlatform
    from harness.settings import Settings

__all__ = ["temporary"]
REPOSITORY = Path(__file__).parents[3]
# What the version of the server has nothing to do with.
ON_ONE = pytest.mark.parametrize("target", ["wheel"], indirect=True, scope="package")


def build(settings: Settings) -> Any:
    return twin_of(settings, Run(), Silent())


def ask(twin: Twin, query: str, database: str | None = None) -> Any:
    with twin.administer(database) as admin:
        row = admin.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


@contextmanager
def on_target(target: LocalPlatform, database: str) -> Iterator[psycopg.Connection[Any]]:
    conninfo = target.superuser.conninfo
    with psycopg.connect(conninfo, dbname=database, autocommit=True) as session:
        yield session


def data_of(twin: Twin) -> Path:
    return Path(ask(twin, "SHOW data_directory"))


def test_it_is_as_its_target_and_the_target_is_as_it_was(target: LocalPlatform) -> None:
    prod = Prod.of(target.settings)
    before = fingerprint_of(prod, Run(), target.settings)
    with on_target(target, prod.login.database) as session:
        guard = Guard(session, ())
        everything = guard.everything()
        with build(target.settings) as twin:
            assert twin.left_out == ()
            assert ask(twin, "SELECT count(*) FROM pg_tables WHERE tablename ~ '^llx_'") >= 295
        assert guard.changed() == []
        assert guard.everything() == everything
    assert fingerprint_of(prod, Run(), target.settings) == before


def test_no_row_of_prod_is_in_it(target: LocalPlatform, twin: Twin) -> None:
    names.of_twin(twin)  # makes rows up
    with on_target(target, twin.prod.database) as session:
        row = session.execute("SELECT nom FROM public.llx_societe LIMIT 1").fetchone()
        kept = "SELECT most_common_vals::text FROM pg_stats WHERE attname = 'nom'"
        histograms = session.execute(kept).fetchall()
    assert row == (MARK,)
    assert MARK in str(histograms)
    marked = MARK.encode()
    with twin.administer() as admin:
        admin.execute("CHECKPOINT")
    files = [path for path in data_of(twin).parents[1].rglob("*") if path.is_file()]
    assert len(files) > 1000
    assert [str(path) for path in files if marked in path.read_bytes()] == []
    with twin.administer() as admin:
        tables = admin.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        counts = [
            sql.SQL("SELECT count(*) FROM public.{}").format(sql.Identifier(name))
            for (name,) in tables.fetchall()
        ]
        assert {one(admin, count)[0] for count in counts} == {0, 1}
    assert ask(twin, "SELECT count(*) FROM pg_largeobject_metadata") == 1


def test_it_listens_to_this_machine_alone_and_asks_for_a_password(twin: Twin) -> None:
    assert ask(twin, "SHOW listen_addresses") == "127.0.0.1"
    assert ask(twin, "SHOW unix_socket_directories") == ""
    methods = "SELECT array_agg(DISTINCT auth_method) FROM pg_hba_file_rules"
    assert ask(twin, methods) == ["scram-sha-256"]
    for name in ("archive_mode", "shared_preload_libraries", "archive_command"):
        assert ask(twin, f"SHOW {name}") in {"off", "", "(disabled)"}
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(twin.prod.conninfo.replace("password=", "password=x"))


def test_for_root_it_belongs_to_a_user_that_nothing_else_does(twin: Twin) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can lend another user")
    data = data_of(twin)
    users = {Path(f"/proc/{pid}").stat().st_uid for pid in postmaster.processes(data)}
    (user,) = users
    assert user not in {0, pwd.getpwnam("nobody").pw_uid}
    with pytest.raises(KeyError):
        pwd.getpwuid(user)
    assert data.stat().st_uid == user
    assert data.stat().st_mode & 0o077 == 0
    # What was dumped, and what is run, is out of its reach.
    dumps = data.parents[1] / "dumps"
    assert len(list(dumps.glob("*.dump"))) == 2
    for path in (dumps, data.parents[1]):
        assert path.stat().st_uid == 0
    assert dumps.stat().st_mode & 0o077 == 0


# Harmless on the target and to whoever has no right there; on another server it runs a program.
TRAPS = """
CREATE FUNCTION public.spring() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    IF inet_server_port() <> {port} AND current_setting('is_superuser') = 'on' THEN
        EXECUTE 'COPY (SELECT 1) TO PROGRAM ''touch {sprung}''';
    END IF;
    RETURN 1;
END $$;
CREATE FUNCTION public.trap(int) RETURNS int IMMUTABLE LANGUAGE plpgsql
    AS $$ BEGIN RETURN (SELECT public.spring()); END $$;
CREATE TABLE public.computed (id int) PARTITION BY RANGE ((id + public.trap(1)));
CREATE TABLE public.trapped (id int, CHECK (id > public.trap(2)));
ALTER TABLE public.trapped ADD CONSTRAINT late CHECK (public.trap(3) > 5) NOT VALID;
CREATE INDEX ON public.trapped ((id + public.trap(4))) WHERE public.trap(5) = 1;
CREATE STATISTICS public.gathered ON id, (id + public.trap(6)) FROM public.trapped;
CREATE MATERIALIZED VIEW public.seen AS SELECT public.trap(7) AS id;
CREATE POLICY p ON public.trapped USING (public.trap(8) = id);
CREATE FUNCTION public.fires() RETURNS event_trigger LANGUAGE plpgsql
    AS $$ BEGIN PERFORM public.trap(9); END $$;
"""
REMOVED = """
DROP TABLE public.computed, public.trapped CASCADE;
DROP MATERIALIZED VIEW public.seen;
DROP FUNCTION public.fires(), public.trap(int), public.spring()
"""


def test_no_code_of_the_targets_runs_in_it(target: LocalPlatform, temporary: Path) -> None:
    sprung = temporary / "sprung"
    temporary.chmod(0o1777)  # the twin's own user could write there
    traps = TRAPS.format(sprung=sprung, port=target.superuser.port)
    with on_target(target, SANDBOX_DATABASE) as session:
        session.execute("SET ROLE erp_sandbox_role")
        session.execute(traps.encode())
        session.execute("RESET ROLE")
        session.execute("CREATE EVENT TRIGGER t ON ddl_command_end EXECUTE FUNCTION public.fires()")
        try:
            with build(target.settings) as twin:
                (lacking,) = twin.left_out
                assert "relation public.computed" in lacking.why
                assert "public.trapped" not in lacking.why
                count = "SELECT count(*) FROM pg_event_trigger"
                assert ask(twin, count, SANDBOX_DATABASE) == 0
        finally:
            session.execute("DROP EVENT TRIGGER t")
            session.execute(REMOVED)
    assert not sprung.exists()


ODD = 'a"; DROP ROLE erp_role; --\n\\connect'
LACKING = """
CREATE FUNCTION public.native(oid) RETURNS void LANGUAGE c
    AS '$libdir/plpgsql', 'plpgsql_validator';
ALTER ROLE {login} SET session_preload_libraries TO 'auto_explain';
CREATE ROLE {odd};
ALTER ROLE {odd} SET my.setting TO {text};
GRANT SELECT ON public.llx_societe TO {odd};
ALTER DATABASE {prod} CONNECTION LIMIT 50;
"""
NO_LONGER = """
DROP FUNCTION IF EXISTS public.native(oid);
ALTER ROLE {login} RESET session_preload_libraries;
DROP OWNED BY {odd};
DROP ROLE {odd};
ALTER DATABASE {prod} CONNECTION LIMIT -1;
"""


def test_what_it_lacks_is_told_and_odd_names_are_only_names(target: LocalPlatform) -> None:
    login = Prod.of(target.settings).login
    names = {
        "login": sql.Identifier(login.user),
        "prod": sql.Identifier(login.database),
        "odd": sql.Identifier(ODD),
        "text": sql.Literal("it's; \\restrict\n-- ';"),
    }
    with on_target(target, login.database) as session:
        try:
            session.execute(sql.SQL(LACKING).format(**names))
            with build(target.settings) as twin:
                told = {each.id: each.why for each in twin.left_out}
                limits = twin.limits
        finally:
            session.execute(sql.SQL(NO_LONGER).format(**names))
    assert set(told) == {"twin: roles", "twin: erp"}
    assert told["twin: erp"].startswith(
        "on the twin these are not as on the target: function public.native(oid) ("
    )
    assert "left out, since it would load a library" in told["twin: roles"]
    assert f'these are not as on the target: setting "{login.user}" in' in told["twin: roles"]
    assert limits == {("DATABASE", login.database): 50}


def test_an_extension_that_is_not_here_makes_it_unprovable(target: LocalPlatform) -> None:
    add = """
    INSERT INTO pg_extension
    SELECT 4242, 'of_elsewhere', extowner, extnamespace, false, '1', NULL, NULL
    FROM pg_extension WHERE extname = 'plpgsql'
    """
    with on_target(target, "erp") as session:
        session.execute("SET allow_system_table_mods = on")
        try:
            session.execute(add)
            with build(target.settings) as twin:
                assert isinstance(twin, Unproven)
                assert twin.why.endswith("has no extension of_elsewhere")
        finally:
            session.execute("DELETE FROM pg_extension WHERE oid = 4242")


def test_a_version_that_is_not_here_makes_it_unprovable(
    target: LocalPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_binaries(13, None) is None
    monkeypatch.setattr(server, "find_binaries", lambda _major, _companion: None)
    with build(target.settings) as twin:
        assert isinstance(twin, Unproven)
        assert twin.id == "twin: no server"
        assert "on this machine" in twin.why


def test_the_binaries_are_those_of_the_version_that_is_asked_for() -> None:
    wheel = wheel_binaries()
    found = find_binaries(wheel.major, None)
    assert found is not None
    assert found.bin == wheel.bin
    assert find_binaries(wheel.major, Path("/nonexistent")) == found


@contextmanager
def building(target: LocalPlatform) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integrity.twin.child"],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    settings = target.settings
    values = {
        side: {
            "dsn": getattr(settings, side).dsn.get_secret_value(),
            "owner_role": getattr(settings, side).owner_role,
        }
        for side in ("prod", "sandbox")
    }
    values["golden"] = {"directory": "/nonexistent"}
    with process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(values) + "\n")
        process.stdin.flush()
        try:
            yield process
        finally:
            process.kill()


@ON_ONE
@pytest.mark.parametrize("moment", ["build a twin", "up True"])
def test_what_a_killed_run_left_is_removed_by_the_next(
    target: LocalPlatform, temporary: Path, moment: str
) -> None:
    with building(target) as process:
        read_until(moment, process.stdout)
        process.kill()
    assert list(temporary.iterdir()) != []
    with throwaway(server.FAMILY, Deadlines()) as directory:
        assert list(base_directory(server.FAMILY).iterdir()) == [directory]
    assert_nothing_is_left(temporary)


@ON_ONE
@pytest.mark.parametrize("moment", ["build a twin", "up True"])
def test_after_an_interrupt_nothing_is_left(
    target: LocalPlatform, temporary: Path, moment: str
) -> None:
    with building(target) as process:
        read_until(moment, process.stdout)
        process.send_signal(signal.SIGTERM)
        process.wait(SOON.seconds)
        assert process.returncode != 0
    assert_nothing_is_left(temporary)


def test_twins_side_by_side_do_not_disturb_one_another(twin: Twin) -> None:
    with throwaway(server.FAMILY, Deadlines()) as directory:
        assert data_of(twin).parents[1] != directory
    assert ask(twin, "SELECT 1") == 1
