"""Settings and roles that are not what they must be: each ends before anything is wiped."""

from __future__ import annotations

import os
import socket
import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import SecretStr

from harness.golden.store import DUMP
from harness.lifecycle.checkpoint import checkpoint
from harness.lifecycle.refresh import refresh_from_prod
from harness.lifecycle.reset import reset
from harness.lifecycle.status import status
from harness.local.marks import PROD_DATABASE, SANDBOX_DATABASE
from harness.postgres.connection import Run, connect
from harness.postgres.fence import fence
from harness.progress import Silent
from harness.sides import Prod, Sandbox
from tests.pooler import pgbouncer, pooled
from tests.recovery.tiny import TABLES

from .evidence import assert_nothing_left, fails, mark, prod_unchanged, sandbox_unchanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from harness.local.platform import LocalPlatform
    from harness.settings import Settings

    Superuser = Callable[[str], psycopg.Connection[Any]]
    Broken = Callable[["Breakage"], AbstractContextManager[None]]

VERBS = (refresh_from_prod, reset, checkpoint)
WIPING = (refresh_from_prod, reset)


@pytest.fixture(scope="module", autouse=True)
def neither_side_is_touched(platform: LocalPlatform) -> Iterator[None]:
    """What the whole module proves besides: whatever it tries, nothing was wiped or written."""
    with prod_unchanged(platform.settings), sandbox_unchanged(platform.settings):
        yield


@pytest.fixture(autouse=True)
def nothing_is_replaced(platform: LocalPlatform, settings: Settings) -> Iterator[None]:
    """What every test proves besides: the content is vouched for by the same run as before."""
    before = mark(settings)
    yield
    assert mark(settings) == before
    assert_nothing_left(platform)


@dataclass(frozen=True)
class Breakage:
    """What is made wrong on the server, how it is put right, and what the error must name."""

    script: str
    undo: str
    named: tuple[str, ...]
    database: str = SANDBOX_DATABASE


@pytest.fixture
def broken(
    superuser: Superuser,
) -> Broken:
    """Makes something wrong on the server for the length of a block."""

    @contextmanager
    def broken(breakage: Breakage) -> Iterator[None]:
        session = superuser(breakage.database)
        try:
            _execute(session, breakage.script)
            yield
        finally:
            _execute(session, breakage.undo)

    return broken


def _execute(session: psycopg.Connection[Any], script: str) -> None:
    # One by one: each is a transaction of its own.
    for statement in script.split(";"):
        session.execute(statement.encode())


def role(attribute: str) -> Breakage:
    return Breakage(
        f"ALTER ROLE erp_sandbox_role {attribute}",
        f"ALTER ROLE erp_sandbox_role NO{attribute}",
        (f"erp_sandbox_role is {attribute}", "correct the settings or the roles"),
    )


def detour(options: str) -> Breakage:
    return Breakage(
        "CREATE ROLE faults_detour; GRANT erp_role TO faults_detour;"
        f" GRANT faults_detour TO erp_sandbox_role {options}",
        "DROP ROLE faults_detour",
        ("reaches erp_role, which owns prod",),
    )


POWERS = {
    "is a superuser": role("SUPERUSER"),
    "may create databases": role("CREATEDB"),
    "may create roles": role("CREATEROLE"),
    "may replicate": role("REPLICATION"),
    "passes row security": role("BYPASSRLS"),
    "reaches prod's owner through a third role": detour(""),
    "could reach prod's owner, with the options off": detour("WITH INHERIT FALSE, SET FALSE"),
    "owns prod": Breakage(
        'ALTER DATABASE "erp" OWNER TO erp_sandbox_role',
        'ALTER DATABASE "erp" OWNER TO erp_role',
        ("reaches erp_sandbox_role, which owns prod",),
    ),
    "may write everywhere": Breakage(
        "GRANT pg_write_all_data TO erp_sandbox_role",
        "REVOKE pg_write_all_data FROM erp_sandbox_role",
        ("reaches pg_write_all_data, which acts beyond one database",),
    ),
    "may end anybody's session": Breakage(
        "GRANT pg_signal_backend TO erp_sandbox_role",
        "REVOKE pg_signal_backend FROM erp_sandbox_role",
        ("reaches pg_signal_backend",),
    ),
    "does not own the sandbox": Breakage(
        'ALTER DATABASE "erp-sandbox" OWNER TO provisioner;'
        ' GRANT CONNECT ON DATABASE "erp-sandbox" TO erp_sandbox_role',
        'REVOKE CONNECT ON DATABASE "erp-sandbox" FROM erp_sandbox_role;'
        ' ALTER DATABASE "erp-sandbox" OWNER TO erp_sandbox_role',
        ("the database belongs to provisioner", "erp_sandbox_role, which owns erp-sandbox"),
    ),
}

SURROUNDINGS = {
    "schema public would go with the wipe": Breakage(
        "ALTER SCHEMA public OWNER TO erp_sandbox_role",
        "ALTER SCHEMA public OWNER TO pg_database_owner",
        ("schema public belongs to erp_sandbox_role", "ALTER SCHEMA public OWNER TO"),
    ),
    "the pooler's function would go with the wipe": Breakage(
        "ALTER FUNCTION public.user_lookup(text) OWNER TO erp_sandbox_role",
        "ALTER FUNCTION public.user_lookup(text) OWNER TO provisioner",
        ("function user_lookup belongs to erp_sandbox_role",),
    ),
    "a table would outlive the wipe": Breakage(
        "CREATE TABLE public.llx_of_the_provisioner (); "
        "ALTER TABLE public.llx_of_the_provisioner OWNER TO provisioner",
        "DROP TABLE public.llx_of_the_provisioner",
        ("relation llx_of_the_provisioner of provisioner",),
    ),
}


@pytest.mark.parametrize("power", POWERS)
def test_nothing_is_wiped_by_a_role_that(power: str, settings: Settings, broken: Broken) -> None:
    with broken(POWERS[power]):
        refused(VERBS, settings, *POWERS[power].named)


def test_a_power_of_the_login_itself_is_as_bad_as_one_of_its_role(
    settings: Settings, broken: Broken
) -> None:
    login = Sandbox.of(settings).login.user
    alter = f'ALTER ROLE "{login}"'
    with broken(Breakage(f"{alter} CREATEDB", f"{alter} NOCREATEDB", ())):
        refused(VERBS, settings, f"{login} is CREATEDB")


@pytest.mark.parametrize("surrounding", SURROUNDINGS)
def test_nothing_is_wiped_where(surrounding: str, settings: Settings, broken: Broken) -> None:
    with broken(SURROUNDINGS[surrounding]):
        refused(WIPING, settings, *SURROUNDINGS[surrounding].named)


def test_a_comment_that_is_not_the_mark_is_left_alone(
    settings: Settings, superuser: Superuser
) -> None:
    with comment_of_the_sandbox(superuser("postgres"), "the books of 2019"):
        refused(VERBS, settings, "the books of 2019", 'COMMENT ON DATABASE "erp-sandbox" IS NULL')


def test_without_mark_and_pins_nobody_says_that_it_is_the_sandbox(
    settings: Settings, superuser: Superuser
) -> None:
    unpinned = changed(settings, "sandbox", system_identifier=None, database_oid=None)
    with comment_of_the_sandbox(superuser("postgres"), None):
        refused(VERBS, unpinned, "no mark on the database", "sandbox.database_oid = ")


@pytest.mark.parametrize(
    ("pin", "named"),
    [
        ("system_identifier", "the server's identifier is"),
        ("database_oid", "the database's OID is"),
    ],
)
def test_another_database_than_the_pinned_one_is_refused(
    settings: Settings, pin: str, named: str
) -> None:
    wrong = getattr(settings.sandbox, pin) + 1
    refused(VERBS, changed(settings, "sandbox", **{pin: wrong}), named, f"pinned is {wrong}")


def test_prod_for_both_sides_is_refused(settings: Settings) -> None:
    refused(
        VERBS,
        changed(settings, "sandbox", dsn=settings.prod.dsn),
        "prod and sandbox name the same database",
        "/erp",
    )


@pytest.mark.parametrize("pinned", [True, False], ids=["pinned", "not pinned"])
def test_swapped_sides_are_refused(settings: Settings, *, pinned: bool) -> None:
    prod, sandbox = settings.prod, settings.sandbox
    other = {"dsn": sandbox.dsn, "owner_role": sandbox.owner_role}
    own = {"dsn": prod.dsn, "owner_role": prod.owner_role, "application_dsn": None}
    pins = {} if pinned else {"system_identifier": None, "database_oid": None}
    swapped = changed(changed(settings, "prod", **other), "sandbox", **own, **pins)
    refused(VERBS, swapped, "pinned is" if pinned else "not the sandbox's mark")


@pytest.mark.parametrize("side", ["prod", "sandbox"])
def test_a_server_that_nobody_runs_is_a_wrong_setting(settings: Settings, side: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and does not listen
        port = unused.getsockname()[1]
        nowhere = redirected(settings, side, port=port)
        fails(
            2,
            lambda: refresh_from_prod(nowhere, Silent()),
            f"127.0.0.1:{port}",
            "Connection refused",
            "nothing has been changed",
        )


@pytest.mark.parametrize("side", ["prod", "sandbox"])
def test_a_wrong_password_is_a_wrong_setting_and_is_told_to_nobody(
    settings: Settings, side: str
) -> None:
    wrong = redirected(settings, side, password="open-sesame")  # noqa: S106  wrong on purpose
    error = fails(
        2,
        lambda: refresh_from_prod(wrong, Silent()),
        "password authentication failed",
        "correct the connection string or the login",
    )
    everything = "".join(traceback.format_exception(error)) + repr(wrong)
    assert "open-sesame" not in everything


@pytest.mark.parametrize("side", ["prod", "sandbox"])
@pytest.mark.parametrize("part", ["host", "user"])
def test_what_libpq_would_guess_has_to_be_spelt_out(
    settings: Settings, side: str, part: str
) -> None:
    incomplete = redirected(settings, side, **{part: None})
    fails(2, lambda: refresh_from_prod(incomplete, Silent()), f"{side}.dsn", f"no {part}")


def test_a_port_that_is_no_number_is_a_wrong_setting(settings: Settings) -> None:
    wrong = redirected(settings, "sandbox", port="here")
    fails(2, lambda: refresh_from_prod(wrong, Silent()), "sandbox.dsn", "port here")


def test_a_prod_that_is_no_dolibarr_is_not_copied(
    platform: LocalPlatform, settings: Settings, broken: Broken
) -> None:
    empty = Breakage(
        "CREATE DATABASE faults_empty OWNER erp_role", "DROP DATABASE faults_empty", (), "postgres"
    )
    with broken(empty):
        fails(
            2,
            lambda: refresh_from_prod(
                redirected(settings, "prod", dbname="faults_empty"), Silent()
            ),
            "0 llx_* tables, no company name",
            f"at least {TABLES} tables",
        )
        assert_nothing_left(platform)


def test_an_extension_that_the_sandbox_lacks_is_named(settings: Settings, broken: Broken) -> None:
    extended = Breakage("CREATE EXTENSION pg_trgm", "DROP EXTENSION pg_trgm", (), PROD_DATABASE)
    with broken(extended):
        refused((refresh_from_prod,), settings, "missing: pg_trgm", 'CREATE EXTENSION "pg_trgm"')


def test_a_damaged_golden_copy_is_found_while_the_sandbox_can_do_without(
    settings: Settings, tmp_path: Path
) -> None:
    damaged = settings.with_golden(directory=tmp_path)
    generation = checkpoint(damaged, Silent()).folder
    (generation / DUMP).write_bytes(b"PGDMP and no more")
    for verb in WIPING:
        fails(1, partial(verb, damaged, Silent()), f"{DUMP}: size=17", "take a new checkpoint")


def test_a_folder_that_cannot_take_the_transient_dump_is_a_wrong_setting(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    # Nobody can write there; to root the kernel says so in another way.
    full = "0 MB free" if os.geteuid() == 0 else "may not write to"
    for folder, found in (
        (tmp_path / "missing", "no folder"),
        (tmp_path / "file", "no folder"),
        (Path("/proc"), full),
    ):
        tools = settings.tools.model_copy(update={"work_directory": folder})
        elsewhere = settings.model_copy(update={"tools": tools})
        fails(
            2,
            lambda elsewhere=elsewhere: refresh_from_prod(elsewhere, Silent()),
            *(str(folder), found, "tools.work_directory", "nothing has been changed"),
        )


def test_a_lock_on_a_table_of_the_sandbox_is_waited_for_and_then_refused(
    platform: LocalPlatform, settings: Settings
) -> None:
    hasty = settings.model_copy(update={"deadline_scale": 0.05})
    with psycopg.connect(platform.superuser.conninfo, dbname=SANDBOX_DATABASE) as reader:
        reader.execute("SELECT count(*) FROM public.llx_societe")
        refused(WIPING, hasty, "a lock on the sandbox could not be had", "free within 0.5 s")


def test_an_application_that_stays_connected_is_refused_and_named(settings: Settings) -> None:
    hasty = settings.model_copy(update={"deadline_scale": 0.05})
    application = Sandbox.of(settings).application
    with psycopg.connect(application.conninfo, application_name="dolibarr") as session:
        pid = session.info.backend_pid
        refused(
            WIPING, hasty, f"pid {pid} of {application.user} (dolibarr)", "stop the application"
        )


def test_a_second_run_is_refused_and_told_who_is_there_and_since_when(settings: Settings) -> None:
    first = Run()
    with (
        connect(Sandbox.of(settings), first, "fence", settings.deadlines) as session,
        fence(session, also=lambda: None),
    ):
        since = f"{datetime.now(UTC):%Y-%m-%d}"
        refused(VERBS, settings, f"sandbox-lifecycle/{first.id}/fence", f"since {since}")
        assert first.id in str(status(settings, Silent()).writer)


@pytest.mark.parametrize("side", ["prod", "sandbox"])
@pytest.mark.parametrize("setup", ["strict", "lenient"])
def test_a_transaction_pooler_is_refused(settings: Settings, side: str, setup: str) -> None:
    if pgbouncer() is None:
        pytest.skip("there is no pgbouncer on this machine (Debian: apt-get install pgbouncer)")
    login = {"prod": Prod, "sandbox": Sandbox}[side].of(settings).login
    lenient = ["ignore_startup_parameters = options, extra_float_digits"]
    with pooled(login, *(lenient if setup == "lenient" else [])) as through:
        refused(
            (refresh_from_prod,),
            redirected(settings, side, port=through.port),
            "a pooler stands between",
            "the server's own host and port",
        )


def refused(verbs: tuple[Callable[..., object], ...], settings: Settings, *named: str) -> None:
    for verb in verbs:
        fails(3, partial(verb, settings, Silent()), *named)


def changed(settings: Settings, table: str, **values: Any) -> Settings:
    """The same target with other values in one table of its settings."""
    return settings.model_copy(update={table: getattr(settings, table).model_copy(update=values)})


def redirected(settings: Settings, side: str, **parts: Any) -> Settings:
    """The same target with other parts in the connection string of one side."""
    own = conninfo_to_dict(getattr(settings, side).dsn.get_secret_value()) | parts
    dsn = make_conninfo(**{name: value for name, value in own.items() if value is not None})
    return changed(settings, side, dsn=SecretStr(dsn))


@contextmanager
def comment_of_the_sandbox(session: psycopg.Connection[Any], text: str | None) -> Iterator[None]:
    """Another comment on the sandbox's database than the harness's own."""
    write = sql.SQL("COMMENT ON DATABASE {} IS {}").format
    own = session.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
        (SANDBOX_DATABASE,),
    ).fetchone()
    session.execute(write(sql.Identifier(SANDBOX_DATABASE), text))
    try:
        yield
    finally:
        session.execute(write(sql.Identifier(SANDBOX_DATABASE), *(own or ())))
