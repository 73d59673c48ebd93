"""A platform of these tests' own, with a golden copy that differs from prod."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from harness.dolibarr.rehearsal import rehearse
from harness.lifecycle.checkpoint import checkpoint
from harness.lifecycle.refresh import refresh_from_prod
from harness.lifecycle.reset import reset
from harness.lifecycle.status import status
from harness.local.platform import LocalOptions, LocalPlatform, local_platform
from harness.progress import Silent
from harness.sides import Sandbox

from .held import HeldRun, hold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.settings import Settings


@contextmanager
def ready_platform() -> Iterator[LocalPlatform]:
    """A platform whose sandbox was refreshed, rehearsed on and checkpointed."""
    with local_platform(
        LocalOptions(postgres="binaries", scale=0.05, cluster=False, shadow=False), Silent()
    ) as platform:
        with psycopg.connect(platform.superuser.conninfo, autocommit=True) as connection:
            # The processes are killed here, never the machine.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        settings = platform.settings
        refresh_from_prod(settings, Silent())
        # From here on golden content and prod's cannot be taken for one another.
        rehearse(Sandbox.of(settings), settings.deadlines)
        checkpoint(settings, Silent())
        yield platform


@pytest.fixture(scope="session")
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
