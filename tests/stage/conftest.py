"""The real cluster, for tests that are asked for: it takes root, two gigabytes and minutes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.stage import cluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ASKED_FOR = "STAGE"


@pytest.fixture(scope="session")
def asked_for() -> None:
    """Skip, unless the real cluster was asked for; what needs it uses this."""
    if not os.environ.get(_ASKED_FOR):
        pytest.skip(f"starts a real cluster, as root: {_ASKED_FOR}=1 pytest tests/stage")


@pytest.fixture(scope="module")
def stage(asked_for: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[cluster.Stage]:  # noqa: ARG001
    """A stage for the tests of one module; there is one on a machine, and others start theirs."""
    with cluster.running(_short(tmp_path_factory)) as stage:
        yield stage


@pytest.fixture
def directory(asked_for: None, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ARG001
    """A place for a stage that the test starts itself."""
    return _short(tmp_path_factory)


def _short(factory: pytest.TempPathFactory) -> Path:
    # Below pytest's own, whose names grow with every test's, a socket's path would be too long.
    return factory.getbasetemp() / "stage"
