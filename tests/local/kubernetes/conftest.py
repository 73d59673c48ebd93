"""Stand-ins for the tests: one that is shared, and one of the test's own where it is to die."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from kubernetes.client import AppsV1Api, CoreV1Api

from harness.local.kubernetes import launch
from tests.contract.cluster import Applications, Cluster, close_connections

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.local.kubernetes.launch import StandIn

SPEED = 20


@pytest.fixture(scope="package")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """A stand-in for every test that leaves it as it was."""
    stand_in = launch.start(tmp_path_factory.mktemp("stand-in"), f"--speed={SPEED}")
    yield stand_in
    stand_in.stop()


@pytest.fixture(autouse=True)
def no_connection_is_left() -> Iterator[None]:
    """Every warning is an error here, and one of a forgotten socket would hit another test."""
    yield
    close_connections()


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Path]:
    """State of a stand-in that the test starts, kills and starts again."""
    state = tmp_path / "state"
    yield state
    found = launch.find(state)
    if found is not None:
        found.stop()


class Side:
    """The clients of one stand-in's administrator."""

    def __init__(self, stand_in: StandIn) -> None:
        self.cluster = Cluster(stand_in.kubeconfig, has_controllers=True, enforces_admission=False)
        self.core = CoreV1Api(self.cluster.admin)
        self.apps = AppsV1Api(self.cluster.admin)
        self.applications = Applications(self.cluster.admin, "argocd")

    def make_namespace(self, name: str) -> None:
        self.core.create_namespace({"metadata": {"name": name}})
