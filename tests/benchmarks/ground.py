"""What all ways back are measured on: one sandbox with its golden copy, and work to undo in it."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from harness.errors import FailedError
from harness.golden.store import GoldenStore
from harness.postgres.connection import Run, load_sql
from harness.postgres.difference import differences
from harness.postgres.fingerprint import fingerprint_of
from harness.sides import Sandbox
from tests.benchmarks.server import write_checkpoint
from tests.reset.pooled import idle_pool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import sql

    from harness.golden.store import Generation
    from harness.local.platform import LocalPlatform
    from harness.settings import Settings
    from tests.benchmarks.clones import Clones
    from tests.benchmarks.server import Connection

REHEARSAL = load_sql(__package__, "rehearsal.sql")
# As many as PgBouncer keeps open for one user and database by default (default_pool_size).
_POOL = 20


@dataclass(frozen=True, slots=True)
class Ground:
    """One sandbox with its golden copy.

    Args:
        platform: The platform.
        clones: Clones of the golden content.
    """

    platform: LocalPlatform
    clones: Clones

    @property
    def settings(self) -> Settings:
        """The target."""
        return self.platform.settings

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox."""
        return Sandbox.of(self.settings)

    @property
    def golden(self) -> Generation:
        """The golden copy that every way goes back to.

        Raises:
            FailedError: There is none, or it is damaged.
        """
        golden = self.settings.golden
        latest = GoldenStore(golden.directory, golden.generations).latest()
        if latest is None:
            raise FailedError("there is no golden copy to go back to")
        return latest

    def rehearse(
        self, work: sql.SQL | sql.Composed = REHEARSAL, session: Connection | None = None
    ) -> None:
        """Do the work of a rehearsal as the application; the server has nothing else to write.

        Args:
            work: What is done.
            session: In which session; default: one that ends with the work.
        """
        write_checkpoint(self.platform)
        with ExitStack() as stack:
            (session or stack.enter_context(self._application())).execute(work)

    def rehearse_pooled(self, stack: ExitStack) -> None:
        """Rehearse through a PgBouncer whose idle connections stay open as long as the stack."""
        pool = stack.enter_context(idle_pool(self.sandbox.application, _POOL))
        with psycopg.connect(pool.login.conninfo, autocommit=True) as session:
            self.rehearse(session=session)

    def refuse_other_content(self) -> None:
        """Compare the sandbox with the golden copy: a way back that loses something is no measure.

        Raises:
            FailedError: It is not the same.
        """
        found = fingerprint_of(self.sandbox, Run(), self.settings)
        lost = differences(self.golden.manifest.fingerprint, found, grants=False)
        if lost:
            raise FailedError(
                "a way back left other content than the golden copy's",
                found=f"{len(lost)} differences, {lost[0]} among them",
                expected="the same content",
            )

    @contextmanager
    def _application(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        login = self.sandbox.application
        with psycopg.connect(login.conninfo, autocommit=True) as session:
            yield session
