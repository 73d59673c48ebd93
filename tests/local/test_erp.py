"""The ERP answers from its database alone, and holds a session that writes without a trace."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg

from harness.deadlines import eventually
from harness.local import layout, marks
from harness.local.sample.load import COMPANY
from tests.erp import SOON, erp

if TYPE_CHECKING:
    from pathlib import Path

    from harness.local.servers import LocalServer
    from harness.sides import Login

COMPANY_PATH = "/api/index.php/setup/company"
SESSION = {"ERP_SESSION_INTERVAL": "0.05"}


def sessions(server: LocalServer, login: Login) -> dict[int, str]:
    """The application's sessions: pid and application_name."""
    with server.connect() as connection:
        rows = connection.execute(
            "SELECT pid, application_name FROM pg_stat_activity WHERE usename = %s", (login.user,)
        )
        return dict(rows.fetchall())


def the_session(server: LocalServer, login: Login) -> int:
    (pid,) = (pid for pid, name in sessions(server, login).items() if name == "erp")
    return pid


def no_session(server: LocalServer, login: Login) -> None:
    assert sessions(server, login) == {}


def constants(server: LocalServer) -> list[tuple[Any, ...]]:
    with server.connect(marks.PROD_DATABASE) as connection:
        return connection.execute("SELECT * FROM public.llx_const ORDER BY rowid").fetchall()


def test_it_answers_from_the_content(logins: layout.Layout, tmp_path: Path) -> None:
    with erp(logins.prod_application, tmp_path) as app:
        assert app.ask("/ready")[0] == 200
        assert app.ask("/api/index.php/status")[0] == 200
        status, text = app.ask(COMPANY_PATH)
        assert (status, json.loads(text)["name"]) == (200, COMPANY)
        status, text = app.ask("/")
        assert status == 200
        assert "lavandiere_small.png" in text


def test_without_content_only_the_company_is_missing(logins: layout.Layout, tmp_path: Path) -> None:
    with erp(logins.sandbox_application, tmp_path, **SESSION) as app:
        assert app.ask("/ready")[0] == 200
        assert app.ask("/api/index.php/status")[0] == 200
        assert app.ask("/") == (200, "<title>Login</title>")
        assert app.ask(COMPANY_PATH) == (503, "the database holds no company")


def test_without_a_database_it_is_not_ready(logins: layout.Layout, tmp_path: Path) -> None:
    nowhere = replace(logins.prod_application, port=1)
    with erp(nowhere, tmp_path, **SESSION) as app:
        for path in ("/ready", "/", COMPANY_PATH):
            assert app.ask(path) == (503, "the database does not answer")
        assert app.end() == 0


def test_each_request_has_its_own_connection(
    server: LocalServer, logins: layout.Layout, tmp_path: Path
) -> None:
    with erp(logins.prod_application, tmp_path) as app:
        for _ in range(3):
            app.ask(COMPANY_PATH)
        eventually(lambda: no_session(server, logins.prod_application), SOON)


def test_its_session_writes_and_leaves_no_trace(
    server: LocalServer, logins: layout.Layout, tmp_path: Path
) -> None:
    before = constants(server)
    with erp(logins.prod_application, tmp_path, **SESSION) as app:
        eventually(lambda: the_session(server, logins.prod_application), SOON)
        eventually(lambda: has_written(server), SOON)
        assert app.end() == 0
        no_session(server, logins.prod_application)
    assert constants(server) == before
    assert app.log.read_text() == ""


def has_written(server: LocalServer) -> None:
    with server.connect(marks.PROD_DATABASE) as connection:
        row = connection.execute(
            "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'llx_const'"
        ).fetchone()
    assert row is not None
    assert row[0] > 0


def test_a_lost_session_is_replaced(
    server: LocalServer, logins: layout.Layout, tmp_path: Path
) -> None:
    with erp(logins.sandbox_application, tmp_path, **SESSION) as app, server.connect() as admin:
        lost = eventually(lambda: the_session(server, logins.sandbox_application), SOON)
        admin.execute("SELECT pg_terminate_backend(%s)", (lost,))

        def another() -> None:
            assert the_session(server, logins.sandbox_application) != lost

        eventually(another, SOON)
        assert app.process.poll() is None
    assert "terminating connection" in app.log.read_text()
    assert str(logins.sandbox_application.password) not in app.log.read_text()


def test_it_ends_although_somebody_holds_its_row(
    server: LocalServer, logins: layout.Layout, tmp_path: Path
) -> None:
    with erp(logins.prod_application, tmp_path, **SESSION) as app:
        eventually(lambda: the_session(server, logins.prod_application), SOON)
        with psycopg.connect(logins.prod.conninfo) as other:
            other.execute("LOCK TABLE public.llx_const IN ACCESS EXCLUSIVE MODE")
            assert app.end() == 0
            no_session(server, logins.prod_application)


def test_traffic_is_written_only_where_it_is_wanted(
    server: LocalServer, logins: layout.Layout, tmp_path: Path
) -> None:
    with erp(logins.prod_application, tmp_path) as app:
        assert app.ask("/traffic", "POST")[0] == 404
    with (
        erp(logins.prod_application, tmp_path, ERP_TRAFFIC="on") as app,
        server.connect(marks.PROD_DATABASE) as connection,
    ):
        status, text = app.ask("/traffic", "POST")
        assert status == 201
        label = connection.execute(
            "SELECT label FROM public.llx_actioncomm WHERE id = %s", (json.loads(text)["event"],)
        ).fetchone()
        assert label == ("Ordinary work",)


def test_a_taken_port_ends_it(logins: layout.Layout, tmp_path: Path) -> None:
    with erp(logins.prod_application, tmp_path) as app:
        port = app.url.rpartition(":")[2]
        second = subprocess.run(
            [sys.executable, "-m", "harness.local.erp"],
            capture_output=True,
            env=os.environ | {"PORT": port, "ERP_DSN": logins.prod_application.conninfo},
            timeout=SOON.seconds,
            check=False,
        )
    assert second.returncode != 0
    assert b"address already in use" in second.stderr
