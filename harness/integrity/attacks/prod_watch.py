"""Prod on a twin while it is attacked: a session of its own that works, listens and must live."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from harness.postgres.connection import one

if TYPE_CHECKING:
    from contextlib import ExitStack

    from harness.integrity.twin.server import Twin

_WRITING = "BEGIN; SELECT pg_catalog.pg_current_xact_id()"
_ENDED = "a session of prod's was ended"
_NOTIFIED = "prod was notified"


class ProdWatch:
    """An ordinary session of prod's, opened anew when it was ended.

    Args:
        twin: The twin.
        undo: Closes it.
    """

    def __init__(self, twin: Twin, undo: ExitStack) -> None:
        self._twin = twin
        self._undo = undo
        self._open()

    def pid(self) -> sql.Literal:
        """Its process, as attempts name it."""
        return sql.Literal(self._session.info.backend_pid)

    def holds(self, question: str | None) -> bool:
        """Whether a question to prod is answered by true; no question, nothing to object."""
        if question is None:
            return True
        return bool(one(self._session, sql.SQL(question))[0])

    def cannot_write(self) -> str | None:
        """Why it can no longer begin to write; None where it can."""
        try:
            self._session.execute(_WRITING)
        except psycopg.Error as error:
            return error.diag.message_primary
        finally:
            self._session.execute("ROLLBACK")
        return None

    def harm(self) -> list[str]:
        """What became of it since it was asked last."""
        try:
            self._session.execute("SELECT 1")
        except psycopg.OperationalError:
            self._session.close()
            self._open()
            return [_ENDED]
        return [_NOTIFIED for _ in self._session.notifies(timeout=0)][:1]

    def _open(self) -> None:
        self._session = self._undo.enter_context(self._twin.prod_session())
        self._session.execute("LISTEN prod")
