"""The tables of settings about the two sides: where each is, and where its login comes from."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  pydantic needs the type at run time
from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

from harness.settings.frozen import Frozen
from harness.settings.names import Name  # noqa: TC001  pydantic needs it at run time


class SecretSettings(Frozen):
    """A Secret of the cluster, read by the harness's own identity."""

    namespace: Name = Field(description="Where it is.")
    name: Name = Field(description="Its name; the harness needs `get` on this one alone.")
    user_key: Annotated[str, Field(description="The key that holds the user.")] = "username"
    password_key: Annotated[str, Field(description="The key that holds the password.")] = "password"  # noqa: S105  the name of an entry


class SideSettings(Frozen):
    """Where one side is and who owns it."""

    dsn: Annotated[
        SecretStr,
        Field(
            description="libpq connection string or URL of the harness's own login. Must name host,"
            " user and dbname: what libpq would fill in by itself once was the OS user root. With"
            " secret or vault_role: host and dbname only, and neither user nor password."
        ),
    ]
    password_file: Annotated[
        Path | None,
        Field(description="File whose first line is the password; default: the one in the DSN."),
    ] = None
    secret: Annotated[
        SecretSettings | None,
        Field(description="A Kubernetes Secret that holds user and password, read once a run."),
    ] = None
    vault_role: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z0-9_.-]+$",
            description="The role of Vault's database engine that leases user and password.",
        ),
    ] = None
    owner_role: Annotated[
        str,
        Field(description="The NOLOGIN role that owns the database and everything in it."),
    ]

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        sources = ("password_file", "secret", "vault_role")
        named = [name for name in sources if getattr(self, name) is not None]
        if len(named) > 1:
            raise ValueError(f"{' and '.join(named)} are two sources of one login: name one")
        return self


class ProdSettings(SideSettings):
    """Where prod is, and as whom it is read."""

    read_role: Annotated[
        str | None,
        Field(
            description="A NOLOGIN role with SELECT on schema public, as which every session on"
            " prod acts; its login is no member of owner_role. Default: owner_role, so that only"
            " default_transaction_read_only keeps a session from writing."
        ),
    ] = None


class SandboxSettings(SideSettings):
    """Where the sandbox is, and what proves that it is the sandbox."""

    system_identifier: Annotated[
        int | None,
        Field(
            description="pg_control_system().system_identifier of the server. With database_oid it"
            " pins the one database that may be wiped; needed until the database bears the mark."
        ),
    ] = None
    database_oid: Annotated[
        int | None,
        Field(description="pg_database.oid of the sandbox; a database made anew has another."),
    ] = None
    shadow_owner_role: Annotated[
        str | None,
        Field(
            description="A role of the provisioner's for the shadow alone: the harness's login is a"
            " member, the application's is not. Default: owner_role, so the application could"
            " tamper with the shadow, which a reset notices."
        ),
    ] = None
    application_dsn: Annotated[
        SecretStr | None,
        Field(
            description="The application's login, for a rehearsal in its place. Default: the"
            " harness's own, which is a member of the same owner role."
        ),
    ] = None
