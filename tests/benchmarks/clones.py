"""The sandbox's database cloned from a template, as a user with a superuser's login would do it.

A clone needs CREATEDB and the name to be free: every session on the database is ended, and the old
database renamed or dropped. Renaming is the faster of the two, so it is what is measured; dropping
the old database is off the clock, though somebody has to do it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from psycopg import sql

from harness.local.marks import POOLER
from harness.sides import Sandbox
from tests.benchmarks.server import superuser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal, LiteralString

    from harness.local.platform import LocalPlatform
    from tests.benchmarks.server import Connection

    Strategy = Literal["FILE_COPY", "WAL_LOG"]

_CLAUSES: dict[Strategy, sql.SQL] = {
    "FILE_COPY": sql.SQL("STRATEGY FILE_COPY"),
    "WAL_LOG": sql.SQL("STRATEGY WAL_LOG"),
}
# Before, every clone is a copy of the files.
_HAS_STRATEGIES = 150000
_TEMPLATE = "benchmark-golden"
_FRESH = "benchmark-fresh"
_ASIDE = "benchmark-aside"
_END_SESSIONS = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s
"""
_COMMENT = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"


class Clones:
    """A template that holds the golden content, and clones of it in the sandbox's place."""

    def __init__(self, platform: LocalPlatform) -> None:
        sandbox = Sandbox.of(platform.settings)
        self._platform = platform
        self._name = sandbox.login.database
        self._owner = sandbox.owner_role

    @property
    def strategies(self) -> tuple[Strategy, ...]:
        """The strategies of cloning that the server has."""
        with superuser(self._platform) as session:
            by_choice = session.info.server_version >= _HAS_STRATEGIES
        return tuple(_CLAUSES) if by_choice else ("FILE_COPY",)

    def make_template(self) -> None:
        """Keep the sandbox's database, as it is now, as the template."""
        with superuser(self._platform) as session:
            self._clone(session, self._name, _TEMPLATE, "FILE_COPY")

    def take_place(self, strategy: Strategy) -> None:
        """Put a clone in the sandbox's place, and the old database aside: what a reset would be."""
        with superuser(self._platform) as session:
            self._clone(session, _TEMPLATE, _FRESH, strategy)
            (comment,) = session.execute(_COMMENT, (self._name,)).fetchone() or (None,)
            session.execute(_END_SESSIONS, (self._name,))
            _rename(session, self._name, _ASIDE)
            _rename(session, _FRESH, self._name)
            # What a clone does not take along: who may connect, and the comment.
            for statement in (
                "REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC",
                "GRANT CONNECT ON DATABASE {} TO {pooler}",
                "COMMENT ON DATABASE {} IS {comment}",
            ):
                _on(
                    session,
                    statement,
                    self._name,
                    pooler=sql.Identifier(POOLER),
                    comment=sql.Literal(comment),
                )

    def give_back(self) -> None:
        """Drop the clone in the sandbox's place, and put the old database back."""
        with superuser(self._platform) as session:
            _on(session, "DROP DATABASE {} WITH (FORCE)", self._name)
            _rename(session, _ASIDE, self._name)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """A clone in the sandbox's place for the length of the block, for what destroys it."""
        self.take_place("FILE_COPY")
        try:
            yield
        finally:
            self.give_back()

    @contextmanager
    def beside(self, name: str) -> Iterator[str]:
        """A clone under a name of its own for the length of the block."""
        with superuser(self._platform) as session:
            self._clone(session, _TEMPLATE, name, "FILE_COPY")
            try:
                yield name
            finally:
                _on(session, "DROP DATABASE {} WITH (FORCE)", name)

    def _clone(self, session: Connection, source: str, name: str, strategy: Strategy) -> None:
        by_choice = session.info.server_version >= _HAS_STRATEGIES
        _on(
            session,
            "CREATE DATABASE {} OWNER {owner} TEMPLATE {source} {strategy}",
            name,
            owner=sql.Identifier(self._owner),
            source=sql.Identifier(source),
            strategy=_CLAUSES[strategy] if by_choice else sql.SQL(""),
        )


def _rename(session: Connection, before: str, after: str) -> None:
    _on(session, "ALTER DATABASE {} RENAME TO {after}", before, after=sql.Identifier(after))


def _on(
    session: Connection, statement: LiteralString, database: str, **values: sql.Composable
) -> None:
    session.execute(sql.SQL(statement).format(sql.Identifier(database), **values))
