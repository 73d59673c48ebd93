"""A platform whose logins Vault leases: laid out with what `manifests --vault` prints."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import make_conninfo

from harness.credentials.vault import setup
from harness.settings import Settings
from tests.recovery.place import Ended
from tests.settings_file import write_settings

from .server import CONNECTION, MOUNT, Server

if TYPE_CHECKING:
    from pathlib import Path

    from harness.local.platform import LocalPlatform

READ_ROLE = "erp_read_role"
PROD_ROLE, SANDBOX_ROLE = "erp-read", "erp-sandbox"
OWNER_ROLE, PROVIDER_ROLE = "erp", "provider"
LIFE_SECONDS = 600
"""Far longer than a test: what is gone by its end was revoked, and did not end by itself."""
SHORT = 3
_LONGEST_RUN = 60
_LEASED = """
SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolname ~ '^v-(approle|kubernet)-' ORDER BY 1
"""


@dataclass
class Place:
    """A platform and its Vault.

    Args:
        platform: The platform.
        vault: Its Vault.
        folder: For files of the test's own.
        settings: The target as whoever uses Vault writes it: without a user or a password.
    """

    platform: LocalPlatform
    vault: Server
    folder: Path
    settings: Settings = field(init=False)

    def __post_init__(self) -> None:
        self.settings = self._settings()
        self._lay_out()

    def superuser(self, database: str) -> psycopg.Connection[tuple[Any, ...]]:
        login = replace(self.platform.superuser, database=database)
        return psycopg.connect(login.conninfo, autocommit=True)

    def leased(self) -> list[str]:
        """The leased logins that PostgreSQL knows now."""
        with self.superuser("postgres") as session:
            return [name for (name,) in session.execute(_LEASED)]

    @property
    def records(self) -> list[Path]:
        """What is noted of runs that are alive, or were killed."""
        return list((self.settings.golden.directory / ".logins").glob("*.json"))

    def with_vault(self, **changed: Any) -> Settings:
        """The same target with other settings of Vault."""
        assert self.settings.vault is not None
        vault = self.settings.vault.model_copy(update=changed)
        return self.settings.model_copy(update={"vault": vault})

    def start(
        self,
        *command: str,
        death: str = "SIGKILL",
        edge: str = "never",
        phase: str = "",
        settings: Settings | None = None,
    ) -> subprocess.Popen[str]:
        """The command in a process of its own, dying where it is told to."""
        config = write_settings(self.folder / "sandbox.toml", settings or self.settings)
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.recovery.dying", death, edge, phase),
                *(*command, "--target=live", f"--sandbox-config={config}"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, verb: str, **how: Any) -> Ended:
        """The same, to its end."""
        with self.start(verb, "--json", **how) as process:
            out, err = process.communicate(timeout=_LONGEST_RUN)
        return Ended(process.returncode, json.loads(out) if out else {}, err)

    def assert_nothing_leased(self) -> None:
        """Everything is revoked: in Vault, in PostgreSQL, and no run is noted."""
        self.vault.await_no_leases()
        assert self.leased() == []
        assert self.records == []

    def _settings(self) -> Settings:
        server, own = self.platform.superuser, self.platform.settings
        role_id, secret_id = self._approle()
        secret_file = self.folder / "secret-id"
        secret_file.touch(mode=0o600)
        secret_file.write_text(f"{secret_id}\n", encoding="utf-8")

        def dsn(database: str) -> str:
            return make_conninfo(host=server.host, port=server.port, dbname=database)

        values = own.model_dump(exclude_none=True)
        values |= {
            "prod": {
                "dsn": dsn("erp"),
                "vault_role": PROD_ROLE,
                "owner_role": own.prod.owner_role,
                "read_role": READ_ROLE,
            },
            "sandbox": {
                "dsn": dsn("erp-sandbox"),
                "vault_role": SANDBOX_ROLE,
                "owner_role": own.sandbox.owner_role,
                "system_identifier": own.sandbox.system_identifier,
                "database_oid": own.sandbox.database_oid,
            },
            "vault": {
                "address": self.vault.address,
                "ca_file": str(self.vault.authority),
                "mount": MOUNT,
                "connection": CONNECTION,
                "role_id": role_id,
                "secret_id_file": str(secret_file),
                "prod_owner_path": f"{MOUNT}/creds/{OWNER_ROLE}",
                "provider_path": f"{MOUNT}/creds/{PROVIDER_ROLE}",
                "life_seconds": LIFE_SECONDS,
            },
        }
        return Settings.of(values, origin="the test")

    def _approle(self) -> tuple[str, str]:
        role = "/v1/auth/approle/role/sandbox-lifecycle"
        adapter = self.vault.admin.adapter
        adapter.post(role, json={"token_policies": ["default"]})
        secret = adapter.post(f"{role}/secret-id")["data"]["secret_id"]
        return adapter.get(f"{role}/role-id")["data"]["role_id"], secret

    def _lay_out(self) -> None:
        admin, server = self.vault.admin, self.platform.superuser
        url = f"postgresql://{{{{username}}}}:{{{{password}}}}@{server.host}:{server.port}/postgres"
        admin.adapter.post(
            f"/v1/{MOUNT}/config/{CONNECTION}",
            json={
                "plugin_name": "postgresql-database-plugin",
                "allowed_roles": ["*"],
                "connection_url": url,
                "username": server.user,
                "password": server.password,
                "password_authentication": "scram-sha-256",
            },
        )
        admin.sys.create_or_update_policy(setup.NAME, setup.policy(self.settings))
        auth = setup.auth_role(self.settings)
        for path, payload in (*setup.database_roles(self.settings).items(), auth):
            admin.adapter.post(f"/v1/{path}", json=payload)
        # What a platform has beside: the application's own logins on prod, and the provider's.
        for role, options in ((OWNER_ROLE, "IN ROLE erp_role"), (PROVIDER_ROLE, "SUPERUSER")):
            create = f"CREATE ROLE \"{{{{name}}}}\" LOGIN {options} PASSWORD '{{{{password}}}}'"
            admin.adapter.post(
                f"/v1/{MOUNT}/roles/{role}",
                json={"db_name": CONNECTION, "creation_statements": [create]},
            )
        with self.superuser("erp") as session:
            session.execute(setup.read_role(self.settings).encode())
