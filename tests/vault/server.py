"""A real Vault: initialised, unsealed, with the engines and the log that a platform has."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import hvac
import requests
import trustme
from hvac.exceptions import InvalidPath

from harness.deadlines import Deadline, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOUNT = "postgres"
CONNECTION = "postgres"
_SOON = Deadline(10, "a second on an idle machine")


@dataclass(frozen=True)
class Server:
    """A running Vault.

    Args:
        address: Where.
        authority: File with the certificate that its own is checked against.
        admin: A client with the root token.
        log: The audit device's file; it is raw, since nothing here is a secret of anybody's.
    """

    address: str
    authority: Path
    admin: hvac.Client
    log: Path

    def requests(self, since: int = 0) -> list[dict[str, Any]]:
        """Every request that was answered, from the log, oldest first."""
        lines = self.log.read_text(encoding="utf-8").splitlines()[since:]
        return [entry for line in lines if (entry := json.loads(line))["type"] == "response"]

    def mark(self) -> int:
        """How long the log is now."""
        return len(self.log.read_text(encoding="utf-8").splitlines())

    def paths(self, since: int = 0) -> list[str]:
        return [entry["request"]["path"] for entry in self.requests(since)]

    def leases(self) -> list[str]:
        """Ids of the leases of logins that are alive."""
        found = []
        roles = self._listed(f"sys/leases/lookup/{MOUNT}/creds")
        for role in roles:
            own = f"{MOUNT}/creds/{role}".rstrip("/")
            found += [f"{own}/{name}" for name in self._listed(f"sys/leases/lookup/{own}")]
        return found

    def await_no_leases(self) -> None:
        """Vault ends leases in the background once their token has ended."""

        def none_left() -> None:
            assert self.leases() == []

        eventually(none_left, _SOON)

    def _listed(self, path: str) -> list[str]:
        try:
            keys: list[str] = self.admin.adapter.list(f"/v1/{path}")["data"]["keys"]
        except InvalidPath:
            return []
        return keys


def opened(address: str, authority: Path, log: Path) -> Server:
    """A Vault that has just been started: initialised, unsealed, with its engines and its log.

    Args:
        address: Where it listens.
        authority: File with the certificate that its own is checked against.
        log: Where it is to write down what it is asked.
    """
    server = reached(address, authority, log, token="")
    admin = server.admin
    made = admin.sys.initialize(secret_shares=1, secret_threshold=1)
    admin.sys.submit_unseal_key(made["keys"][0])
    admin.token = made["root_token"]
    # Every request from here on is in it.
    admin.sys.enable_audit_device("file", options={"file_path": str(log), "log_raw": "true"})
    admin.sys.enable_auth_method("approle")
    admin.sys.enable_secrets_engine("database", path=MOUNT)
    return server


def reached(address: str, authority: Path, log: Path, *, token: str) -> Server:
    """One that runs, as its administrator reaches it."""
    return Server(address, authority, _client(address, authority, token), log)


def _client(address: str, authority: Path, token: str) -> hvac.Client:
    session = requests.Session()
    session.trust_env = False  # a proxy of the shell's would be between us
    session.verify = str(authority)
    return hvac.Client(url=address, token=token, session=session)


@contextmanager
def vault_server(program: Path, folder: Path) -> Iterator[Server]:
    """Start one, with an audit log; it is gone at the end."""
    authority = trustme.CA(organization_name="Vault of a test")
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(folder / "authority.pem")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    with (
        (folder / "messages").open("wb") as messages,
        subprocess.Popen(
            [program, "-cert", folder / "cert.pem", "-key", folder / "key.pem"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=messages,
            text=True,
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            address = process.stdout.readline().strip()
            server = opened(address, folder / "authority.pem", folder / "audit.log")
            yield server
            server.admin.adapter.close()
        finally:
            # It ends with its standard input.
            process.stdin.close()
            process.wait(_SOON.seconds)
