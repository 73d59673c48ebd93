"""Plays a rehearsal: several sessions of one thread, some with a past, some that stay."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

import psycopg
from psycopg.pq import TransactionStatus

from .decorations import COMMON
from .rehearsals import IDLE, MAIN, OLD, READER

if TYPE_CHECKING:
    from types import TracebackType

    from .ground import Ground, Session
    from .rehearsals import Block, Example


def lay(ground: Ground, example: Example) -> None:
    """Lay the schema and its rows; a row that does not fit is left out."""
    schema = example.schema
    ground.lay(
        COMMON,
        *(table.creation for table in schema.tables),
        *(statement for table in schema.tables for statement in table.additions),
        *schema.foreign_keys,
    )
    with ground.application() as session:
        for statement in schema.rows:
            attempt(session, statement)
        for table in schema.tables:
            for statement in table.triggers:
                session.execute(statement)
        for statement in (*schema.late, *schema.extras):
            session.execute(statement)


def attempt(session: Session, statement: str) -> bool:
    """Execute a statement that need not succeed; True if it did."""
    try:
        session.execute(statement)
    except psycopg.Error:
        return False
    return True


class Players:
    """The sessions of one rehearsal; those with a past are opened with it.

    Args:
        ground: The sandbox.
        example: What is played.
    """

    def __init__(self, ground: Ground, example: Example) -> None:
        self._ground = ground
        self._example = example
        self._stack = ExitStack()
        self._sessions: dict[str, Session] = {}
        self._late: tuple[Session, str] | None = None

    def __enter__(self) -> Self:
        for each in self._example.sessions:
            session = self._open(each)
            if each == OLD:
                session.execute("BEGIN")
                session.execute("SELECT pg_current_xact_id()")
            elif each == READER:
                session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
                session.execute("SELECT count(*) FROM public.llx_const")
            else:
                assert each == IDLE
                session.execute("SELECT 1")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every session."""
        self._stack.close()
        self._sessions.clear()

    @property
    def are_open(self) -> bool:
        """Whether any of them is still there."""
        return bool(self._sessions)

    def play(self) -> int:
        """Do everything; return how many statements succeeded.

        Afterwards no transaction is open that has written anything.
        """
        self._open(MAIN)
        succeeded = 0
        for block in self._example.blocks:
            before, self._late = self._late, None
            succeeded += self._play(block)
            if before is not None:
                attempt(*before)
        if self._late is not None:
            attempt(*self._late)
            self._late = None
        for name, session in self._sessions.items():
            if name != READER and session.info.transaction_status != TransactionStatus.IDLE:
                attempt(session, "COMMIT")
        if not self._example.stay:
            self.close()
        return succeeded

    def _open(self, name: str) -> Session:
        session = self._stack.enter_context(self._ground.application("-c lock_timeout=20ms"))
        session.execute("SET lock_timeout = '20ms'")
        self._sessions[name] = session
        return session

    def _play(self, block: Block) -> int:
        session = self._sessions[block.session]
        if not block.end:
            return sum(attempt(session, statement) for statement in block.statements)
        if session.info.transaction_status == TransactionStatus.IDLE:
            session.execute("BEGIN")
        succeeded = 0
        for statement in block.statements:
            if not block.is_guarded:
                if not attempt(session, statement):
                    break
                succeeded += 1
                continue
            attempt(session, "SAVEPOINT guard")
            if attempt(session, statement):
                succeeded += 1
            else:
                attempt(session, "ROLLBACK TO guard")
        if block.is_late:
            self._late = session, block.end
        else:
            attempt(session, block.end)
        return succeeded
