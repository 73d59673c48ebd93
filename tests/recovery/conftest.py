"""One tiny platform for each process of the tests; every test finds it as the first one did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.lifecycle.checkpoint import checkpoint
from harness.lifecycle.compare import prod_now
from harness.lifecycle.refresh import refresh_from_prod
from harness.progress import Silent

from .place import POLICY, Place
from .tiny import tiny_platform
from .watching import Watcher

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.local.platform import LocalPlatform


@pytest.fixture(scope="package")
def platform() -> Iterator[LocalPlatform]:
    """A platform whose golden copy and prod cannot be taken for one another."""
    with tiny_platform(shadow=False) as platform:
        yield platform


@pytest.fixture(scope="package")
def only_place(platform: LocalPlatform, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The sandbox, refreshed, worked on and checkpointed."""
    settings = platform.settings
    place = Place(platform, tmp_path_factory.mktemp("recovery"), prod_now(settings))
    place.set_policy(POLICY)
    refresh_from_prod(settings, Silent())
    place.write_traffic()
    checkpoint(settings, Silent())
    return place


@pytest.fixture
def watcher(only_place: Place) -> Iterator[Watcher]:
    """What was seen of the Application during the test."""
    with Watcher(only_place.cluster) as watcher:
        yield watcher


@pytest.fixture
def place(only_place: Place) -> Iterator[Place]:
    """The sandbox as every test begins with it; prod is the same at the end."""
    yield only_place
    only_place.mend()
    only_place.assert_prod_unchanged()
