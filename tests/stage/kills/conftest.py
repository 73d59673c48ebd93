"""One stage with a platform for all that is done by Jobs on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.stage import cluster, platform
from tests.stage.kills.command import guarded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stage.kills.ground import Ground
    from tests.stage.stage import Stage


@pytest.fixture(scope="package")
def platform_stage(
    asked_for: None,  # noqa: ARG001  whether it is wanted at all
) -> Iterator[Stage]:
    """A stage with prod and sandbox, where its server's user can reach it."""
    with platform.running(cluster.DEFAULT_DIRECTORY) as stage:
        yield stage


@pytest.fixture(scope="package")
def ground(platform_stage: Stage) -> Iterator[Ground]:
    """Its sandbox, watched over."""
    with guarded(platform_stage) as ground:
        yield ground
