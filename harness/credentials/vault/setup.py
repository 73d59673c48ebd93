"""What a platform has to do once, so that Vault leases the harness its logins and no others."""

from __future__ import annotations

import json
from importlib import resources
from string import Template
from typing import TYPE_CHECKING, Any

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from harness.settings import Settings
    from harness.settings.vault import VaultSettings

NAME = "sandbox-lifecycle"
"""The harness's policy, its AppRole, and its service account."""

_DEFAULT_READ_ROLE = "erp_read_role"
_HEAD = """#!/bin/sh
# Lets Vault lease sandbox-lifecycle its logins. Read it, then run it as an administrator of Vault
# who is logged in. PROVISIONER_DSN: a superuser's connection string to prod's database.
set -eu

psql --set ON_ERROR_STOP=1 "$PROVISIONER_DSN" <<'SQL'
{read_role}SQL

vault policy write {name} - <<'HCL'
{policy}HCL
"""
_WRITE = """
vault write {path} - <<'JSON'
{payload}
JSON
"""


def script(settings: Settings) -> str:
    """Everything, as one script for `sh` that uses the commands `psql` and `vault`.

    Raises:
        ConfigurationError: The settings name no Vault, or no role of its database engine.
    """
    head = _HEAD.format(read_role=read_role(settings), name=NAME, policy=policy(settings))
    writes = (*database_roles(settings).items(), auth_role(settings))
    return head + "".join(
        _WRITE.format(path=path, payload=json.dumps(payload, indent=1)) for path, payload in writes
    )


def read_role(settings: Settings) -> str:
    """SQL that makes the role as which prod is read; run once, in prod's database."""
    return _filled("read_role.sql", settings)


def policy(settings: Settings) -> str:
    """The harness's policy."""
    return _filled("policy.hcl", settings)


def database_roles(settings: Settings) -> dict[str, dict[str, Any]]:
    """What is written to the database engine, by path: how each login is made and ended."""
    own = _vault(settings)
    names = _names(settings)
    return {
        f"{own.mount}/roles/{names[role]}": {
            "db_name": own.connection,
            "creation_statements": [_filled(file, settings)],
            "revocation_statements": [_filled("end_lease.sql", settings)],
            "default_ttl": own.life_seconds,
            "max_ttl": _longest(own),
        }
        for role, file in (("prod_role", "lease_prod.sql"), ("sandbox_role", "lease_sandbox.sql"))
    }


def auth_role(settings: Settings) -> tuple[str, dict[str, Any]]:
    """What is written so that the harness can log in: a path, and what is written there."""
    own = _vault(settings)
    token = {
        "token_policies": [NAME],
        "token_no_default_policy": True,
        "token_type": "service",
        "token_ttl": own.life_seconds,
        "token_max_ttl": _longest(own),
    }
    if own.kubernetes_role is None:
        return f"auth/{own.auth_mount or 'approle'}/role/{NAME}", token
    if settings.cluster is None:
        raise ConfigurationError(
            "nobody says in which namespace the harness's service account is",
            found="vault.kubernetes_role, and settings without a table [cluster]",
            expected="cluster.namespace",
            remedy="add [cluster] to the settings; README.md shows a complete one",
        )
    bound = {
        "bound_service_account_names": [NAME],
        "bound_service_account_namespaces": [settings.cluster.namespace],
    }
    return f"auth/{own.auth_mount or 'kubernetes'}/role/{own.kubernetes_role}", {**bound, **token}


def _longest(own: VaultSettings) -> int:
    """More than a run may take, by what passes before it begins."""
    return own.run_seconds + own.life_seconds


def _filled(file: str, settings: Settings) -> str:
    text = resources.files(__package__).joinpath(file).read_text(encoding="utf-8")
    return Template(text).substitute(_names(settings))


def _names(settings: Settings) -> dict[str, str]:
    prod, sandbox, mount = settings.prod, settings.sandbox, _vault(settings).mount
    if prod.vault_role is None or sandbox.vault_role is None:
        raise ConfigurationError(
            "the settings name no roles of Vault's database engine",
            found="no prod.vault_role" if prod.vault_role is None else "no sandbox.vault_role",
            expected="vault_role in [prod] and in [sandbox]",
            remedy="add both to the settings; README.md shows a complete file",
        )
    own = [sandbox.owner_role, *([sandbox.shadow_owner_role] if sandbox.shadow_owner_role else [])]
    return {
        "mount": mount,
        "prod_role": prod.vault_role,
        "sandbox_role": sandbox.vault_role,
        "prod_database": _quoted(str(conninfo_to_dict(prod.dsn.get_secret_value())["dbname"])),
        "prod_owner": _quoted(prod.owner_role),
        "read_role": _quoted(prod.read_role or _DEFAULT_READ_ROLE),
        "sandbox_owner": _quoted(sandbox.owner_role),
        "sandbox_roles": ", ".join(map(_quoted, own)),
    }


def _quoted(name: str) -> str:
    return sql.Identifier(name).as_string()


def _vault(settings: Settings) -> VaultSettings:
    if settings.vault is None:
        raise ConfigurationError(
            "there is no Vault to print anything for",
            found="settings without a table [vault]",
            expected="where Vault is, and who the harness is there",
            remedy="add [vault] to the settings; README.md shows a complete one",
        )
    return settings.vault
