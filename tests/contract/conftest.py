"""The API servers that the contract is checked on.

Always the stand-in; a kube-apiserver with etcd where `KUBEBUILDER_ASSETS` names a directory that
has them; a whole cluster where `CONTRACT_KUBECONFIG` names a way in as its administrator.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from kubernetes.client import ApiextensionsV1Api, CoreV1Api
from kubernetes.client.exceptions import ApiException

from harness.deadlines import eventually
from harness.local.kubernetes import launch
from tests.contract.apiserver import ASSETS, running_apiserver
from tests.contract.cluster import SOON, Cluster, close_connections

if TYPE_CHECKING:
    from collections.abc import Iterator

_GIVEN = "CONTRACT_KUBECONFIG"
_DEFINITION = Path(__file__).with_name("application-definition.yaml")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "cluster" in metafunc.fixturenames:
        kinds = ["stand-in"]
        kinds += ["kube-apiserver"] if os.environ.get(ASSETS) else []
        kinds += ["cluster"] if os.environ.get(_GIVEN) else []
        metafunc.parametrize("cluster", kinds, indirect=True, scope="package")


@pytest.fixture(scope="package")
def cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """An API server and its administrator."""
    directory = tmp_path_factory.mktemp(request.param)
    if request.param == "stand-in":
        stand_in = launch.start(directory / "state", "--speed=60")
        try:
            yield Cluster(
                stand_in.kubeconfig,
                has_controllers=True,
                enforces_admission=False,
                forget_history=lambda: stand_in.order("compact"),
            )
        finally:
            stand_in.stop()
    elif request.param == "kube-apiserver":
        with running_apiserver(directory) as kubeconfig:
            served = Cluster(kubeconfig, has_controllers=False, enforces_admission=True)
            _define_application(served)
            yield served
    else:
        yield Cluster(
            Path(os.environ[_GIVEN]),
            has_controllers=True,
            enforces_admission=True,
            fills_namespaces=True,
        )


def _define_application(cluster: Cluster) -> None:
    definition = yaml.safe_load(_DEFINITION.read_text())
    ApiextensionsV1Api(cluster.admin).create_custom_resource_definition(definition)
    cluster.await_applications()


@pytest.fixture(autouse=True)
def no_connection_is_left() -> Iterator[None]:
    """Every warning is an error here, and one of a forgotten socket would hit another test."""
    yield
    close_connections()


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace of the test's own; what is in it goes with it."""
    core = CoreV1Api(cluster.admin)
    name = f"contract-{secrets.token_hex(4)}"
    core.create_namespace({"metadata": {"name": name}})
    if cluster.fills_namespaces:
        # Else its coming would be one more event of any watch.
        eventually(lambda: core.read_namespaced_config_map("kube-root-ca.crt", name), SOON)
    yield name
    try:
        core.delete_namespace(name)
    except ApiException as error:
        if error.status != 404:
            raise
