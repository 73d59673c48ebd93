"""The settings file of the pods: this target's, without logins and without this machine's paths."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import BaseModel, SecretStr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.settings import Settings
    from harness.settings.vault import VaultSettings

_NO_LOGIN = {"host", "hostaddr", "port", "dbname", "sslmode", "connect_timeout"}
"""What a connection string may hold that everybody may know."""

_NOT_TOLD = {"in_cluster"}
_OF_THE_WAY_IN = {"kubeconfig", "context", "job_context", "in_cluster"}


def vault_of_pods(settings: Settings) -> VaultSettings | None:
    """Vault, where pods lease their logins there; the SecretID of an AppRole is this machine's."""
    return settings.vault if settings.vault and settings.vault.kubernetes_role else None


def told_to_pods(
    settings: Settings, *, kubeconfig: Path | None = None, vault_authority: Path | None = None
) -> str:
    """The settings as TOML, where they are not what they would be anyway.

    Whatever is a secret is left out, and so is every path: a pod has its own, and gets both as
    variables. So it does where Vault leases logins to this machine alone.

    Args:
        settings: The target.
        kubeconfig: The way into the cluster of pods that get no token of their account.
        vault_authority: Where pods find the certificates that Vault's is checked against.
    """
    way_in = {"kubeconfig": str(kubeconfig)} if kubeconfig else {"in_cluster": True}
    values = {name: each for name, each in _changed(settings) if name not in _NOT_TOLD}
    if settings.cluster is not None:
        of_cluster = values["cluster"]
        own = {name: each for name, each in of_cluster.items() if name not in _OF_THE_WAY_IN}
        values["cluster"] = {**way_in, **own}
    if vault_of_pods(settings) is None:
        _leave_vault_out(values)
    elif vault_authority is not None:
        values["vault"]["ca_file"] = str(vault_authority)
    return "\n\n".join(_tables("", values))


def _leave_vault_out(values: dict[str, Any]) -> None:
    values.pop("vault", None)
    for side in (values["prod"], values["sandbox"]):
        if side.pop("vault_role", None) is not None:
            side.pop("dsn", None)  # what stands in the file wins over a variable


def _changed(table: BaseModel) -> Iterator[tuple[str, Any]]:
    for name, field in type(table).model_fields.items():
        value = getattr(table, name)
        if isinstance(value, BaseModel):
            if inner := dict(_changed(value)):
                yield name, inner
        elif isinstance(value, SecretStr):
            # Where Vault or a Secret gives the login, this says where the server is.
            if _holds_no_login(value.get_secret_value()):
                yield name, value.get_secret_value()
        elif not isinstance(value, Path | None) and value != field.default:
            yield name, value


def _holds_no_login(dsn: str) -> bool:
    try:
        return set(conninfo_to_dict(dsn)) <= _NO_LOGIN
    except ProgrammingError:
        return False  # it is no connection string, and may be anything


def _tables(name: str, values: dict[str, Any]) -> Iterator[str]:
    own = {key: value for key, value in values.items() if not isinstance(value, dict)}
    # Strings, numbers, truths and lists of them read the same in JSON.
    lines = (f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in own.items())
    if own:
        yield "\n".join([*([f"[{name}]"] if name else []), *lines])
    for key, inner in values.items():
        if isinstance(inner, dict):
            yield from _tables(f"{name}.{key}" if name else key, inner)
