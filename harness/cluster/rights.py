"""One right in a cluster, and the tables of those that are needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.manifests import Names

if TYPE_CHECKING:
    from harness.settings.cluster import ClusterSettings


@dataclass(frozen=True, slots=True)
class Right:
    """Something that RBAC can grant.

    Args:
        verb: What is done.
        group: The API group; empty for the core.
        resource: To which kind.
        namespace: Where; empty for the whole cluster.
        name: To which object; empty for every one.
        subresource: To which part of it.
        manifest: The file of `harness/manifests` that grants it.
    """

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    manifest: str = ""

    def __str__(self) -> str:
        kind = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        qualified = f"{kind}.{self.group}" if self.group else kind
        name = f" {self.name}" if self.name else ""
        where = f"in {self.namespace}" if self.namespace else "in the whole cluster"
        return f"{self.verb} {qualified}{name} {where}"


def needed(settings: ClusterSettings) -> list[Right]:
    """Every right that a run uses, and a recovery: no fewer than the manifests grant."""
    argocd, sandbox = "argocd-access.yaml", "sandbox-access.yaml"
    application = ("argoproj.io", "applications", settings.argocd_namespace, settings.application)
    deployment = ("apps", "deployments", settings.namespace, settings.deployment)
    lease = ("coordination.k8s.io", "leases", settings.namespace, settings.lease)
    pods = ("", "pods", settings.namespace)
    autoscalers = ("autoscaling", "horizontalpodautoscalers", settings.namespace)
    return [
        *(Right(verb, *application, manifest=argocd) for verb in ("get", "patch")),
        Right("get", *deployment, manifest=sandbox),
        *(Right(verb, *deployment, "scale", manifest=sandbox) for verb in ("get", "patch")),
        Right("list", *pods, manifest=sandbox),
        *(Right(verb, *lease, manifest=sandbox) for verb in ("get", "patch")),
        Right("list", *autoscalers, manifest=sandbox),
    ]


def needed_for_jobs(settings: ClusterSettings, template: str, *, hand_over: bool) -> list[Right]:
    """Every right that is used to start a Job from outside.

    Args:
        settings: The cluster.
        template: The CronJob that the Job is made from.
        hand_over: Whether it gets its logins in a Secret.
    """
    manifest, where, job = "job-access.yaml", settings.namespace, Names.of(settings).job
    return [
        Right("get", "batch", "cronjobs", where, template, manifest=manifest),
        Right("create", "batch", "jobs", where, manifest=manifest),
        *(
            Right(verb, "batch", "jobs", where, job, manifest=manifest)
            for verb in ("get", "patch", "delete")
        ),
        *([Right("create", "", "secrets", where, manifest=manifest)] if hand_over else []),
        Right("list", "", "pods", where, manifest=manifest),
        Right("get", "", "pods", where, subresource="log", manifest=manifest),
    ]
