"""A platform of these tests' own, with a golden copy that differs from prod."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from harness.dolibarr.rehearsal import rename_company
from harness.lifecycle.checkpoint import checkpoint
from harness.lifecycle.refresh import refresh_from_prod
from harness.lifecycle.reset import reset
from harness.lifecycle.status import status
from harness.postgres.connection import load_sql
from harness.progress import Silent
from harness.sides import Sandbox
from tests.recovery.tiny import TinyProd, tiny_platform

from .held import HeldRun, hold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.local.layout import Layout
    from harness.local.platform import LocalPlatform
    from harness.local.runs import LocalRun
    from harness.local.servers import LocalServer
    from harness.progress import Progress
    from harness.settings import Settings

_VARIED = load_sql(__package__, "varied.sql")


class VariedProd(TinyProd):
    """A few tables more, and something of every kind that a copy can lose."""

    def fill(self, server: LocalServer, logins: Layout, run: LocalRun, progress: Progress) -> None:
        super().fill(server, logins, run, progress)
        with psycopg.connect(logins.prod.conninfo) as connection:
            connection.execute(_VARIED)
        with server.connect() as superuser:
            # After a crash a sequence may go on up to 32 numbers later than where it was left, but
            # not from where a checkpoint has seen it.
            superuser.execute("CHECKPOINT")


@contextmanager
def ready_platform() -> Iterator[LocalPlatform]:
    """A platform whose sandbox was refreshed, changed and checkpointed."""
    with tiny_platform(cluster=False, shadow=False, prod=VariedProd()) as platform:
        settings = platform.settings
        refresh_from_prod(settings, Silent())
        # From here on golden content and prod's cannot be taken for one another.
        rename_company(Sandbox.of(settings), "Répétition SARL", settings.deadlines)
        checkpoint(settings, Silent())
        yield platform


@pytest.fixture(scope="package")
def platform() -> Iterator[LocalPlatform]:
    """One for all tests, since each leaves it as good as it was."""
    with ready_platform() as platform:
        yield platform


@pytest.fixture
def settings(platform: LocalPlatform) -> Iterator[Settings]:
    """The target's settings; what a test has left incomplete is made good after it."""
    yield platform.settings
    if status(platform.settings, Silent()).content != "complete":
        reset(platform.settings, Silent())


@pytest.fixture
def superuser(
    platform: LocalPlatform,
) -> Iterator[Callable[[str], psycopg.Connection[tuple[Any, ...]]]]:
    """Opens a superuser's session, in autocommit, on the database named."""
    with ExitStack() as stack:
        yield lambda database: stack.enter_context(
            psycopg.connect(platform.superuser.conninfo, dbname=database, autocommit=True)
        )


@pytest.fixture
def held(platform: LocalPlatform, tmp_path: Path) -> Iterator[Callable[..., HeldRun]]:
    """Starts the command in a process of its own, and holds it at one place of its work."""
    with ExitStack() as stack:

        def start(settings: Settings, verb: str, place: str) -> HeldRun:
            return stack.enter_context(hold(platform, settings, verb, place, tmp_path))

        yield start
