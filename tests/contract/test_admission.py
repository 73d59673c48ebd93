"""The admission policy: the harness may pause and re-arm its Application, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.deadlines import eventually
from tests.contract.cluster import SOON, Applications, refusal
from tests.contract.test_access import harness, names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubernetes.client import ApiClient

    from harness import manifests
    from tests.contract.cluster import Cluster

__all__ = ["harness", "names"]

_SOURCE = {"repoURL": "https://git.invalid/evil"}

FORBIDDEN: dict[str, dict[str, Any]] = {
    "source": {"spec": {"source": _SOURCE}},
    "a new part of spec": {"spec": {"syncPolicy": {"retry": {"limit": 1}}}},
    "project": {"spec": {"project": "other"}},
    "operation": {"operation": {"sync": {"revision": "evil"}}},
    "status": {"status": {"sync": {"status": "Synced"}}},
    "finalizer": {"metadata": {"finalizers": ["resources-finalizer.argocd.argoproj.io"]}},
    "label": {"metadata": {"labels": {"a": "b"}}},
    "annotation": {"metadata": {"annotations": {"argocd.argoproj.io/skip-reconcile": "true"}}},
    "another's annotation removed": {"metadata": {"annotations": {"kept": None}}},
    "owner": {
        "metadata": {
            "ownerReferences": [{"apiVersion": "v1", "kind": "Secret", "name": "x", "uid": "x"}]
        }
    },
}

ALLOWED: dict[str, dict[str, Any]] = {
    "pause": {
        "metadata": {
            "annotations": {
                "sandbox-lifecycle.dev/journal": "{}",
                "argocd.argoproj.io/refresh": "normal",
            }
        },
        "spec": {"syncPolicy": {"automated": {"enabled": False}}},
    },
    "pause on old definitions": {"spec": {"syncPolicy": {"automated": None}}},
    "no sync policy at all": {"spec": {"syncPolicy": None}},
    "nothing": {"metadata": {"labels": {"never-there": None}}},
}


@pytest.fixture
def applications(
    cluster: Cluster, harness: ApiClient, names: manifests.Names
) -> Iterator[Applications]:
    """The Application as the harness sees it, with the policy in force."""
    if not cluster.enforces_admission:
        pytest.skip("admission policies are not enforced here")
    admin = Applications(cluster.admin, names.argocd_namespace)
    admin.patch({"metadata": {"annotations": {"kept": "1"}}})
    applications = Applications(harness, names.argocd_namespace)

    def in_force() -> None:
        refusal(422, applications.patch, FORBIDDEN["source"], dry_run="All")

    eventually(in_force, SOON)
    return applications


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_harness_may_not_change(applications: Applications, what: str) -> None:
    body = refusal(422, applications.patch, FORBIDDEN[what], dry_run="All")
    assert "the harness may change no" in body["message"] or "may not change" in body["message"]


@pytest.mark.parametrize("what", ALLOWED)
def test_the_harness_may_change(applications: Applications, what: str) -> None:
    applications.patch(ALLOWED[what], dry_run="All")


def test_pause_and_re_arming_are_allowed_in_earnest(applications: Applications) -> None:
    before = applications.get()["spec"]["syncPolicy"]
    applications.patch(ALLOWED["pause"])
    annotations = {"sandbox-lifecycle.dev/journal": None, "argocd.argoproj.io/refresh": None}
    applications.patch(
        {
            "metadata": {"annotations": annotations},
            "spec": {"syncPolicy": {"automated": {"enabled": None}}},
        }
    )
    assert applications.get()["spec"]["syncPolicy"] == before
    applications.patch(ALLOWED["pause on old definitions"])
    applications.patch({"spec": {"syncPolicy": before}})
    assert applications.get()["spec"]["syncPolicy"] == before


def test_others_are_not_bound_by_it(
    cluster: Cluster, applications: Applications, names: manifests.Names
) -> None:
    assert applications
    Applications(cluster.admin, names.argocd_namespace).patch(FORBIDDEN["source"])
