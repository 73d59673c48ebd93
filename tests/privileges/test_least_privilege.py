"""Each right that the manifests grant is needed, and is used; without it a run says which it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.errors import ConfigurationError, LifecycleError
from harness.lifecycle.checkpoint import checkpoint
from harness.lifecycle.job import run_as_job
from harness.lifecycle.recover import recover
from harness.lifecycle.refresh import refresh_from_prod
from harness.lifecycle.reset import reset
from harness.manifests import Names
from harness.progress import Silent

from .ground import Cell, Ground, cells

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.settings import Settings

_VERIFY = "verify"
SHIPPED = cells(Names("erp-sandbox", "dolibarr", "argocd", "erp-sandbox"))
OF_A_RUN = [cell for cell in SHIPPED if cell.role != "-jobs"]
OF_A_JOB = [cell for cell in SHIPPED if cell.role == "-jobs"]
# Where a run has died, the application is scaled to 0 already: no autoscaler starts it from there.
OF_A_RECOVERY = [cell for cell in OF_A_RUN if "horizontalpodautoscalers" not in str(cell)]
RUNS: dict[str, Callable[[Settings, Silent], object]] = {
    "refresh-from-prod": refresh_from_prod,
    "checkpoint": checkpoint,
    "reset": reset,
}


def test_there_are_as_few_as_are_written_down_here() -> None:
    assert sorted(map(str, SHIPPED)) == [
        "create jobs.batch",
        "create secrets",
        "delete jobs.batch by name",
        "get applications.argoproj.io by name",
        "get cronjobs.batch by name",
        "get deployments.apps by name",
        "get deployments/scale.apps by name",
        "get jobs.batch by name",
        "get leases.coordination.k8s.io by name",
        "get pods/log",
        "list horizontalpodautoscalers.autoscaling",
        "list pods",
        "list pods",
        "patch applications.argoproj.io by name",
        "patch deployments/scale.apps by name",
        "patch jobs.batch by name",
        "patch leases.coordination.k8s.io by name",
    ]


@pytest.mark.parametrize("cell", OF_A_RUN, ids=str)
@pytest.mark.parametrize("verb", RUNS)
def test_a_run_without_a_right_changes_nothing_and_names_it(
    ground: Ground, verb: str, cell: Cell
) -> None:
    with ground.without(cell), pytest.raises(ConfigurationError) as caught:
        RUNS[verb](ground.settings, Silent())
    assert cell.told in str(caught.value)
    assert "nothing has been changed" in str(caught.value)


@pytest.mark.parametrize("cell", OF_A_RECOVERY, ids=str)
def test_a_recovery_without_a_right_names_it_and_is_finished_when_it_is_there(
    ground: Ground, cell: Cell
) -> None:
    ground.die("refresh-from-prod", _VERIFY)
    with ground.without(cell), pytest.raises(LifecycleError) as caught:
        recover(ground.settings, Silent())
    assert cell.told in str(caught.value)
    done = recover(ground.settings, Silent())
    assert done.dead_run is not None
    assert done.content == "complete"


def by_job(ground: Ground, verb: str) -> dict[str, object]:
    own = ground.settings.in_cluster.model_copy(update={"hand_over": True})
    settings = ground.settings.model_copy(update={"in_cluster": own})
    return run_as_job(settings, verb, [], Silent(), lambda _line: None)


@pytest.mark.parametrize("cell", OF_A_JOB, ids=str)
def test_no_job_is_started_without_a_right_and_it_is_named(ground: Ground, cell: Cell) -> None:
    with ground.without(cell), pytest.raises(ConfigurationError) as caught:
        by_job(ground, "reset")
    assert cell.told in str(caught.value)
    assert "nothing has been changed" in str(caught.value)


def test_every_right_is_used_and_no_other_is(ground: Ground) -> None:
    """As the cluster's own record says it."""
    refresh_from_prod(ground.settings, Silent())
    reset(ground.settings, Silent())
    ground.die("refresh-from-prod", _VERIFY)
    recover(ground.settings, Silent())
    ground.checkpoint_by_job()
    for verb in ("refresh-from-prod", "reset", "recover"):
        assert by_job(ground, verb)
    assert used(ground) == granted(ground)


def granted(ground: Ground) -> set[str]:
    names = ground.names
    return {
        f"{names.starter if cell.role == '-jobs' else names.service_account} may {right}"
        for cell in cells(names)
        for right in cell.rights(
            names.argocd_namespace if cell.role == "-application" else names.sandbox_namespace
        )
    }


def used(ground: Ground) -> set[str]:
    names, found = ground.names, set()
    for each in ground.audit():
        account = each.pop("user").rpartition(":")[2]
        if account in {names.service_account, names.starter} and "review" not in each["resource"]:
            asked = Cell(
                role="",
                rule=0,
                verb=each["verb"],
                kinds=((each["group"], f"{each['resource']}/{each['subresource']}".rstrip("/")),),
                names=(each["name"],) if _is_named(each["resource"], each["subresource"]) else (),
            )
            (right,) = asked.rights(each["namespace"])
            found.add(f"{account} may {right}")
    return found


def _is_named(resource: str, subresource: str) -> bool:
    """Whether the rule about it names its object: a pod's name is known to nobody beforehand."""
    return (resource, subresource) != ("pods", "log")
