"""A platform of these tests' own, with its cluster, whose golden copy differs from prod."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.dolibarr.rehearsal import rename_company
from harness.lifecycle.checkpoint import checkpoint
from harness.lifecycle.compare import differences_from_golden
from harness.lifecycle.refresh import refresh_from_prod
from harness.lifecycle.reset import reset
from harness.local.platform import LocalOptions, LocalPlatform, local_platform
from harness.progress import Silent
from harness.sides import Sandbox
from tests.pooler import pgbouncer

from .ground import ground as new_ground
from .pooled import idle_pool
from .server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .ground import Ground
    from .pooled import Pool


@pytest.fixture(scope="package")
def only_platform() -> Iterator[LocalPlatform]:
    """One for all tests: a sample prod, a sandbox with a company of its own, and the cluster."""
    options = LocalOptions(postgres="binaries", scale=0.05, durable=False)
    with local_platform(options, Silent()) as platform:
        settings = platform.settings
        refresh_from_prod(settings, Silent())
        rename_company(Sandbox.of(settings), "Répétition SARL", settings.deadlines)
        checkpoint(settings, Silent())
        yield platform


@pytest.fixture
def platform(only_platform: LocalPlatform) -> Iterator[LocalPlatform]:
    """The platform, its sandbox golden before each test and after it."""
    yield only_platform
    reset(only_platform.settings, Silent())
    assert list(map(str, differences_from_golden(only_platform.settings))) == []


@pytest.fixture
def pool(platform: LocalPlatform) -> Iterator[Pool]:
    """A PgBouncer before the sandbox, all its connections idle."""
    if pgbouncer() is None:
        pytest.skip("there is no pgbouncer on this machine (Debian: apt-get install pgbouncer)")
    with idle_pool(Sandbox.of(platform.settings).application) as pool:
        yield pool


@pytest.fixture(scope="package")
def ground() -> Iterator[Ground]:
    """A sandbox of a server without a cluster, to be laid by each test."""
    with new_ground() as found:
        yield found


@pytest.fixture(scope="package")
def shaky() -> Iterator[Ground]:
    """Another one, on a server that is killed and started again."""
    with new_ground() as found:
        yield found


@pytest.fixture(scope="package")
def server(shaky: Ground) -> Iterator[Server]:
    """That server."""
    found = Server(shaky.platform)
    yield found
    found.close()
