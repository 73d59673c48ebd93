"""The runner: what its identity in the cluster cannot do, and prod at work while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from pytest_bdd import then, when

from harness.cluster import client
from harness.lifecycle.compare import prod_now
from harness.lifecycle.refresh import refresh_from_prod
from harness.postgres.difference import differences
from harness.progress import Silent

if TYPE_CHECKING:
    from harness.postgres.fingerprint import Fingerprint
    from harness.settings import Settings
    from steps.people import Traffic

# Whatever ends in a pod.
_WORKLOADS = {
    "": ("pods", "podtemplates", "replicationcontrollers"),
    "apps": ("daemonsets", "deployments", "replicasets", "statefulsets"),
    "batch": ("cronjobs", "jobs"),
}

# What a platform engineer calls it, and how RBAC does: verb, group, kind and part of it.
_IN_PRODS_NAMESPACE = {
    "scale its application": (
        ("patch", "apps", "deployments", "scale"),
        ("update", "apps", "deployments", "scale"),
    ),
    "delete its application": (("delete", "apps", "deployments", ""),),
    "run anything beside it": tuple(
        ("create", group, kind, "") for group, kinds in _WORKLOADS.items() for kind in kinds
    ),
    "read its Secrets": (("get", "", "secrets", ""), ("list", "", "secrets", "")),
    "enter its pods": (("create", "", "pods", "exec"), ("get", "", "pods", "exec")),
}
_ON_PRODS_APPLICATION = {
    "change its Application in Argo CD": ("patch", "update"),
    "delete its Application in Argo CD": ("delete",),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the harness's identity may do to prod.

    Args:
        may: Whether it may do what is named.
    """

    may: dict[str, bool]

    @classmethod
    def of(cls, settings: Settings) -> Asked:
        """Ask the cluster."""
        if settings.cluster is None:
            pytest.skip("nobody runs an application on this target: no [cluster] in its settings")
        names = settings.cluster
        with client.connect(names, settings.deadlines) as cluster:
            can = cluster.access.can
            may = {
                what: any(
                    can(verb, group, kind, names.prod_namespace, subresource=part)
                    for verb, group, kind, part in rights
                )
                for what, rights in _IN_PRODS_NAMESPACE.items()
            }
            application = ("argoproj.io", "applications", names.argocd_namespace)
            may |= {
                what: any(can(verb, *application, names.prod_application) for verb in verbs)
                for what, verbs in _ON_PRODS_APPLICATION.items()
            }
            return cls(may)


@dataclass(frozen=True, slots=True)
class Written:
    """What prod's application wrote while a refresh ran.

    Args:
        events: Ids of the events in the agenda, one row each.
    """

    events: list[int]


@when("it is asked what the harness's identity may do in the cluster", target_fixture="asked")
def ask(settings: Settings) -> Asked:
    return Asked.of(settings)


@then("it may do none of this to prod")
def may_do_none(asked: Asked, datatable: list[list[str]]) -> None:
    assert [what for (what,) in datatable[1:] if asked.may[what]] == []


@when("the sandbox is refreshed while prod's application goes on writing", target_fixture="written")
def refresh_under_traffic(settings: Settings, prod_traffic: Traffic) -> Written:
    with prod_traffic:
        refresh_from_prod(settings, Silent())
    return Written(prod_traffic.events)


@then("prod has changed by what its application wrote, and by nothing else")
def changed_by_application(settings: Settings, prod_before: Fingerprint, written: Written) -> None:
    now = prod_now(settings)
    changed = {f"{item.kind} {item.name}" for item in differences(prod_before, now, grants=True)}
    assert changed == {"rows llx_actioncomm", "sequence value llx_actioncomm_id_seq"}
    more = now.rows["llx_actioncomm"].count - prod_before.rows["llx_actioncomm"].count
    assert more == len(written.events) > 0
