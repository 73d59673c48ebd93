"""The stage that runs are killed on: its target, and a golden copy that is not what prod is."""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.dolibarr.rehearsal import rehearse
from harness.lifecycle.compare import differences_from_golden, differences_from_prod, prod_now
from harness.lifecycle.refresh import refresh_from_prod
from harness.lifecycle.status import status
from harness.postgres.difference import differences
from harness.progress import Silent
from harness.settings import Settings
from harness.sides import Sandbox
from tests.stage import in_cluster, platform
from tests.stage.platform import NAMES
from tests.stage.toml import written

if TYPE_CHECKING:
    from pathlib import Path

    from harness.postgres.fingerprint import Fingerprint
    from harness.settings.cluster import ClusterSettings
    from tests.stage.platform import Platform
    from tests.stage.stage import Stage

_CHECKPOINT_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Ground:
    """A platform on a stage, its sandbox refreshed, worked on and checkpointed.

    Args:
        stage: The stage.
        platform: The platform on it.
        settings: Its target as this machine sees it, with the golden cache of the pods.
        config: The same as a file, for commands.
        prod: What prod holds.
    """

    stage: Stage
    platform: Platform
    settings: Settings
    config: Path
    prod: Fingerprint

    @classmethod
    def prepare(cls, stage: Stage, there: Platform) -> Ground:
        """Bring the sandbox to where kills begin."""
        config = stage.directory / "kills.toml"
        config.unlink(missing_ok=True)
        values = tomllib.loads(there.live.read_text(encoding="utf-8"))
        values["golden"]["directory"] = str(in_cluster.golden_folder(stage))
        values["in_cluster"]["hand_over"] = True
        with os.fdopen(os.open(config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(written(values))
        settings = Settings.live(config)
        refresh_from_prod(settings, Silent())
        rehearse(Sandbox.of(settings), settings.deadlines)
        checkpoint(stage)
        return cls(stage, there, settings, config, prod_now(settings))

    @property
    def cluster(self) -> ClusterSettings:
        """Names in the cluster."""
        assert self.settings.cluster is not None
        return self.settings.cluster

    @property
    def job(self) -> str:
        """The Job that is started from outside; its pods' names begin with it."""
        return NAMES.job

    def kubectl(self, *arguments: str) -> str:
        """Run kubectl in the sandbox's namespace, as the administrator."""
        return self.stage.kubectl(*arguments, f"--namespace={self.cluster.namespace}")

    def application(self) -> dict[str, Any]:
        """The Application of the sandbox."""
        return self.stage.get(
            "application", self.cluster.application, self.cluster.argocd_namespace
        )

    def change_application(self, patch: dict[str, Any]) -> None:
        """Patch it, as somebody else does."""
        self.stage.kubectl(
            "patch",
            "application",
            self.cluster.application,
            f"--namespace={self.cluster.argocd_namespace}",
            "--type=merge",
            f"--patch={json.dumps(patch)}",
        )

    def mark(self) -> str:
        """What the content is marked as; the cluster is not asked."""
        return status(self.settings.model_copy(update={"cluster": None}), Silent()).content

    def content(self) -> str:
        """What the sandbox holds: `golden`, `prod`, or what it differs from golden in."""
        if self.mark() != "complete":
            return "incomplete"
        if not (found := differences_from_golden(self.settings)):
            return "golden"
        if not differences_from_prod(self.settings, self.prod):
            return "prod"
        return f"neither golden nor prod: {', '.join(map(str, found[:3]))}"

    def prod_changes(self) -> list[str]:
        """How prod differs from what it was."""
        found = differences(self.prod, prod_now(self.settings), grants=True)
        return [f"prod has changed: {each}" for each in found]

    def pod_folders(self, prefix: str) -> list[Path]:
        """Where the logs of pods of the sandbox's namespace lie."""
        pattern = f"{self.cluster.namespace}_{prefix}-*"
        return list((self.stage.directory / "pod-logs").glob(pattern))

    def restart_database(self) -> None:
        """As after a crash of PostgreSQL."""
        platform.database.restart(self.platform.run)


def checkpoint(stage: Stage) -> None:
    """Take a golden copy as a Job of the manifests does, on the volume of the pods."""
    where, name = f"--namespace={NAMES.sandbox_namespace}", "checkpoint-by-hand"
    template = f"--from=cronjob/{NAMES.template('checkpoint')}"
    stage.kubectl("create", "job", name, template, where)
    try:
        done, wait = "--for=condition=complete", f"--timeout={_CHECKPOINT_SECONDS}s"
        stage.kubectl("wait", f"job/{name}", done, wait, where)
    finally:
        stage.kubectl("delete", "job", name, where)
