"""The clusters that rights are taken away in.

Always the local one. Also a real one where `PRIVILEGES_KUBECONFIG` names a way in as its
administrator, `PRIVILEGES_CONFIG` the settings of a target in it, on which the manifests are
applied, and `PRIVILEGES_AUDIT` its API server's audit log. Its sandbox is refreshed, reset, and
left with a golden copy of prod.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.lifecycle.checkpoint import checkpoint
from harness.lifecycle.refresh import refresh_from_prod
from harness.manifests.told import told_to_pods
from harness.progress import Silent
from harness.settings import Settings
from tests.recovery.tiny import tiny_platform

from .ground import Ground
from .log import allowed

if TYPE_CHECKING:
    from collections.abc import Iterator

_ADMINISTRATOR, _TARGET = "PRIVILEGES_KUBECONFIG", "PRIVILEGES_CONFIG"
_LOG = "PRIVILEGES_AUDIT"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "ground" in metafunc.fixturenames:
        given = os.environ.get(_ADMINISTRATOR)
        kinds = ["local", *(["given"] if given else [])]
        metafunc.parametrize("ground", kinds, indirect=True, scope="package")


@pytest.fixture(scope="package")
def ground(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    """A sandbox with a golden copy, and the administrator of its cluster."""
    folder = tmp_path_factory.mktemp("privileges")
    if request.param == "given":
        settings = Settings.live(Path(os.environ[_TARGET]))
        log = Path(os.environ[_LOG])
        ground = Ground(settings, Path(os.environ[_ADMINISTRATOR]), folder, partial(allowed, log))
        _prepare(settings)
        yield ground
        ground.close()
        return
    with tiny_platform(shadow=False) as platform:
        local, settings = platform.cluster, platform.settings
        assert local is not None
        local.tell(told_to_pods(settings, kubeconfig=settings.cluster.kubeconfig))  # type: ignore[union-attr]
        ground = Ground(
            settings,
            local.control.kubeconfig,
            folder,
            lambda: local.control.order("audit")["allowed"],
        )
        _prepare(settings)
        yield ground
        ground.close()


def _prepare(settings: Settings) -> None:
    refresh_from_prod(settings, Silent())
    checkpoint(settings, Silent())
