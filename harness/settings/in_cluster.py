"""The table of settings about what runs in the cluster: Jobs, the watchdog, their volume."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness import __version__
from harness.settings.frozen import Frozen
from harness.settings.names import Name  # noqa: TC001  pydantic needs it at run time

_Quantity = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$")]
_Network = Annotated[str, Field(pattern=r"^[0-9a-fA-F.:]+/[0-9]{1,3}$")]
_Port = Annotated[int, Field(ge=1, le=65535)]


class InClusterSettings(Frozen):
    """What the manifests of `sandbox-lifecycle manifests` make run in the cluster, and how."""

    image: Annotated[
        str,
        Field(
            pattern=r"^\S+$",
            description="Image of the harness. The default is a name that no registry answers to:"
            " whoever builds the image says where it is.",
        ),
    ] = f"sandbox-lifecycle:{__version__}"
    pull_policy: Annotated[
        Literal["Always", "IfNotPresent", "Never"],
        Field(description="When the node pulls it. IfNotPresent: a version has one content."),
    ] = "IfNotPresent"
    storage_size: Annotated[
        _Quantity,
        Field(
            description="Size of the golden-cache volume. 10Gi: three golden copies of 1 GB each,"
            " and room for a fourth while it is taken."
        ),
    ] = "10Gi"
    storage_class: Annotated[
        Name | None, Field(description="Its storage class. Default: the cluster's own default.")
    ] = None
    memory_limit: Annotated[
        _Quantity,
        Field(
            description="Memory of a pod. 1Gi: a reset takes some 100 MB at golden's default of"
            " most_changed_rows, a client tool and its copy as much again."
        ),
    ] = "1Gi"
    schedule: Annotated[
        str,
        Field(
            pattern=r"^[-0-9*/,A-Za-z@ ]+$",
            description="When the nightly refresh and checkpoint run, as cron says it, in the"
            " cluster's time zone.",
        ),
    ] = "30 2 * * *"
    nightly: Annotated[
        bool,
        Field(
            description="Whether they do. Off: a refresh throws away what was rehearsed, so nobody"
            " gets one who has not asked."
        ),
    ] = False
    watchdog: Annotated[
        bool, Field(description="Whether a watchdog undoes what a dead run has left.")
    ] = True
    job_seconds: Annotated[
        int,
        Field(
            ge=1,
            description="After so many seconds a Job is ended, and undoes itself. 3,600: ten times"
            " a refresh of 1 GB.",
        ),
    ] = 3600
    keep_seconds: Annotated[
        int,
        Field(
            ge=0,
            description="For so many seconds a Job that has ended can be looked at. 86,400: a day.",
        ),
    ] = 86_400
    secret: Annotated[
        Name,
        Field(
            description="The Secret in the sandbox's namespace whose keys become variables of the"
            " pods, as SANDBOX_LIFECYCLE_SANDBOX__DSN: what no settings file should hold."
        ),
    ] = "sandbox-lifecycle-credentials"  # noqa: S105  its name
    hand_over: Annotated[
        bool,
        Field(
            description="Give a Job that is started from outside the logins of this file, in a"
            " Secret that goes with the Job. Off: the cluster has its own, in `secret`."
        ),
    ] = False
    database_networks: Annotated[
        tuple[_Network, ...],
        Field(
            description="Where PostgreSQL is, as 10.1.2.3/32, for the network policies. Default:"
            " anywhere, so only the port is narrowed down."
        ),
    ] = ()
    database_port: Annotated[_Port, Field(description="Its port, for the network policies.")] = 5432
    api_networks: Annotated[
        tuple[_Network, ...],
        Field(description="Where the API server is, likewise. Default: anywhere."),
    ] = ()
    api_ports: Annotated[
        tuple[_Port, ...],
        Field(
            min_length=1,
            description="Its ports: the Service's, and the one behind it, since agents differ in"
            " which of them they look at.",
        ),
    ] = (443, 6443)
    vault_port: Annotated[
        _Port | None,
        Field(
            description="Port of Vault, for the network policies. Default: that of vault.address"
            " where pods log in there (vault.kubernetes_role); else no pod may reach it."
        ),
    ] = None
    vault_networks: Annotated[
        tuple[_Network, ...], Field(description="Where Vault is. Default: anywhere.")
    ] = ()
    denied_address: Annotated[
        str | None,
        Field(
            pattern=r"^[^\s:]+:[0-9]+$",
            description="Host and port of something that answers and that no pod of the sandbox may"
            " reach, for an audit in a pod to try. Default: nothing is tried, and so not proven.",
        ),
    ] = None
