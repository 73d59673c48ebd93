"""The platform on the real cluster is what a live target is, and goes with its stage."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from harness.errors import ConfigurationError
from harness.lifecycle.refresh import refresh_from_prod
from harness.lifecycle.status import status
from harness.local.cluster import PROD, SANDBOX
from harness.local.workloads import ARGOCD, DEPLOYMENT
from harness.progress import Silent
from harness.settings import Settings
from tests.stage import cluster, platform
from tests.stage.layers import USER
from tests.stage.machine import await_as_before, picture
from tests.stage.toml import written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stage.platform import Platform
    from tests.stage.stage import Stage


@pytest.fixture(scope="module")
def stage(asked_for: None) -> Iterator[Stage]:  # noqa: ARG001
    """A stage of its own: the server's unprivileged user passes through to its data."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))  # pytest's own is closed to others
    folder.chmod(0o711)
    before = picture()
    with cluster.running(folder / "stage") as stage:
        yield stage
    folder.rmdir()
    await_as_before(before)


@pytest.fixture(scope="module")
def laid_out(stage: Stage) -> Platform:
    return platform.lay_out(stage, platform.Options(scale=0.01), Silent())


@pytest.fixture(scope="module")
def settings(laid_out: Platform) -> Settings:
    return Settings.live(laid_out.live)


def test_tables_are_written_as_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "live.toml"
    path.write_text(
        written(
            {
                "prod": {"dsn": 'host=x password="\\é', "owner_role": "a"},
                "sandbox": {"dsn": "host=x", "owner_role": "b", "database_oid": None},
                "golden": {"directory": "/golden", "shadow": False},
            }
        )
    )
    settings = Settings.live(path)
    assert settings.prod.dsn.get_secret_value() == 'host=x password="\\é'
    assert settings.golden.shadow is False
    assert settings.sandbox.database_oid is None


def test_options_that_contradict_one_another_start_nothing(tmp_path: Path) -> None:
    options = platform.Options(prod_globals=tmp_path / "globals.sql")
    with pytest.raises(ConfigurationError, match="without --prod-dump"):
        options.content()


def test_what_holds_logins_is_its_owners_alone(laid_out: Platform) -> None:
    for path in (laid_out.live, laid_out.leased, laid_out.kubeconfig):
        assert path.stat().st_mode & 0o777 == 0o600


def test_the_sandbox_is_refreshed_by_it(settings: Settings) -> None:
    refreshed = refresh_from_prod(settings, Silent())
    assert refreshed.company
    found = status(settings, Silent())
    assert found.content == "complete"
    assert found.cluster is not None
    assert found.cluster.self_heal.startswith("on ")
    assert (found.cluster.ready, found.cluster.outstanding) == (1, None)


@pytest.mark.usefixtures("laid_out")
def test_both_erps_run_from_the_image_as_a_user_without_rights(stage: Stage) -> None:
    for name in (PROD, SANDBOX):
        where = (f"--namespace={name}", f"deployment/{DEPLOYMENT}", "--")
        assert stage.kubectl("exec", *where, "id", "-u").strip() == str(USER)
        told = stage.kubectl("exec", *where, "sandbox-lifecycle", "--version")
        assert told.strip()


@pytest.mark.usefixtures("laid_out")
def test_argo_cd_brings_back_what_somebody_scales(stage: Stage) -> None:
    where = f"--namespace={SANDBOX}"
    stage.kubectl("scale", where, f"deployment/{DEPLOYMENT}", "--replicas=0")
    wanted = "--for=jsonpath={.spec.replicas}=1"
    stage.kubectl("wait", where, f"deployment/{DEPLOYMENT}", wanted, "--timeout=60s")
    healthy = "--for=jsonpath={.status.health.status}=Healthy"
    stage.kubectl(
        "wait", f"--namespace={ARGOCD}", f"application/{SANDBOX}", healthy, "--timeout=60s"
    )


def test_the_way_in_is_not_the_administrators(stage: Stage, laid_out: Platform) -> None:
    account = f"system:serviceaccount:{SANDBOX}:sandbox-lifecycle"
    way_in = f"--kubeconfig={laid_out.kubeconfig}"
    assert account in stage.kubectl(way_in, "auth", "whoami")


def test_its_server_is_ended_with_it(stage: Stage, laid_out: Platform) -> None:
    superuser = laid_out.state["superuser"]
    psycopg.connect(superuser).close()
    platform.take_away(stage.directory)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(superuser)
    assert os.listdir(laid_out.directory / "platform" / "server")  # noqa: PTH208  removed with the stage
