"""The platform on a stage: PostgreSQL, Vault, prod and sandbox under Argo CD, and a live target."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from harness import manifests
from harness.deadlines import Deadlines, eventually
from harness.errors import FailedError
from harness.local import layout, prod_content
from harness.local.cluster import PROD, SANDBOX
from harness.local.platform import described
from harness.local.runs import LocalRun
from harness.local.undo import Undo
from harness.local.workloads import ARGOCD, DEPLOYMENT, namespace
from harness.progress import Silent
from harness.settings import Settings
from tests.stage import cluster, database, in_cluster, leases
from tests.stage.places import PODS
from tests.stage.project_image import write_image
from tests.stage.toml import written
from tests.stage.workloads import CLAIM, StagedErp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.local.layout import Layout
    from harness.local.prod_content import ProdContent
    from harness.progress import Progress
    from tests.stage.stage import Stage

_FOLDER = "platform"
NAMES = manifests.Names(
    sandbox_namespace=SANDBOX,
    deployment=DEPLOYMENT,
    argocd_namespace=ARGOCD,
    application=SANDBOX,
)
_PORTS = {PROD: 18081, SANDBOX: 18082}
_VARIABLES = {PROD: {"ERP_TRAFFIC": "on"}, SANDBOX: {"ERP_SESSION_INTERVAL": "0.2"}}
# Scenarios wait for it whenever a whole machine is said to have died; no API server of this machine
# is silent for as long.
_LEASE_SECONDS = 5
_TOKEN_SECONDS = 24 * 3600
_CONTEXT, _JOB_CONTEXT = "harness", "jobs"


@dataclass(frozen=True, slots=True)
class Options:
    """What prod is filled with.

    Args:
        scale: Size of the sample; 1 is about 20 MB.
        prod_dump: A dump in pg_dump's custom format instead of it.
        prod_globals: An SQL script with the roles that the dump names.
    """

    scale: float = 0.2
    prod_dump: Path | None = None
    prod_globals: Path | None = None

    def content(self) -> ProdContent:
        """What that is.

        Raises:
            ConfigurationError: They contradict one another.
        """
        return prod_content.choose(self.scale, self.prod_dump, self.prod_globals)


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform that is laid out.

    Args:
        directory: The directory of its stage.
    """

    directory: Path

    @property
    def live(self) -> Path:
        """The settings of the live target, logins included."""
        return self.directory / "live.toml"

    @property
    def leased(self) -> Path:
        """The same target, its logins leased from Vault by an AppRole."""
        return self.directory / "vault.toml"

    @property
    def kubeconfig(self) -> Path:
        """The harness's own way into the cluster."""
        return self.directory / "harness.kubeconfig"

    @property
    def run(self) -> LocalRun:
        """Where its files are."""
        return _run(self.directory)

    @property
    def state(self) -> dict[str, Any]:
        """What it was made of: description, prod_origin, traffic, and secrets: superuser, vault."""
        return self.run.state()


def lay_out(stage: Stage, options: Options, progress: Progress) -> Platform:
    """Bring the platform up on a stage that has none, and return when all of it is Ready.

    Raises:
        ConfigurationError: This machine lacks something, or an option is wrong.
        FailedError: Something does not start. What was begun goes with the stage.
    """
    deadlines, run = Deadlines(), _run(stage.directory)
    content = options.content()
    run.path.mkdir(mode=0o711)
    with progress.phase("make the image"):
        image = run.path / "image.tar"
        write_image(image)
        stage.import_image(image)
        image.unlink()
    with database.database_server(run, stage.node_address, PODS, deadlines, progress) as server:
        content.check(server, run, deadlines, progress)
        content.prepare(server, run)
        logins = layout.lay_out(server, run)
        content.fill(server, logins, run, progress)
        erps = _erps(stage, logins)
        with progress.phase("deploy prod and sandbox"):
            _deploy(stage, erps)
            eventually(lambda: _must_be_ready(stage, erps), deadlines.pods_ready, every=0.5)
        platform = Platform(stage.directory)
        _write_private(platform.kubeconfig, json.dumps(_way_in(stage)))
        of_cluster = _settings(stage, erps)
        values = {
            **described(server, logins, run, of_cluster),
            "in_cluster": {**in_cluster.SETTINGS, "database_port": server.superuser.port},
        }
        _write_private(platform.live, written(values))
        settings = Settings.of(values, origin="the stage")
        in_cluster.install(stage, NAMES, settings)
        with progress.phase("start Vault"):
            token = leases.lay_out(stage, settings, logins.provisioner, platform.leased)
        run.keep(
            {
                "description": server.description,
                "prod_origin": str(content),
                "traffic": f"{erps[PROD].url}/traffic",
                "superuser": server.superuser.conninfo,
                "vault": token,
            }
        )
    return platform


@contextmanager
def running(
    directory: Path, options: Options | None = None, progress: Progress | None = None
) -> Iterator[Stage]:
    """A stage with a platform for the length of a block."""
    with cluster.running(directory) as stage, Undo() as undo:
        undo.callback(take_away, stage.directory)
        lay_out(stage, options or Options(), progress or Silent())
        yield stage


def find(directory: Path) -> Platform | None:
    """The platform on the stage of a directory, or None where none was finished."""
    return Platform(directory) if _run(directory).is_kept else None


def take_away(directory: Path) -> None:
    """End what does not run in the stage's cluster; its files go with the stage's directory."""
    database.end(_run(directory), Deadlines())


def told(platform: Platform, stage: Stage) -> list[str]:
    """What is there, and how it is used."""
    state = platform.state
    lent = f"--cluster-admin={stage.kubeconfig} --prod-traffic={state['traffic']}"
    return [
        f"server: {state['description']}",
        f"prod: {state['prod_origin']}",
        f"vault: {leases.ADDRESS}, audit log {leases.log(stage.directory)}",
        *(
            f"pytest features/ --target=live --sandbox-config={config} {lent}"
            for config in (platform.live, platform.leased)
        ),
    ]


def _run(directory: Path) -> LocalRun:
    return LocalRun("stage", directory / _FOLDER)


def _erps(stage: Stage, logins: Layout) -> dict[str, StagedErp]:
    applications = {PROD: logins.prod_application, SANDBOX: logins.sandbox_application}
    return {
        name: StagedErp.of(
            name,
            login,
            _PORTS[name],
            _VARIABLES[name],
            stage.node_address,
            stage.repository_url,
        )
        for name, login in applications.items()
    }


def _deploy(stage: Stage, erps: dict[str, StagedErp]) -> None:
    stage.apply(*(namespace(name) for name in erps))
    for name in erps:
        stage.provide_volume(f"{name}-documents", claim=CLAIM, namespace=name)
    stage.apply(*(obj for _, text in manifests.access(NAMES) for obj in yaml.safe_load_all(text)))
    stage.push({path: text for erp in erps.values() for path, text in erp.files.items()}, "Deploy")
    stage.apply(*(erp.erp.secret for erp in erps.values()))
    stage.apply(*(erp.application for erp in erps.values()))


def _must_be_ready(stage: Stage, erps: dict[str, StagedErp]) -> None:
    for name in erps:
        status = stage.get("application", name, ARGOCD).get("status", {})
        found = tuple(status.get(part, {}).get("status") for part in ("sync", "health"))
        if found != ("Synced", "Healthy"):
            raise FailedError(
                f"the ERP of namespace {name} is not ready",
                found=f"Application {found[0]}, {found[1]}: {_complaints(status)}",
                expected="Application Synced, Healthy",
                remedy=f"kubectl --kubeconfig={stage.kubeconfig} -n {name} describe pods",
            )


def _complaints(status: dict[str, Any]) -> str:
    told = [each.get("message", "") for each in status.get("conditions", [])]
    told.append(status.get("operationState", {}).get("message", ""))
    return "; ".join(filter(None, told)) or "no complaint"


def _way_in(stage: Stage) -> dict[str, Any]:
    """The service accounts of the harness's own manifests, never the administrator."""
    accounts = {_CONTEXT: NAMES.service_account, _JOB_CONTEXT: NAMES.starter}
    how = (f"--namespace={SANDBOX}", f"--duration={_TOKEN_SECONDS}s")
    tokens = {
        account: stage.kubectl("create", "token", account, *how).strip()
        for account in accounts.values()
    }
    api = {"server": stage.api_url, "certificate-authority": str(stage.authority)}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "stage", "cluster": api}],
        "users": [{"name": name, "user": {"token": token}} for name, token in tokens.items()],
        "contexts": [
            {"name": context, "context": {"cluster": "stage", "user": account}}
            for context, account in accounts.items()
        ],
        "current-context": _CONTEXT,
    }


def _settings(stage: Stage, erps: dict[str, StagedErp]) -> dict[str, Any]:
    return {
        "kubeconfig": str(Platform(stage.directory).kubeconfig),
        "job_context": _JOB_CONTEXT,
        "argocd_namespace": ARGOCD,
        "application": SANDBOX,
        "namespace": SANDBOX,
        "deployment": DEPLOYMENT,
        "lease_seconds": _LEASE_SECONDS,
        "application_url": erps[SANDBOX].url,
        "prod_namespace": PROD,
        "prod_application": PROD,
    }


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
