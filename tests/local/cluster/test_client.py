"""The way in: what is wrong with it is told before anything is changed, and nothing is guessed."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
import trustme
import yaml

from harness.cluster.errors import ForbiddenError, UnauthorizedError
from harness.errors import ConfigurationError
from tests.local.cluster.world import World, write_kubeconfig

if TYPE_CHECKING:
    from pathlib import Path


def refusal(world: World, **changed: Any) -> str:
    with pytest.raises(ConfigurationError) as caught, world.harness(**changed):
        pytest.fail("a way in was found")
    assert caught.value.exit_code == 2
    return str(caught.value)


def rewritten(world: World, tmp_path: Path, **cluster: Any) -> Path:
    path = tmp_path / "other.kubeconfig"
    admin = (world.stand_in.state / "admin.token").read_text()
    write_kubeconfig(world.stand_in, path, user={"token": admin}, cluster=cluster)
    return path


def test_the_harness_gets_in_with_its_own_kubeconfig(world: World) -> None:
    with world.harness() as cluster:
        assert cluster.lease.read().identity is None


def test_a_kubeconfig_that_is_not_there_is_named_and_no_other_is_tried(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(world.stand_in.kubeconfig))
    told = refusal(world, kubeconfig=tmp_path / "none")
    assert str(tmp_path / "none") in told
    assert "KUBECONFIG" in told


@pytest.mark.parametrize("content", ["", "[]", "{", "just a text", "{}", "clusters: 7"])
def test_a_file_that_is_no_kubeconfig_is_refused(
    world: World, tmp_path: Path, content: str
) -> None:
    path = tmp_path / "broken"
    path.write_text(content)
    assert str(path) in refusal(world, kubeconfig=path)


def test_a_context_that_is_not_in_the_kubeconfig_is_named(world: World) -> None:
    assert "elsewhere" in refusal(world, context="elsewhere")


def test_a_kubeconfig_without_a_current_context_needs_one_named(
    world: World, tmp_path: Path
) -> None:
    path = rewritten(world, tmp_path)
    content = yaml.safe_load(path.read_text())
    del content["current-context"]
    path.write_text(yaml.safe_dump(content))
    assert "context" in refusal(world, kubeconfig=path)
    with world.harness(kubeconfig=path, context="stand-in"):
        pass


def test_a_pods_account_is_not_to_be_had_outside_a_pod(world: World) -> None:
    assert "pod" in refusal(world, kubeconfig=None, in_cluster=True)


def test_an_expired_token_is_told_as_such(world: World, tmp_path: Path) -> None:
    path = tmp_path / "expired"
    write_kubeconfig(world.stand_in, path, user={"token": "a.b.c"})
    told = refusal(world, kubeconfig=path)
    assert "expired" in told
    assert "renew" in told


def test_a_token_that_expires_meanwhile_is_told_without_another_try(
    world: World,
) -> None:
    with world.harness() as cluster:
        world.fault("status", status=401)
        with pytest.raises(UnauthorizedError, match="does not know who asks to get deployments"):
            cluster.workload.read()


def test_an_api_that_nobody_serves_is_told_with_its_address(world: World, tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    told = refusal(world, kubeconfig=rewritten(world, tmp_path, server=f"https://127.0.0.1:{port}"))
    assert f"127.0.0.1:{port} does not answer" in told


def test_an_api_that_answers_too_slowly_is_given_up(world: World) -> None:
    world.fault("slow", seconds=1, times=9)
    assert "does not answer" in refusal(world)


def test_a_server_with_another_authoritys_certificate_gets_no_token(
    world: World, tmp_path: Path
) -> None:
    path = tmp_path / "authority.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    kubeconfig = rewritten(world, tmp_path)
    content = yaml.safe_load(kubeconfig.read_text())
    del content["clusters"][0]["cluster"]["certificate-authority-data"]
    content["clusters"][0]["cluster"]["certificate-authority"] = str(path)
    kubeconfig.write_text(yaml.safe_dump(content))
    told = refusal(world, kubeconfig=kubeconfig)
    assert "does not prove that it is the cluster meant" in told
    assert "certificate-authority" in told


@pytest.mark.parametrize(
    "cluster",
    [{"insecure-skip-tls-verify": True}, {"server": "http://api.invalid:8080"}],
    ids=["no verification", "no TLS"],
)
def test_a_server_that_need_not_prove_itself_is_refused(
    world: World, tmp_path: Path, cluster: dict[str, Any]
) -> None:
    told = refusal(world, kubeconfig=rewritten(world, tmp_path, **cluster))
    assert "would not have to prove" in told


def test_a_proxy_of_the_environment_is_not_asked_for_this_very_machine(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with world.harness():
        pass


def test_what_is_forbidden_is_named_by_verb_kind_name_and_namespace(world: World) -> None:
    prod = world.settings.prod_namespace
    with world.harness(namespace=prod) as cluster:
        with pytest.raises(ForbiddenError) as caught:
            cluster.workload.read()
        told = str(caught.value)
        assert f"may not get deployments.apps erp in namespace {prod}" in told
        assert "sandbox-lifecycle manifests" in told
        with pytest.raises(ConfigurationError, match="may not get deployments"):
            cluster.workload.refuse_autoscaled()
