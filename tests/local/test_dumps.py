"""Prod from a dump: owners and grants come along, and a bad one is told before anything is done."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from harness.deadlines import Deadlines
from harness.errors import ConfigurationError
from harness.local import archive, marks, prod_content
from harness.local.platform import LocalOptions, local_platform
from harness.local.servers import users_server
from harness.postgres.binaries import debian_binaries
from harness.postgres.tools import Finished, find_tools
from harness.progress import Silent
from harness.settings import ToolSettings

from .test_layout import everything

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.local.layout import Layout
    from harness.local.runs import LocalRun
    from harness.local.servers import LocalServer

SHOP = """
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql
AS 'BEGIN NEW.tms = now(); RETURN NEW; END';
CREATE TABLE llx_societe (rowid serial PRIMARY KEY, nom text, tms timestamp);
CREATE TABLE llx_facture (rowid serial PRIMARY KEY, fk_soc int REFERENCES llx_societe DEFERRABLE);
CREATE INDEX ON llx_facture (fk_soc);
CREATE TRIGGER touched BEFORE UPDATE ON llx_societe FOR EACH ROW EXECUTE FUNCTION touch();
INSERT INTO llx_societe (nom)
SELECT md5(i::text) || repeat(' x', 400) FROM generate_series(1, 2000) AS i;
INSERT INTO llx_facture (fk_soc) SELECT rowid FROM llx_societe;
"""
ROLES = """
-- psql -d postgres -f roles.sql
CREATE ROLE provisioner SUPERUSER LOGIN PASSWORD 'known-1';
CREATE ROLE erp_role LOGIN SUPERUSER PASSWORD 'known-2';
CREATE ROLE metabase_ro LOGIN PASSWORD 'known-3';
SELECT 'CREATE ROLE erp_sandbox_role' WHERE true
\\gexec
CREATE DATABASE erp OWNER erp_role;
CREATE ROLE metabase_ro;
"""


@pytest.fixture(scope="session")
def tools(server: LocalServer) -> Path:
    assert server.client_tools is not None
    return server.client_tools


@pytest.fixture
def shop(empty_database: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """A prod of two tables."""
    empty_database.execute(SHOP.encode())
    return empty_database


@pytest.fixture
def dump(server: LocalServer, shop: Any, laid_out: Layout, tools: Path, tmp_path: Path) -> Path:
    """A dump of it, with a grant to a role that no layout has."""
    with server.connect("erp") as connection:
        connection.execute("CREATE ROLE metabase_ro")
        connection.execute("GRANT SELECT ON llx_facture TO metabase_ro")
    made = pg_dump(server, tools, tmp_path / "prod.dump", "--format=custom")
    with server.connect("erp") as connection:
        connection.execute("DROP OWNED BY metabase_ro; DROP ROLE metabase_ro")
    del shop, laid_out
    return made


@pytest.fixture
def vacant(server: LocalServer, laid_out: Layout, run: LocalRun) -> Iterator[LocalServer]:
    """The server after the dump was made: nothing laid out, and so it must stay."""
    del laid_out
    with server.connect() as connection:
        marks.remove(connection, run.id)
    before = everything(server)
    yield server
    assert everything(server) == before


@pytest.fixture
def roles(tmp_path: Path) -> Path:
    script = tmp_path / "roles.sql"
    script.write_text(ROLES)
    return script


def pg_dump(server: LocalServer, tools: Path, path: Path, *options: str) -> Path:
    login = replace(server.superuser, database="erp")
    where = [f"--host={login.host}", f"--port={login.port}", f"--username={login.user}"]
    subprocess.run(
        [tools / "pg_dump", *where, *options, f"--file={path}", login.database],
        env={**os.environ, "PGPASSWORD": login.password or ""},
        check=True,
    )
    return path


def check(dump: Path, server: LocalServer, run: LocalRun, roles: Path | None = None) -> None:
    content = prod_content.choose(1, dump, roles)
    content.check(server, run, Deadlines(), Silent())


def test_a_dump_fills_prod_with_its_owners_and_grants(
    dump: Path, roles: Path, vacant: LocalServer
) -> None:
    options = LocalOptions(
        vacant.superuser.conninfo, cluster=False, prod_dump=dump, prod_globals=roles
    )
    with local_platform(options, Silent()) as platform:
        assert platform.prod_origin == f"dump {dump}"
        with psycopg.connect(platform.settings.prod.dsn.get_secret_value()) as connection:
            asked = connection.execute(
                "SELECT count(*), min(pg_get_userbyid(c.relowner)),"
                " has_table_privilege('metabase_ro', 'llx_facture', 'SELECT')"
                " FROM llx_facture, pg_class c WHERE c.relname = 'llx_facture'"
            )
            assert asked.fetchone() == (2000, "erp_role", True)
        with vacant.connect("erp") as connection:
            looked_up = connection.execute(
                "SELECT pg_get_userbyid(proowner), proacl::text FROM pg_proc"
                " WHERE proname = 'user_lookup'"
            )
            assert looked_up.fetchall() == [
                ("provisioner", "{provisioner=X/provisioner,pgbouncer=X/provisioner}")
            ]


def test_no_password_of_the_roles_works_afterwards(
    dump: Path, roles: Path, vacant: LocalServer, run: LocalRun
) -> None:
    options = LocalOptions(
        vacant.superuser.conninfo, cluster=False, prod_dump=dump, prod_globals=roles
    )
    with local_platform(options, Silent()), vacant.connect() as connection:
        attributes = connection.execute(
            "SELECT rolname::text, rolcanlogin, rolsuper, rolpassword IS NULL FROM pg_authid"
            " WHERE rolname IN ('erp_role', 'metabase_ro') ORDER BY 1"
        )
        assert attributes.fetchall() == [
            ("erp_role", False, False, True),
            ("metabase_ro", True, False, True),
        ]
        for user, password in (("provisioner", "known-1"), ("metabase_ro", "known-3")):
            login = replace(vacant.superuser, user=user, password=password)
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                psycopg.connect(login.conninfo)
    del run


def test_roles_that_are_missing_are_named(dump: Path, vacant: LocalServer) -> None:
    options = LocalOptions(vacant.superuser.conninfo, cluster=False, prod_dump=dump)
    with (
        pytest.raises(ConfigurationError, match=r'role "metabase_ro" does not exist') as caught,
        local_platform(options, Silent()),
    ):
        pytest.fail("prod was accepted")
    assert "--prod-globals" in str(caught.value)


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("CREATE ROLE a;\nCREATE ROLE b PASSWORD 'known-1' NONSENSE;\n", "line 2: 42601"),
        ("\\set ON_ERROR_STOP on\nSELECT 'known-1' / 0;\nCREATE ROLE c;\n", "line 2: 22P02"),
        ("\\known-1\n", "exit code"),
    ],
)
def test_a_script_of_roles_that_fails_is_told_by_its_lines_alone(
    dump: Path, tmp_path: Path, vacant: LocalServer, script: str, found: str
) -> None:
    roles = tmp_path / "broken.sql"
    roles.write_text("\\set ON_ERROR_STOP on\n" + script if "exit" in found else script)
    options = LocalOptions(
        vacant.superuser.conninfo, cluster=False, prod_dump=dump, prod_globals=roles
    )
    with (
        pytest.raises(ConfigurationError, match=found) as caught,
        local_platform(options, Silent()),
    ):
        pytest.fail("the roles were accepted")
    assert "known-1" not in str(caught.value)


def test_a_script_that_names_roles_of_the_users_server_is_refused(
    dump: Path, roles: Path, vacant: LocalServer, run: LocalRun
) -> None:
    users = users_server(vacant.superuser.conninfo, Deadlines())
    roles.write_text(ROLES + f"ALTER ROLE {vacant.superuser.user} PASSWORD 'changed';")
    with pytest.raises(ConfigurationError, match=vacant.superuser.user):
        check(dump, users, run, roles)


@pytest.mark.usefixtures("vacant")
def test_roles_without_a_dump_are_an_error(roles: Path) -> None:
    with (
        pytest.raises(ConfigurationError, match="without --prod-dump"),
        local_platform(LocalOptions(prod_globals=roles, cluster=False), Silent()),
    ):
        pytest.fail("the options were accepted")


@pytest.mark.parametrize("missing", ["dump", "roles"])
def test_a_missing_file_is_told(
    dump: Path, roles: Path, vacant: LocalServer, run: LocalRun, missing: str
) -> None:
    (dump if missing == "dump" else roles).unlink()
    with pytest.raises(ConfigurationError, match="No such file or directory"):
        check(dump, vacant, run, roles)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\n", "SQL text"),
        (b"\x1f\x8b\x08garbage", "does not begin with PGDMP"),
        (b"PGDMP\x01\x0e\x00garbage", "pg_restore"),
        (b"PGDMP\x63\x0e\x00" + bytes(60), "a later pg_dump"),
    ],
)
def test_what_is_no_dump_is_told(
    tmp_path: Path, server: LocalServer, run: LocalRun, content: bytes, found: str
) -> None:
    path = tmp_path / "prod.dump"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=found) as caught:
        check(path, server, run)
    assert "nothing has been laid out" in str(caught.value)


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--format=directory"], "a directory"),
        (["--format=tar"], "a tar file"),
        (["--format=plain"], "SQL text"),
        (["--format=custom", "--schema-only"], "none of them named llx_"),
        (["--format=custom", "--exclude-table=llx_*"], "0 tables with rows"),
    ],
)
def test_a_dump_of_another_kind_is_told(
    server: LocalServer,
    tools: Path,
    run: LocalRun,
    tmp_path: Path,
    options: list[str],
    found: str,
) -> None:
    made = pg_dump(server, tools, tmp_path / "prod.dump", *options)
    with pytest.raises(ConfigurationError, match=found):
        check(made, server, run)


@pytest.mark.parametrize("part", [0.02, 0.5, 0.999])
def test_a_dump_that_was_cut_off_is_told(
    dump: Path, server: LocalServer, run: LocalRun, part: float
) -> None:
    content = dump.read_bytes()
    dump.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(ConfigurationError, match="could not read from input file"):
        check(dump, server, run)


def test_a_dump_of_another_owner_is_told(
    server: LocalServer, shop: Any, tools: Path, run: LocalRun, tmp_path: Path
) -> None:
    del shop
    with server.connect("erp") as connection:
        connection.execute("ALTER TABLE llx_societe OWNER TO provisioner")
    made = pg_dump(server, tools, tmp_path / "prod.dump", "--format=custom")
    with pytest.raises(ConfigurationError, match="belong to erp_role, provisioner"):
        check(made, server, run)


def test_a_dump_of_a_newer_server_is_told(dump: Path, run: LocalRun) -> None:
    older = debian_binaries(15)
    if older is None:
        pytest.skip("needs an older PostgreSQL in Debian's directories")
    tools = find_tools(ToolSettings(directory=older.bin), 15, Deadlines())
    with pytest.raises(ConfigurationError, match="a later pg_dump than pg_restore 15"):
        archive.check(dump, tools, run.path)


def test_a_dump_of_a_newer_server_that_these_tools_can_read_is_told(
    dump: Path, server: LocalServer, run: LocalRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As 17 and 18: one version of the archive, two of the server."""
    tools = find_tools(ToolSettings(directory=server.client_tools), 18, Deadlines())
    monkeypatch.setattr(type(tools), "major", 17)
    with pytest.raises(
        ConfigurationError, match="a dump of PostgreSQL 18, for a server of version"
    ):
        archive.check(dump, tools, run.path)


def test_a_restore_that_loads_nothing_is_caught_whatever_it_says(
    dump: Path, vacant: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.postgres.tools import ClientTools  # noqa: PLC0415  to be replaced

    run_tool = ClientTools.run

    def idle(self: ClientTools, program: str, arguments: Any, **others: Any) -> Finished:
        if others.get("login") is not None:
            return Finished(program, 0, ())
        return run_tool(self, program, arguments, **others)

    monkeypatch.setattr(ClientTools, "run", idle)
    options = LocalOptions(vacant.superuser.conninfo, cluster=False, prod_dump=dump)
    with (
        pytest.raises(ConfigurationError, match="2 tables are missing"),
        local_platform(options, Silent()),
    ):
        pytest.fail("prod was accepted")
