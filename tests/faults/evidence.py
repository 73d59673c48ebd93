"""What is true after a fault: asked of the servers and of the machine, not of the harness."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from harness.deadlines import Deadline, eventually
from harness.errors import LifecycleError
from harness.lifecycle.compare import differences_from_golden, prod_now, sandbox_now
from harness.lifecycle.status import status
from harness.postgres.connection import APPLICATION
from harness.postgres.difference import differences
from harness.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.local.platform import LocalPlatform
    from harness.settings import Settings

SOON = Deadline(120, "seconds on an idle machine; a busy one restores a golden copy meanwhile")

_SESSIONS = "SELECT application_name FROM pg_stat_activity WHERE application_name LIKE %s"
# What changes the content of the sandbox; the other sessions of a run read, or hold its lock.
_WRITING_RUNS = """
SELECT coalesce(array_agg(DISTINCT split_part(application_name, '/', 2)), '{}')
FROM pg_stat_activity
WHERE application_name LIKE %s
  AND split_part(application_name, '/', 3) IN ('wipe', 'restore', 'pg_restore')
"""


def fails(code: int, action: Callable[[], object], *words: str) -> LifecycleError:
    """The error of an action that must fail with this exit code, and name these words."""
    with pytest.raises(LifecycleError) as caught:
        action()
    error = caught.value
    assert error.exit_code == code, error
    told = "\n".join([str(error), *getattr(error, "__notes__", ())])
    assert [word for word in words if word not in told] == [], told
    assert error.found, told
    assert error.expected, told
    assert error.remedy, told
    return error


def content(settings: Settings) -> str:
    """What the sandbox is marked as."""
    return status(settings, Silent()).content


def assert_golden(settings: Settings) -> None:
    """The sandbox holds the last golden copy and says so."""
    assert list(map(str, differences_from_golden(settings))) == []
    assert content(settings) == "complete"


@contextmanager
def prod_unchanged(settings: Settings) -> Iterator[None]:
    """Prod holds afterwards what it held before."""
    before = prod_now(settings)
    yield
    assert list(map(str, differences(before, prod_now(settings), grants=True))) == []


@contextmanager
def sandbox_unchanged(settings: Settings) -> Iterator[None]:
    """The sandbox holds afterwards what it held before, marked as it was before."""
    before, marked = sandbox_now(settings), mark(settings)
    yield
    assert list(map(str, differences(before, sandbox_now(settings), grants=True))) == []
    assert mark(settings) == marked


def mark(settings: Settings) -> tuple[str, ...]:
    """What the sandbox is marked as, what it is said to hold, and since when."""
    found = status(settings, Silent())
    return found.content, found.source, found.since


def assert_nothing_left(platform: LocalPlatform, run: str = "") -> None:
    """No session of a run (default: of any) on the server, no dump of prod on the disk."""

    def gone() -> None:
        assert sessions(platform, run) == []

    eventually(gone, SOON)
    work = platform.settings.tools.work_directory
    assert work is not None
    assert list(work.iterdir()) == []


def sessions(platform: LocalPlatform, run: str = "") -> list[str]:
    """Names of the sessions of one run, or of all."""
    with psycopg.connect(platform.superuser.conninfo) as connection:
        found = connection.execute(_SESSIONS, (f"{APPLICATION}/{run}%",)).fetchall()
    return sorted(name for (name,) in found)


def client_tools(run: str) -> list[int]:
    """Processes of this machine that carry the run in their environment: its client tools."""
    carried = f"PGAPPNAME={APPLICATION}/{run}/".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if carried in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue  # it has just ended, or is somebody else's
    return found


@contextmanager
def one_writer(platform: LocalPlatform) -> Iterator[None]:
    """While the block runs, no two runs have sessions that change the sandbox, at any look."""
    seen: list[Any] = []
    over = Event()

    def look() -> None:
        with psycopg.connect(platform.superuser.conninfo, autocommit=True) as connection:
            while not over.wait(0.005):
                row = connection.execute(_WRITING_RUNS, (f"{APPLICATION}/%",)).fetchone()
                seen.append(row[0] if row else None)

    watcher = Thread(target=look)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
    assert [runs for runs in seen if len(runs) > 1] == []
    assert any(seen), "nobody was seen to write at all"
