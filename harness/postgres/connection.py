"""Sessions of the harness: explicit identity, pinned settings, and no pooler in between."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Any, LiteralString

import psycopg
from psycopg import errors, sql

from harness.deadlines import eventually
from harness.errors import ConfigurationError, FailedError, RefusedError
from harness.sides import Prod

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.deadlines import Deadlines
    from harness.sides import Login, Sandbox

    Connection = psycopg.Connection[tuple[Any, ...]]

APPLICATION = "sandbox-lifecycle"

# PgBouncer's answer to a session that brings settings of its own; PostgreSQL knows no such thing.
_ONLY_A_POOLER_SAYS = "unsupported startup parameter"
# "... is starting up", "... in recovery mode", "... not yet accepting connections".
_A_SERVER_COMING_UP_SAYS = "FATAL: the database system is"

# Whatever a role, a database or a server sets, a row must read the same on both sides, and no
# object may be found by a search path that the application could have bent. The owner of a database
# may set any of these for everybody who enters it.
_PINNED = {
    "search_path": "",
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    "default_tablespace": "",
    "default_table_access_method": "heap",
    "standard_conforming_strings": "on",
    "quote_all_identifiers": "off",
    "transform_null_equals": "off",
    "array_nulls": "on",
    "lc_monetary": "C",
    "DateStyle": "ISO, YMD",
    "TimeZone": "UTC",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "xmloption": "content",
    "row_security": "off",
    # The planner's guesses switch JIT on for a hash over a table: 30 ms a statement.
    "jit": "off",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_session_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    # A backend notices that its client has died, in a long statement and on a lost machine too.
    "client_connection_check_interval": "2000",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
_READING = {"default_transaction_read_only": "on"}
# Thousands of small commits need not reach the disk one by one: the mark that vouches for them is
# written last and waits for the disk, and with it everything before.
_WRITING = {"synchronous_commit": "off", "default_transaction_read_only": "off"}


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the harness; its id is in the name of each of its sessions."""

    id: str = field(default_factory=lambda: secrets.token_hex(4))

    def application_name(self, part: str) -> str:
        """The `application_name` of the session that does `part`, at most 63 bytes."""
        return f"{APPLICATION}/{self.id}/{part}"[:63]


def options(*, read_only: bool) -> str:
    """The pinned settings as libpq's `options`, in force before the first statement."""
    pinned = _PINNED | (_READING if read_only else _WRITING)
    return " ".join(
        f"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in pinned.items()
    )


def load_sql(package: str, name: str) -> sql.SQL:
    """The statement in file `name` beside the modules of `package`."""
    text = resources.files(package).joinpath(name).read_text(encoding="utf-8")
    return sql.SQL(text)


# A read-only transaction may LOCK a table in any mode.
_DONE = """
SELECT pg_catalog.pg_current_xact_id_if_assigned()::text, (
    SELECT pg_catalog.array_agg(DISTINCT pg_catalog.format(
        '%s on %s', mode, coalesce(relation::pg_catalog.regclass::text, locktype)
    ))
    FROM pg_catalog.pg_locks
    WHERE pid = pg_catalog.pg_backend_pid()
    AND locktype <> 'virtualxid' AND mode <> 'AccessShareLock'
)
"""


@contextmanager
def connect(
    side: Prod | Sandbox, run: Run, part: str, deadlines: Deadlines, *, read_only: bool = False
) -> Iterator[Connection]:
    """A session in the role of one side, in autocommit; a session on prod cannot write.

    Args:
        side: Where to, and as whom.
        run: The run that the session belongs to.
        part: What the session is for; ends up in `application_name`.
        deadlines: The table of deadlines.
        read_only: Start every transaction read-only. Always so on prod.

    Raises:
        ConfigurationError: The server cannot be reached or does not accept the login.
        RefusedError: There is a pooler in between, or the login is no member of that role.
    """
    pinned = options(read_only=read_only or isinstance(side, Prod))
    with _open(side.login, run.application_name(part), deadlines, pinned) as connection:
        _refuse_pooler(connection, side.login)
        _set_role(connection, side)
        yield connection


@contextmanager
def connect_as_others(
    login: Login, run: Run, part: str, deadlines: Deadlines
) -> Iterator[Connection]:
    """A session as the application's: nothing is pinned, so it shows what its login brings.

    Raises:
        ConfigurationError: The server cannot be reached or does not accept the login.
    """
    with _open(login, run.application_name(part), deadlines, "") as connection:
        yield connection


class _ComingUpError(ConfigurationError):
    """The server is there and takes no sessions yet, as after a crash; it is waited for."""


def _open(login: Login, name: str, deadlines: Deadlines, pinned: str) -> Connection:
    return eventually(
        lambda: _try_to_open(login, name, deadlines, pinned),
        deadlines.server_start,
        on=_ComingUpError,
    )


def _try_to_open(login: Login, name: str, deadlines: Deadlines, pinned: str) -> Connection:
    try:
        return psycopg.connect(
            login.conninfo,
            autocommit=True,
            application_name=name,
            connect_timeout=max(2, round(deadlines.connect.seconds)),
            options=pinned,
            client_encoding="UTF8",
        )
    except psycopg.OperationalError as error:
        found = " ".join(str(error).split())
        if _ONLY_A_POOLER_SAYS in found:
            raise _pooled(login, found) from error
        kind = _ComingUpError if _A_SERVER_COMING_UP_SAYS in found else ConfigurationError
        raise kind(
            f"no session for {login}",
            found=found,
            expected="a PostgreSQL server there that accepts this login for this database",
            remedy="correct the connection string or the login; nothing has been changed",
        ) from error


def _refuse_pooler(connection: Connection, login: Login) -> None:
    backend = one(connection, "SELECT pg_catalog.pg_backend_pid()")[0]
    if backend != connection.info.backend_pid:
        # A pooler hands out keys of its own; behind one, the session that was checked and the
        # session that destroys need not be the same.
        raise _pooled(
            login,
            f"the session was given key {connection.info.backend_pid}, its backend is {backend}",
        )


def _pooled(login: Login, found: str) -> RefusedError:
    return RefusedError(
        f"a pooler stands between the harness and {login.database}",
        found=found,
        expected="a direct connection: locks, snapshots and the identity belong to a session",
        remedy="give the server's own host and port instead of PgBouncer's",
    )


def _set_role(connection: Connection, side: Prod | Sandbox) -> None:
    try:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(side.acts_as)))
    except (
        errors.InsufficientPrivilege,
        errors.InvalidParameterValue,
        errors.UndefinedObject,
    ) as error:
        raise RefusedError(
            f"{side.login.user} cannot act as {side.acts_as}",
            found=str(error).strip(),
            expected=f"a login that is a member of {side.acts_as}",
            remedy="use the leased login of this side, or correct owner_role or read_role",
        ) from error


def one(
    connection: Connection, query: LiteralString | sql.SQL | sql.Composed, *values: object
) -> tuple[Any, ...]:
    """The only row of a query that always has one."""
    row = connection.execute(query, values or None).fetchone()
    if row is None:
        raise FailedError("a query that always has one row returned none")
    return row


@contextmanager
def exported_snapshot(connection: Connection) -> Iterator[str]:
    """A read-only transaction whose snapshot other sessions and pg_dump can adopt.

    Yields:
        The snapshot's name, valid until the block ends.

    Raises:
        FailedError: The transaction was assigned an id, so it was not merely reading.
    """
    with read_only_transaction(connection):
        yield one(connection, "SELECT pg_catalog.pg_export_snapshot()")[0]


@contextmanager
def read_only_transaction(connection: Connection, *, snapshot: str | None = None) -> Iterator[None]:
    """A repeatable, read-only transaction that proves before it ends that it wrote nothing.

    Args:
        connection: The session.
        snapshot: A snapshot to adopt; default: one of its own.

    Raises:
        FailedError: The transaction was assigned an id, or holds a lock that only writers need.
    """
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        if snapshot is not None:
            connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
        yield
        assigned, locks = one(connection, _DONE)
        if assigned is not None:
            raise FailedError(
                "a transaction that should only read was assigned a transaction id",
                found=f"id {assigned} in {connection.info.dbname}",
                expected="none: an id is assigned to the first write",
                remedy="find what writes: a function with side effects in a view or a policy",
            )
        if locks is not None:
            raise FailedError(
                "a transaction that should only read locks more than a reader does",
                found=f"{', '.join(locks)} in {connection.info.dbname}",
                expected="ACCESS SHARE and nothing above it: anything stronger can stop others",
                remedy="find what locks: a function with a LOCK in a view or a policy",
            )
