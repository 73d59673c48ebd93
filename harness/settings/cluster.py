"""The table of settings about the cluster."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  pydantic needs the type at run time
from typing import Annotated, Self

from pydantic import Field, model_validator

from harness.settings.frozen import Frozen
from harness.settings.names import Name, ShortName  # noqa: TC001  pydantic needs them at run time


class ClusterSettings(Frozen):
    """Where the sandbox's application runs, and what must not be touched there."""

    kubeconfig: Annotated[
        Path | None,
        Field(
            description="File with the harness's own way into the cluster. The variable KUBECONFIG"
            " is not read: it may well point at another cluster."
        ),
    ] = None
    context: Annotated[
        str | None,
        Field(description="Context of the kubeconfig. Default: the file's current-context."),
    ] = None
    job_context: Annotated[
        str | None,
        Field(
            description="Context of whoever starts Jobs (--job), who needs other rights than a run."
            " Default: `context`."
        ),
    ] = None
    in_cluster: Annotated[
        bool,
        Field(description="Use the service account of the pod that the harness itself runs in."),
    ] = False
    argocd_namespace: Name = Field(description="Where Argo CD keeps its Applications.")
    application: Name = Field(description="The Application of the sandbox.")
    namespace: Name = Field(description="The namespace of the sandbox.")
    deployment: Name = Field(description="The Deployment of the sandbox's application.")
    prod_namespace: Name = Field(
        description="The namespace of prod, in which the harness must have no rights."
    )
    prod_application: Name = Field(
        description="The Application of prod, which the harness must not be able to change."
    )
    guarded_namespaces: Annotated[
        tuple[Name, ...],
        Field(
            description="Further namespaces that prod rests on, in which the harness must have no"
            " rights: of its database server, its secrets, its backups. Default: kube-system, since"
            " whoever runs something there has the whole cluster."
        ),
    ] = ("kube-system",)
    service_account: ShortName = Field(
        default="sandbox-lifecycle",
        description="The harness's identity in the cluster; the names of all that the manifests"
        " make begin with it.",
    )
    lease: Name = Field(
        default="sandbox-lifecycle",
        description="The Lease that keeps two runs apart, made beforehand by the manifests.",
    )
    lease_seconds: Annotated[
        int,
        Field(
            ge=1,
            description="For how many seconds a run that is not heard of keeps others out. 60:"
            " longer than an outage of the API that a run has to survive, and short enough to"
            " wait for after a machine has died.",
        ),
    ] = 60
    application_url: Annotated[
        str | None,
        Field(
            pattern=r"^https?://[^/]",
            description="Where the sandbox's application answers, for the question that only the"
            " right content can answer. Default: it is not asked.",
        ),
    ] = None

    @property
    def for_jobs(self) -> Self:
        """The same cluster, as whoever starts Jobs in it."""
        return self.model_copy(update={"context": self.job_context or self.context})

    @property
    def guarded(self) -> tuple[str, ...]:
        """Every namespace that prod rests on."""
        return tuple(
            dict.fromkeys((self.prod_namespace, self.argocd_namespace, *self.guarded_namespaces))
        )

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.kubeconfig is not None) == self.in_cluster:
            raise ValueError("needs either kubeconfig or in_cluster = true, and not both")
        if self.kubeconfig is None:
            for name in ("context", "job_context"):
                if getattr(self, name) is not None:
                    raise ValueError(f"{name} belongs to a kubeconfig")
        return self

    @model_validator(mode="after")
    def _apart_from_prod(self) -> Self:
        if self.namespace in self.guarded:
            # Whoever may create Jobs in a namespace can read every Secret in it.
            raise ValueError("namespace must be neither prod's nor Argo CD's, nor a guarded one")
        if self.application == self.prod_application:
            raise ValueError("application must not be prod's")
        return self
