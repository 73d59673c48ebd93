"""Where rights are taken away: a cluster, its administrator, and a target that it runs."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kubernetes.client import BatchV1Api, RbacAuthorizationV1Api
from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration
from kubernetes.config.kube_config import load_kube_config

from harness import manifests
from harness.cluster import client
from harness.cluster.rights import Right
from harness.deadlines import Deadline, eventually
from harness.manifests import Names
from tests import forked
from tests.settings_file import write_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.settings import Settings
    from harness.settings.cluster import ClusterSettings

_RUN = Deadline(60, "a few seconds on an idle machine")
_CHECKPOINT = Deadline(120, "a pod takes seconds to begin; a golden copy of a sample takes five")
_SOON = Deadline(20, "a real server's authorizer learns of a new rule within a second")


@dataclass(frozen=True)
class Cell:
    """One verb of one rule of one Role.

    Args:
        role: What its name ends with, behind the account's.
        rule: Which of its rules.
        verb: Which of its verbs.
        kinds: What the rule is about.
        names: To which objects; empty for every one.
    """

    role: str
    rule: int
    verb: str
    kinds: tuple[tuple[str, str], ...]
    names: tuple[str, ...]

    def __str__(self) -> str:
        kinds = "+".join(f"{kind}.{group}".rstrip(".") for group, kind in self.kinds)
        return f"{self.verb} {kinds}{' by name' if self.names else ''}"

    @property
    def told(self) -> str:
        """How an error names it."""
        (group, kind), *_ = self.kinds
        return f"may not {self.verb} {f'{kind}.{group}'.rstrip('.')}"

    def rights(self, namespace: str) -> Iterator[Right]:
        """Each right that it grants."""
        for group, kind in self.kinds:
            resource, _, part = kind.partition("/")
            for name in self.names or ("",):
                yield Right(self.verb, group, resource, namespace, name, part)


_ROLES = {"": "sandbox_namespace", "-application": "argocd_namespace", "-jobs": "sandbox_namespace"}
"""By the end of its name, in which namespace a Role is."""


def cells(names: Names) -> list[Cell]:
    """Every verb of every rule of the Roles that are shipped."""
    return [
        Cell(
            role=role["metadata"]["name"].removeprefix(names.service_account),
            rule=index,
            verb=verb,
            kinds=tuple((group, kind) for group in rule["apiGroups"] for kind in rule["resources"]),
            names=tuple(rule.get("resourceNames", ())),
        )
        for role in manifests.objects(names)
        if role["kind"] == "Role"
        for index, rule in enumerate(role["rules"])
        for verb in rule["verbs"]
    ]


@dataclass
class Ground:
    """A cluster, its administrator, and the target that it runs.

    Args:
        settings: The target.
        kubeconfig: The administrator's way in.
        folder: For files of the tests' own.
        audit: Tells what was asked for and allowed.
    """

    settings: Settings
    kubeconfig: Path
    folder: Path
    audit: Callable[[], list[dict[str, Any]]]
    _client: ApiClient = field(init=False)

    def __post_init__(self) -> None:
        configuration = Configuration()
        load_kube_config(str(self.kubeconfig), client_configuration=configuration)
        self._client = ApiClient(configuration)

    def close(self) -> None:
        self._client.close()

    @property
    def cluster(self) -> ClusterSettings:
        assert self.settings.cluster is not None
        return self.settings.cluster

    @property
    def names(self) -> Names:
        return Names.of(self.cluster)

    @contextmanager
    def without(self, cell: Cell) -> Iterator[None]:
        """One right is not there for the length of the block."""
        rbac = RbacAuthorizationV1Api(self._client)
        name = f"{self.names.service_account}{cell.role}"
        where = getattr(self.names, _ROLES[cell.role])
        found = self._client.sanitize_for_serialization(rbac.read_namespaced_role(name, where))
        rules = [dict(rule) for rule in found["rules"]]
        rule = rules[cell.rule]
        rule["verbs"] = [verb for verb in rule["verbs"] if verb != cell.verb]
        left = [each for each in rules if each["verbs"]]
        self._write(rbac, name, where, left)
        try:
            eventually(lambda: self._must(cell, where, be=False), _SOON)
            yield
        finally:
            self._write(rbac, name, where, found["rules"])
            eventually(lambda: self._must(cell, where, be=True), _SOON)

    def _write(self, rbac: RbacAuthorizationV1Api, name: str, where: str, rules: Any) -> None:
        change = [{"op": "replace", "path": "/rules", "value": rules}]
        kind = "application/json-patch+json"
        rbac.patch_namespaced_role(name, where, change, _content_type=kind)

    def _must(self, cell: Cell, where: str, *, be: bool) -> None:
        (right, *_) = cell.rights(where)
        way_in = self.cluster.for_jobs if cell.role == "-jobs" else self.cluster
        with client.connect(way_in, self.settings.deadlines) as cluster:
            asked = (right.verb, right.group, right.resource, where, right.name, right.subresource)
            assert cluster.access.can(*asked) is be, asked

    def checkpoint_by_job(self) -> None:
        """A golden copy where pods look for it, taken by somebody who may create Jobs."""
        batch, where = BatchV1Api(self._client), self.names.sandbox_namespace
        template = batch.read_namespaced_cron_job(self.names.template("checkpoint"), where)
        job = {"metadata": {"name": "checkpoint-by-hand"}, "spec": template.spec.job_template.spec}
        name = batch.create_namespaced_job(where, job).metadata.name

        def must() -> None:
            assert batch.read_namespaced_job(name, where).status.succeeded == 1

        try:
            eventually(must, _CHECKPOINT)
        finally:
            batch.delete_namespaced_job(name, where, propagation_policy="Background")

    def die(self, verb: str, phase: str) -> None:
        """Let a run die where a phase begins."""
        config = write_settings(self.folder / "sandbox.toml", self.settings)
        process = forked.start(
            "tests.recovery.dying",
            ["SIGKILL", "begin", phase, verb, "--target=live", f"--sandbox-config={config}"],
            self.folder / "command.out",
            self.folder / "command.err",
        )
        assert process.ends(_RUN) == -9, process.said()
