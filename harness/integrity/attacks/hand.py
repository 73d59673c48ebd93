"""The sessions of one attacker on a twin, and how a statement that it sends comes out."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus

from harness.errors import FailedError
from harness.integrity.attacks.catalogue import NO_EFFECT, REFUSED
from harness.postgres.connection import load_sql

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from harness.deadlines import Deadlines
    from harness.integrity.attacks.catalogue import Attack
    from harness.integrity.twin.identity import Identity
    from harness.integrity.twin.server import Twin
    from harness.postgres.connection import Connection

SUCCEEDED = "succeeded"
LOST = "no session was to be had"
_SHARED_GRANTS = load_sql("harness.postgres", "shared_grants.sql")
# Whoever may not enter the sandbox tries what needs no database of its own from another one.
_OTHER_DOORS = ("postgres", "template1")
_OF_THE_SANDBOX = {"sandbox_definer", "sandbox_view"}
_FULL = re.compile("too many (?:connections|clients)|connection slots are reserved")
_NOT_A_REFUSAL = ("the database system is", "terminating connection")


class RefusedToConnectError(FailedError):
    """The server let the attacker have no session."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt came out.

    Args:
        outcome: A SQLSTATE, or one of the words of the catalogue.
        said: What the server said to it.
    """

    outcome: str
    said: str = ""

    def __str__(self) -> str:
        return f"{self.outcome} ({self.said})" if self.said else self.outcome


class Hand:
    """One attacker, with at most one session for each database.

    Args:
        twin: The twin.
        identity: Who attacks.
        deadlines: The table of deadlines.
    """

    def __init__(self, twin: Twin, identity: Identity, deadlines: Deadlines) -> None:
        self._twin = twin
        self._identity = identity
        self._deadlines = deadlines
        self._sessions: dict[str, Connection] = {}
        self._refusals: dict[str, RefusedToConnectError] = {}
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._undo.close()

    def attempt(self, attack: Attack, statement: sql.Composed, check: Callable[[], bool]) -> Ended:
        """Attempt something; whatever it was, it is rolled back where it can be.

        Args:
            attack: What is attempted.
            statement: Its statements, with the names filled in.
            check: Asks prod, while the attempt lasts, whether it is as it should be.
        """
        try:
            if attack.connect:
                with self.open(self._twin.sandbox_database, attack.connect) as session:
                    return self._run(session, attack, statement, check)
            session = self._session_for(attack)
        except RefusedToConnectError as error:
            said = error.found or ""
            # For want of a slot is not for want of a right.
            return Ended(LOST if _FULL.search(said) else REFUSED, said)
        ended = self._run(session, attack, statement, check)
        if ended.outcome in {SUCCEEDED, NO_EFFECT}:
            session.execute("DISCARD ALL")
            self._take_role(session)
        return ended

    def session(self, database: str) -> Connection:
        """The attacker's session on a database.

        Raises:
            RefusedToConnectError: It gets none.
        """
        if database in self._refusals:
            raise self._refusals[database]
        session = self._sessions.get(database)
        if session is None or session.closed:
            try:
                session = self._undo.enter_context(self.open(database))
            except RefusedToConnectError as error:
                self._refusals[database] = error
                raise
            self._sessions[database] = session
        return session

    def session_anywhere(self) -> Connection:
        """The attacker's session on the sandbox, or where it gets one.

        Raises:
            RefusedToConnectError: It gets none at all.
        """
        try:
            return self.session(self._twin.sandbox_database)
        except RefusedToConnectError as first:
            for database in _OTHER_DOORS:
                try:
                    return self.session(database)
                except RefusedToConnectError:
                    continue
            raise first from None

    def open(self, database: str, more: Mapping[str, str] | None = None) -> Connection:
        """One more session.

        Args:
            database: On which database.
            more: Further parameters of the connection.

        Raises:
            RefusedToConnectError: The server refuses it.
        """
        login = replace(self._twin.prod, user=self._identity.user, database=database)
        given = dict(more or {})
        # Whatever a role is set to, it can set back: an attacker would.
        read_only = "on" if self._identity.of == "dump" else "off"
        options = (
            f"-c default_transaction_read_only={read_only}"
            f" -c statement_timeout={self._deadlines.attempt.milliseconds}"
            f" {given.pop('options', '')}"
        )
        try:
            session = psycopg.connect(
                make_conninfo(login.conninfo, **given, options=options),
                autocommit=True,
                prepare_threshold=None,  # DISCARD ALL forgets what was prepared
                connect_timeout=max(2, round(self._deadlines.connect.seconds)),
            )
        except psycopg.OperationalError as error:
            said = " ".join(str(error).rpartition("FATAL:")[2].split())
            if "FATAL:" not in str(error) or said.startswith(_NOT_A_REFUSAL):
                raise
            raise RefusedToConnectError("no session", found=said) from error
        # One that streams the server's changes knows no SQL, so no role either.
        if given.get("replication") != "true":
            try:
                self._take_role(session)
            except BaseException:
                session.close()
                raise
        return session

    def _session_for(self, attack: Attack) -> Connection:
        if attack.database == "prod":
            return self.session(self._twin.prod.database)
        if attack.needs & _OF_THE_SANDBOX:
            return self.session(self._twin.sandbox_database)
        return self.session_anywhere()

    def _take_role(self, session: Connection) -> None:
        role = self._identity.role
        wanted = sql.Identifier(role) if role else sql.SQL("NONE")
        session.execute(sql.SQL("SET ROLE {}").format(wanted))

    def _run(
        self,
        session: Connection,
        attack: Attack,
        statement: sql.Composed,
        check: Callable[[], bool],
    ) -> Ended:
        quiet = NO_EFFECT in attack.expect
        try:
            if not attack.alone:
                session.execute("BEGIN")
            before = session.execute(_SHARED_GRANTS).fetchall() if quiet else None
            session.execute(statement)
            if not quiet:
                return Ended(SUCCEEDED)
            if session.execute(_SHARED_GRANTS).fetchall() != before:
                return Ended(SUCCEEDED, "it changed the grants that all databases share")
            return Ended(NO_EFFECT) if check() else Ended(SUCCEEDED, "prod felt it")
        except psycopg.Error as error:
            if session.closed or error.sqlstate is None:
                session.close()
                return Ended(LOST, _first_line(error))
            return Ended(error.sqlstate, _first_line(error))
        finally:
            if not session.closed and session.info.transaction_status != TransactionStatus.IDLE:
                session.execute("ROLLBACK")


def _first_line(error: psycopg.Error) -> str:
    return error.diag.message_primary or str(error).partition("\n")[0]
