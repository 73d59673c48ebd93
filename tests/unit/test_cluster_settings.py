"""The settings of the cluster: one way in, and never prod's namespace or Application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import ConfigurationError
from harness.settings import Settings
from tests.unit.test_settings import values

if TYPE_CHECKING:
    from harness.settings.cluster import ClusterSettings


def cluster(**changed: Any) -> ClusterSettings:
    given = {
        "kubeconfig": "/etc/harness/kubeconfig",
        "argocd_namespace": "argocd",
        "application": "erp-sandbox",
        "namespace": "erp-sandbox",
        "deployment": "erp",
        "prod_namespace": "erp",
        "prod_application": "erp",
        **changed,
    }
    given = {name: value for name, value in given.items() if value is not ...}
    found = Settings.of(values() | {"cluster": given}, origin="a test").cluster
    assert found is not None
    return found


def refusal(**changed: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        cluster(**changed)
    return str(caught.value)


def test_a_target_without_a_cluster_has_none() -> None:
    assert Settings.of(values(), origin="a test").cluster is None


def test_what_has_a_good_default_may_be_left_out() -> None:
    found = cluster()
    assert (found.lease, found.lease_seconds) == ("sandbox-lifecycle", 60)
    assert (found.context, found.application_url) == (None, None)


@pytest.mark.parametrize(
    "name",
    [
        "argocd_namespace",
        "application",
        "namespace",
        "deployment",
        "prod_namespace",
        "prod_application",
    ],
)
def test_a_name_that_is_missing_is_named_and_not_guessed(name: str) -> None:
    assert f"cluster.{name}" in refusal(**{name: ...})


@pytest.mark.parametrize(
    "changed", [{"kubeconfig": ...}, {"in_cluster": True}], ids=["no way in", "two ways in"]
)
def test_there_is_exactly_one_way_in(changed: dict[str, Any]) -> None:
    assert "either kubeconfig or in_cluster" in refusal(**changed)


def test_a_context_without_a_kubeconfig_means_nothing() -> None:
    assert "context" in refusal(kubeconfig=..., in_cluster=True, context="erp")


@pytest.mark.parametrize("other", ["prod_namespace", "argocd_namespace"])
def test_the_sandboxs_namespace_is_nobody_elses(other: str) -> None:
    assert "neither prod's nor Argo CD's" in refusal(**{other: "erp-sandbox"})


def test_a_guarded_namespace_is_not_the_sandboxs() -> None:
    assert "nor a guarded one" in refusal(guarded_namespaces=["vault", "erp-sandbox"])
    assert cluster().guarded == ("erp", "argocd", "kube-system")
    assert cluster(guarded_namespaces=["erp", "vault"]).guarded == ("erp", "argocd", "vault")


def test_the_sandboxs_application_is_not_prods() -> None:
    assert "must not be prod's" in refusal(prod_application="erp-sandbox")


@pytest.mark.parametrize("name", ["", "Erp", "../erp", "erp/scale", "-erp"])
def test_a_name_that_no_object_can_have_is_refused(name: str) -> None:
    assert "cluster.deployment" in refusal(deployment=name)


@pytest.mark.parametrize("url", ["erp.example", "ftp://erp.example", "file:///etc/passwd"])
def test_the_application_is_asked_by_http(url: str) -> None:
    assert "cluster.application_url" in refusal(application_url=url)
