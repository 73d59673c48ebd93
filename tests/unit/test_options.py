"""Options of `pytest features/` as a user meets them: in a process of its own, on this project."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIVE = """
[prod]
dsn = "postgresql://v-erp@db.invalid:5432/erp"
owner_role = "erp_role"
[sandbox]
dsn = "postgresql://v-sbx@db.invalid:5432/erp-sandbox"
owner_role = "erp_sandbox_role"
[golden]
directory = "/golden"
[cluster]
kubeconfig = "/run/secrets/kubeconfig"
namespace = "erp-sandbox"
deployment = "dolibarr"
argocd_namespace = "argocd"
application = "erp-sandbox"
prod_namespace = "erp"
prod_application = "erp"
"""


def features(*options: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "features", *options]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def live(tmp_path: Path) -> tuple[str, str]:
    """The options of a live target that nobody can reach."""
    file = tmp_path / "live.toml"
    file.write_text(LIVE)
    return "--target=live", f"--sandbox-config={file}"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--target=live"], "--target=live needs --sandbox-config=FILE"),
        (["--sandbox-config=x.toml"], "--sandbox-config describes a live target"),
        (["--cluster-admin=x"], "--cluster-admin: the local target lends"),
        (["--prod-traffic=http://x"], "--prod-traffic: the local target lends"),
        (["-n2", "--keep-sandbox"], "-n 2: only one sandbox can be kept"),
        (["-n2", "--target=live", "--sandbox-config=x"], "-n 2: a live target has one sandbox"),
        (["--audit-report=x.pdf"], "x.pdf"),
    ],
)
def test_a_wrong_combination_starts_nothing(options: list[str], told: str) -> None:
    done = features(*options)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert told in done.stderr


def test_what_a_live_target_does_not_lend_is_left_out_with_the_option_that_lends_it(
    live: tuple[str, str],
) -> None:
    done = features(*live, "-rs", "-m", "administrator or prod_traffic")
    assert done.returncode == pytest.ExitCode.OK, done.stdout
    assert "needs somebody who may do anything in its cluster: --cluster-admin" in done.stdout
    assert "needs somebody who works on prod: --prod-traffic" in done.stdout
    assert "passed" not in done.stdout.splitlines()[-1]


def test_a_cluster_is_not_lent_by_a_file_that_is_no_kubeconfig(
    live: tuple[str, str], tmp_path: Path
) -> None:
    nothing = tmp_path / "admin.kubeconfig"
    nothing.write_text("{}")
    done = features(*live, f"--cluster-admin={nothing}")
    assert done.returncode == 2
    assert "the cluster's administrator cannot be lent" in done.stdout + done.stderr
    done = features(*live, f"--cluster-admin={tmp_path / 'nowhere'}")
    assert done.returncode == 2
    assert "correct --cluster-admin, or leave it out" in done.stdout + done.stderr
