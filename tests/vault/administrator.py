"""What the administrators of a platform set up in its Vault, and in its PostgreSQL for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import make_conninfo

from harness.credentials.vault import setup
from harness.settings import Settings
from harness.sides import Prod, Sandbox

from .server import CONNECTION, MOUNT

if TYPE_CHECKING:
    from harness.sides import Login

    from .server import Server

READ_ROLE = "erp_read_role"
PROD_ROLE, SANDBOX_ROLE = "erp-read", "erp-sandbox"
OWNER_ROLE, PROVIDER_ROLE = "erp", "provider"
FORBIDDEN = tuple(f"{MOUNT}/creds/{role}" for role in (OWNER_ROLE, PROVIDER_ROLE))
"""Where prod's owner and the superuser are leased: there for others, and never read by us."""


def approle(server: Server) -> tuple[str, str]:
    """RoleID and SecretID of the harness; `lay_out` says what it may do."""
    role = f"/v1/auth/approle/role/{setup.NAME}"
    adapter = server.admin.adapter
    adapter.post(role, json={"token_policies": ["default"]})
    secret = adapter.post(f"{role}/secret-id")["data"]["secret_id"]
    return adapter.get(f"{role}/role-id")["data"]["role_id"], secret


def leasing(target: Settings, server: Server, **of_vault: Any) -> Settings:
    """A target whose logins are known, as whoever leases them writes it: without user or password.

    Args:
        target: The target.
        server: Its Vault.
        of_vault: The way in, and whatever else is to stand in the table about Vault.
    """
    values = target.model_dump(exclude_none=True)
    sides = {
        "prod": (Prod.of(target).login, {"vault_role": PROD_ROLE, "read_role": READ_ROLE}),
        "sandbox": (Sandbox.of(target).login, {"vault_role": SANDBOX_ROLE}),
    }
    for name, (login, own) in sides.items():
        values[name] |= {"dsn": _without_login(login), **own}
        values[name].pop("password_file", None)
    values["vault"] = {
        "address": server.address,
        "ca_file": str(server.authority),
        "mount": MOUNT,
        "connection": CONNECTION,
        "prod_owner_path": FORBIDDEN[0],
        "provider_path": FORBIDDEN[1],
        **of_vault,
    }
    return Settings.of(values, origin="whoever leases its logins")


def lay_out(server: Server, settings: Settings, provisioner: Login) -> None:
    """Let Vault lease the logins of a target, as what `manifests --vault` prints says.

    Args:
        server: The Vault.
        settings: The target.
        provisioner: The superuser that makes the logins, on any database of the server.
    """
    admin = server.admin
    host, port = provisioner.host, provisioner.port
    admin.adapter.post(
        f"/v1/{MOUNT}/config/{CONNECTION}",
        json={
            "plugin_name": "postgresql-database-plugin",
            "allowed_roles": ["*"],
            "connection_url": f"postgresql://{{{{username}}}}:{{{{password}}}}@{host}:{port}/postgres",
            "username": provisioner.user,
            "password": provisioner.password,
            "password_authentication": "scram-sha-256",
        },
    )
    admin.sys.create_or_update_policy(setup.NAME, setup.policy(settings))
    admit(server, settings)
    for path, payload in setup.database_roles(settings).items():
        admin.adapter.post(f"/v1/{path}", json=payload)
    # What a platform has beside: the application's own logins on prod, and the provider's.
    for role, options in ((OWNER_ROLE, "IN ROLE erp_role"), (PROVIDER_ROLE, "SUPERUSER")):
        create = f"CREATE ROLE \"{{{{name}}}}\" LOGIN {options} PASSWORD '{{{{password}}}}'"
        admin.adapter.post(
            f"/v1/{MOUNT}/roles/{role}",
            json={"db_name": CONNECTION, "creation_statements": [create]},
        )
    with psycopg.connect(replace(provisioner, database="erp").conninfo) as session:
        session.execute(setup.read_role(settings).encode())


def admit(server: Server, settings: Settings) -> None:
    """Let the harness log in the way that its settings name, as the same script says."""
    path, payload = setup.auth_role(settings)
    server.admin.adapter.post(f"/v1/{path}", json=payload)


def _without_login(login: Login) -> str:
    return make_conninfo(host=login.host, port=login.port, dbname=login.database)
