"""Stand-ins that run twenty times as fast as life, and a sandbox in them for each test."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from harness.local.kubernetes import launch
from tests.local.cluster.world import Admin, World, lay_out

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.local.kubernetes.launch import StandIn


@pytest.fixture(scope="package")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """The API of a cluster with a recent Argo CD."""
    started = launch.start(
        tmp_path_factory.mktemp("stand-in") / "state", "--speed=20", "--application-namespaces=*"
    )
    yield started
    started.stop()


@pytest.fixture(scope="package")
def old_stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """The API of a cluster whose Argo CD knows no `automated.enabled`."""
    state = tmp_path_factory.mktemp("old") / "state"
    started = launch.start(
        state, "--speed=20", "--application-namespaces=*", "--old-application-definition"
    )
    yield started
    started.stop()


@pytest.fixture(scope="package")
def admin(stand_in: StandIn) -> Iterator[Admin]:
    """Its administrator."""
    made = Admin(stand_in.kubeconfig)
    yield made
    made.client.close()


@pytest.fixture
def world(stand_in: StandIn, admin: Admin, tmp_path: Path) -> Iterator[World]:
    """A sandbox of the test's own, with nothing in it but what the manifests make."""
    made = lay_out(stand_in, admin, f"t{secrets.token_hex(3)}", tmp_path)
    yield made
    stand_in.order("faults")
    stand_in.order("git", reachable=True)


@pytest.fixture
def old_world(old_stand_in: StandIn, tmp_path: Path) -> Iterator[World]:
    """The same with an old Argo CD."""
    admin = Admin(old_stand_in.kubeconfig)
    yield lay_out(old_stand_in, admin, f"t{secrets.token_hex(3)}", tmp_path)
    admin.client.close()
