"""The verbs as Jobs of the shipped manifests, under their account, on a real cluster."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from harness.sides import Prod
from tests.stage.kills.ground import checkpoint
from tests.stage.kills.verbs import command

if TYPE_CHECKING:
    from tests.stage.kills.ground import Ground


def test_a_refresh_by_a_job_and_a_direct_one_achieve_the_same(ground: Ground) -> None:
    direct = command(ground, "refresh-from-prod")
    job = command(ground, "refresh-from-prod", "--job")
    assert (direct.code, job.code) == (0, 0), (direct, job)
    assert ground.content() == "prod"
    spent, by_job = (done.told["result"]["seconds"] for done in (direct, job))
    rows = [(phase, seconds, by_job[phase]) for phase, seconds in spent.items()]
    rows.append(("the whole command", direct.seconds, job.seconds))
    lines = (f"{phase:<42}{one:>8.2f}{other:>10.2f}" for phase, one, other in rows)
    sys.stdout.write("\n".join(["", f"{'seconds':<42}{'direct':>8}{'by a Job':>10}", *lines, ""]))


def test_a_reset_by_a_job_finds_the_golden_copy_on_the_volume(ground: Ground) -> None:
    done = command(ground, "reset", "--job")
    assert done.code == 0, done
    assert ground.content() == "golden"


def test_a_checkpoint_by_a_job_is_the_golden_copy_from_then_on(ground: Ground) -> None:
    checkpoint(ground.stage)
    assert ground.content() == "golden"


def test_a_recovery_by_a_job_finds_nothing_to_do(ground: Ground) -> None:
    done = command(ground, "recover", "--job")
    assert done.code == 0, done
    assert done.told["result"]["dead_run"] is None


def test_a_failure_is_the_failure_of_the_job(ground: Ground) -> None:
    """Its login is refused by the server meanwhile."""
    login = Prod.of(ground.settings).login.user
    with psycopg.connect(ground.platform.state["superuser"], autocommit=True) as server:
        refuse, admit = (
            psycopg.sql.SQL(text).format(psycopg.sql.Identifier(login))
            for text in ("ALTER ROLE {} NOLOGIN", "ALTER ROLE {} LOGIN")
        )
        server.execute(refuse)
        try:
            template = "--from=cronjob/sandbox-lifecycle-refresh-from-prod"
            ground.kubectl("create", "job", "refused", template)
            ground.kubectl("wait", "job/refused", "--for=condition=failed", "--timeout=60s")
            (pod,) = json.loads(
                ground.kubectl("get", "pods", "--selector=job-name=refused", "--output=json")
            )["items"]
            (container,) = pod["status"]["containerStatuses"]
            assert container["state"]["terminated"]["exitCode"] == 2
            assert "is not permitted to log in" in ground.kubectl("logs", "job/refused")
        finally:
            server.execute(admit)
            ground.kubectl("delete", "job", "refused", "--ignore-not-found")


@pytest.fixture(autouse=True)
def leaves_prod_alone(ground: Ground) -> Any:
    yield
    assert ground.prod_changes() == []
