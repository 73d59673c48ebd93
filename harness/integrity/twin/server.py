"""A twin: a throw-away server that is as the target, without a row of it, to attack in its place.

Attempts to break a guarantee could break it. So they are made where nothing can be lost: on a
server that is built from the target's own roles and schemas, that listens to this machine alone,
belongs to a user of its own where root runs it, and goes when the audit ends.
"""

from __future__ import annotations

import secrets
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from harness.integrity.finding import Unproven
from harness.integrity.twin import blueprint as source
from harness.integrity.twin import building
from harness.integrity.twin.identity import Identity, identities, make_strangers, prods_login
from harness.postgres.binaries import find_binaries
from harness.postgres.connection import options
from harness.postgres.directories import throwaway
from harness.postgres.launcher import Launcher
from harness.postgres.tools import ClientTools

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.integrity.twin.blueprint import Blueprint
    from harness.postgres.binaries import Binaries
    from harness.postgres.connection import Connection, Run
    from harness.progress import Progress
    from harness.settings import Settings
    from harness.sides import Login

FAMILY = "sandbox-lifecycle-twin"
_EVENT_TRIGGERS_CAN_BE_OFF = 17
_LIKE_THE_TARGETS = ("temp_file_limit", "max_prepared_transactions", "wal_level")
# Few slots are soon taken: what happens then is the same as with hundreds. A limit leaves enough
# for the attempts, so that none is refused for want of a slot.
CONNECTIONS = 24
LIMIT = 6
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    # Whatever is written is written by an attempt.
    "autovacuum": "off",
    "max_connections": str(CONNECTIONS),
    # An owner who drops all that is theirs needs several thousand.
    "max_locks_per_transaction": "512",
    "shared_buffers": "32MB",
    "max_wal_size": "256MB",
    "allow_in_place_tablespaces": "on",
    "lc_messages": "C",
}
_KEPT_OUT = """
SELECT rolname::text FROM pg_catalog.pg_authid WHERE rolname = ANY (%s) AND rolpassword IS NULL
"""
_LIMITED = """
SELECT 'ROLE', rolname::text, rolconnlimit FROM pg_catalog.pg_roles WHERE rolconnlimit > 0
UNION ALL
SELECT 'DATABASE', datname::text, datconnlimit FROM pg_catalog.pg_database WHERE datconnlimit > 0
"""


@dataclass(frozen=True, slots=True)
class Twin:
    """A twin that is up.

    Args:
        description: Version and origin of the server, for reports.
        blueprint: What it was built from.
        superuser: A superuser's login to prod's database, whose role the target does not have.
        prod: A login of prod's.
        limits: Connection limits of the target, by kind and name; on the twin each is LIMIT.
        left_out: What could not be built as it is on the target.
    """

    description: str
    blueprint: Blueprint
    superuser: Login = field(repr=False)
    prod: Login = field(repr=False)
    limits: dict[tuple[str, str], int]
    left_out: tuple[Unproven, ...]

    @property
    def sandbox_database(self) -> str:
        """Name of the sandbox's database."""
        return self.blueprint.sandbox.database

    def identities(self) -> tuple[Identity, ...]:
        """Everybody who attempts things, as the roles are now; each can log in."""
        with self.administer() as admin:
            found = identities(self.blueprint, admin)
            for (user,) in admin.execute(_KEPT_OUT, ([each.user for each in found],)):
                _let_in(admin, replace(self.prod, user=user))
        return found

    @contextmanager
    def administer(self, database: str | None = None) -> Iterator[Connection]:
        """A superuser's session in autocommit; default: on prod's database."""
        with _session(replace(self.superuser, database=database or self.prod.database)) as session:
            yield session

    @contextmanager
    def prod_session(self) -> Iterator[Connection]:
        """An ordinary session of prod, acting as its owner."""
        with _session(self.prod) as session:
            owner = sql.Identifier(self.blueprint.prod.side.owner_role)
            session.execute(sql.SQL("SET ROLE {}").format(owner))
            yield session


@contextmanager
def twin_of(settings: Settings, run: Run, progress: Progress) -> Iterator[Twin | Unproven]:
    """Build a twin of a target; it is gone when the block ends.

    Args:
        settings: The target.
        run: The run that the sessions on the target belong to.
        progress: Told what is being done.

    Yields:
        The twin, or why there can be none here.

    Raises:
        FailedError: The target could not be dumped, or the server did not start.
        RefusedError: The target's logins are not what they should be.
    """
    blueprint = source.ask(settings, run)
    binaries = find_binaries(blueprint.major, settings.tools.companion_directory)
    if binaries is None:
        yield _unproven(
            f"there is no PostgreSQL {blueprint.major} server on this machine", "no server"
        )
        return
    with ExitStack() as undo:
        directory = undo.enter_context(throwaway(FAMILY, settings.deadlines))
        with progress.phase(f"build a twin with {binaries.description}"):
            twin = _build(blueprint, binaries, directory, settings, run, undo)
        yield twin


def _build(
    blueprint: Blueprint,
    binaries: Binaries,
    directory: Path,
    settings: Settings,
    run: Run,
    undo: ExitStack,
) -> Twin | Unproven:
    tools = ClientTools(binaries.bin, binaries.version, settings.deadlines)
    launcher = _launcher(blueprint, binaries, directory, settings)
    private = directory / "dumps"
    private.mkdir(mode=0o700)
    with source.dumping(blueprint, tools, private, run) as dumps:
        undo.callback(launcher.stop, discard=True)
        launcher.create()
        launcher.start()
        superuser = _make_superuser(launcher)
        admin = undo.enter_context(_session(superuser))
        missing = _missing_extensions(blueprint, admin)
        if missing:
            return _unproven(
                f"{binaries.description} has no extension {', '.join(missing)}", "extensions"
            )
        left_out = building.build(blueprint, dumps(), tools, superuser, admin)
    return _equip(blueprint, binaries, superuser, admin, tuple(left_out))


def _launcher(
    blueprint: Blueprint, binaries: Binaries, directory: Path, settings: Settings
) -> Launcher:
    own = dict(_SETTINGS)
    if blueprint.major >= _EVENT_TRIGGERS_CAN_BE_OFF:
        own["event_triggers"] = "off"
    theirs = blueprint.sandbox.plan.settings
    own |= {name: theirs[name] for name in _LIKE_THE_TARGETS}
    if own["wal_level"] == "minimal":
        own["max_wal_senders"] = "0"
    return Launcher(
        binaries,
        directory / "server",
        own,
        settings.deadlines,
        # Grants that nobody else gave are the first superuser's: its name has to be the same.
        bootstrap=blueprint.sandbox.plan.bootstrap,
        apart=True,
    )


def _make_superuser(launcher: Launcher) -> Login:
    login = replace(
        launcher.superuser,
        user=f"twin-{secrets.token_hex(4)}",
        password=secrets.token_urlsafe(24),
    )
    with _session(launcher.superuser) as session:
        session.execute(
            sql.SQL("CREATE ROLE {} LOGIN SUPERUSER PASSWORD {}").format(
                sql.Identifier(login.user), _verifier(session, login)
            )
        )
    return login


def _missing_extensions(blueprint: Blueprint, admin: Connection) -> list[str]:
    wanted = {name for side in blueprint.sides for name in side.plan.extensions}
    here = {name for (name,) in admin.execute("SELECT name::text FROM pg_available_extensions")}
    return sorted(wanted - here)


def _equip(
    blueprint: Blueprint,
    binaries: Binaries,
    superuser: Login,
    admin: Connection,
    left_out: tuple[Unproven, ...],
) -> Twin:
    """Give the logins a password, and scale the limits down to the size of this server."""
    password = secrets.token_urlsafe(24)
    prod = replace(blueprint.prod.side.login, host=superuser.host, port=superuser.port)
    prod = replace(prod, password=password, extra=(), user=prods_login(blueprint, admin))
    _let_in(admin, prod)
    make_strangers(blueprint, admin)
    # Prod goes on working whoever owns it, so that it can be seen whether it is disturbed.
    admin.execute(
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
            sql.Identifier(prod.database), sql.Identifier(prod.user)
        )
    )
    limits = {}
    for kind, name, limit in admin.execute(_LIMITED).fetchall():
        limits[kind, name] = limit
        admin.execute(
            sql.SQL("ALTER {} {} CONNECTION LIMIT {}").format(
                sql.SQL(kind), sql.Identifier(name), sql.Literal(LIMIT)
            )
        )
    return Twin(
        description=binaries.description,
        blueprint=blueprint,
        superuser=superuser,
        prod=prod,
        limits=limits,
        left_out=left_out,
    )


@contextmanager
def _session(login: Login) -> Iterator[Connection]:
    with psycopg.connect(
        login.conninfo, autocommit=True, options=options(read_only=False)
    ) as session:
        yield session


def _let_in(admin: Connection, login: Login) -> None:
    # A lease may have ended since: whoever gets the next one is the same to this server.
    admin.execute(
        sql.SQL("ALTER ROLE {} PASSWORD {} VALID UNTIL 'infinity'").format(
            sql.Identifier(login.user), _verifier(admin, login)
        )
    )


def _verifier(session: Connection, login: Login) -> sql.Literal:
    """What proves a password, without being one."""
    verifier = session.pgconn.encrypt_password(
        (login.password or "").encode(), login.user.encode(), b"scram-sha-256"
    )
    return sql.Literal(verifier.decode())


def _unproven(why: str, what: str) -> Unproven:
    return Unproven(
        id=f"twin: {what}",
        plane="postgresql",
        group=1,
        what="every attempt of groups 1 to 14",
        why=why,
    )
