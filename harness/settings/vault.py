"""The table of settings about Vault: where it is, who the harness is there, and how long."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from harness.settings.frozen import Frozen

_Path = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$", max_length=512)]
"""A path in Vault, or a part of one: no leading slash, no pattern."""


class VaultSettings(Frozen):
    """Where logins are leased. The variables VAULT_ADDR and VAULT_TOKEN are not read."""

    address: Annotated[
        str,
        Field(pattern=r"^https://[^/]+/?$", description="https://HOST:PORT; TLS is verified."),
    ]
    ca_file: Annotated[
        Path | None,
        Field(description="Certificates that Vault's is checked against. Default: the system's."),
    ] = None
    namespace: Annotated[
        str | None, Field(description="Vault Enterprise's namespace. Default: none.")
    ] = None
    mount: Annotated[_Path, Field(description="Where the database engine is mounted.")] = "postgres"
    connection: Annotated[
        _Path,
        Field(description="That engine's connection to the server; only printed, never used."),
    ] = "postgres"
    auth_mount: Annotated[
        _Path | None,
        Field(description="Where the way to log in is mounted. Default: approle or kubernetes."),
    ] = None
    role_id: Annotated[
        str | None, Field(description="The harness's RoleID, to log in with an AppRole.")
    ] = None
    secret_id_file: Annotated[
        Path | None, Field(description="File whose first line is the SecretID of that AppRole.")
    ] = None
    kubernetes_role: Annotated[
        str | None,
        Field(description="The role to log in with as the service account of the harness's pod."),
    ] = None
    token_file: Annotated[
        Path,
        Field(description="That account's token, read at each login."),
    ] = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
    prod_owner_path: Annotated[
        _Path,
        Field(description="Where prod's owner is leased; the audit asks that it be denied."),
    ]
    provider_path: Annotated[
        _Path,
        Field(
            description="Where the superuser's provider is leased or kept, likewise. It is asked"
            " about and never read."
        ),
    ]
    denied_paths: Annotated[
        tuple[_Path, ...],
        Field(description="Further paths that must be denied to the harness."),
    ] = ()
    run_seconds: Annotated[
        int,
        Field(
            ge=1,
            description="For how many seconds a run may have to go on: a token or a lease that"
            " cannot be kept alive that long is refused before anything is changed. An hour: a"
            " refresh of 100 GB.",
        ),
    ] = 3600
    life_seconds: Annotated[
        int,
        Field(
            ge=3,
            description="For how many seconds at a time token and leases are kept alive: what a"
            " killed run has leased ends by itself after that. 300: longer than an outage of Vault"
            " that a run survives, and short enough to wait for.",
        ),
    ] = 300
    records: Annotated[
        Path | None,
        Field(
            description="Where each run notes the accessor of its token, so that the next one can"
            " revoke what a killed run has left. Default: a folder in golden.directory."
        ),
    ] = None

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        approle = (self.role_id is not None, self.secret_id_file is not None)
        if any(approle) is not all(approle):
            raise ValueError("an AppRole needs both role_id and secret_id_file")
        if all(approle) == (self.kubernetes_role is not None):
            raise ValueError("needs either an AppRole or kubernetes_role, and not both")
        return self
