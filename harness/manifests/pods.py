"""What the pods of the manifests are, as the values that are filled into them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from harness.errors import ConfigurationError
from harness.manifests.told import told_to_pods, vault_of_pods
from harness.settings.in_cluster import InClusterSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.settings import Settings
    from harness.settings.vault import VaultSettings

_WITHIN_DATA = " " * 4
_AUTHORITY = "vault-authority.pem"
_HTTPS = 443


@dataclass(frozen=True, slots=True)
class Mounts:
    """Where a pod finds its volumes.

    Args:
        settings: The settings that it is told.
        golden: Golden copies.
        work: Whatever is written and need not stay.
    """

    settings: str = "/etc/sandbox-lifecycle"
    golden: str = "/golden"
    work: str = "/work"


@dataclass(frozen=True, slots=True)
class Pods:
    """Image, volumes, times and network of the pods.

    Args:
        settings: The table about them.
        told: The settings file that they are told, without logins.
        mounts: Where they find their volumes.
        vault_port: The port at which they reach Vault; None where they need not.
        vault_authority: The certificates that Vault's is checked against; empty for the system's.
    """

    settings: InClusterSettings = field(default_factory=InClusterSettings)
    told: str = ""
    mounts: Mounts = Mounts()
    vault_port: int | None = None
    vault_authority: str = ""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The pods of a target.

        Raises:
            ConfigurationError: The certificates that Vault's is checked against cannot be read.
        """
        vault, mounts = vault_of_pods(settings), Mounts()
        authority = _certificates(vault.ca_file) if vault and vault.ca_file else ""
        place = Path(mounts.settings, _AUTHORITY) if authority else None
        return cls(
            settings.in_cluster,
            told_to_pods(settings, vault_authority=place),
            mounts,
            settings.in_cluster.vault_port or (_port(vault) if vault else None),
            authority,
        )

    @property
    def values(self) -> dict[str, str]:
        """What is filled in. JSON is YAML, so whatever has parts is written as such."""
        own = self.settings
        plain = ("image", "pull_policy", "storage_size", "memory_limit", "schedule", "secret")
        vault = [self.vault_port] if self.vault_port else []
        return {
            **{name: getattr(own, name) for name in plain},
            # Left out, and not null: applied again, null would take away what the cluster has set.
            "storage_class": f"storageClassName: {own.storage_class}" if own.storage_class else "",
            "job_seconds": str(own.job_seconds),
            "keep_seconds": str(own.keep_seconds),
            "nightly_suspended": json.dumps(not own.nightly),
            "watchdogs": str(int(own.watchdog)),
            "database_rule": _rule(own.database_networks, [own.database_port]),
            "api_rule": _rule(own.api_networks, own.api_ports),
            "vault_rule": f"- {_rule(own.vault_networks, vault)}" if vault else "",
            "settings": indent(self.told, _WITHIN_DATA),
            "vault_authority": _entry(_AUTHORITY, self.vault_authority),
            "settings_path": self.mounts.settings,
            "golden_path": self.mounts.golden,
            "work_path": self.mounts.work,
        }


def _entry(name: str, text: str) -> str:
    """A further entry of the ConfigMap; nothing where there is no text."""
    return f"{name}: |\n{indent(text, _WITHIN_DATA)}" if text else ""


def _certificates(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        told = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigurationError(
            "pods cannot be told how Vault proves who it is",
            found=f"{file}: {told}",
            expected="a file with certificates, as PEM",
            remedy="correct vault.ca_file; nothing has been changed",
        ) from error


def _port(vault: VaultSettings) -> int:
    return urlsplit(vault.address).port or _HTTPS


def _rule(networks: Iterable[str], ports: Iterable[int]) -> str:
    """A rule of a network policy; without networks it is about every address."""
    peers = [{"ipBlock": {"cidr": network}} for network in networks]
    rule: dict[str, Any] = {"to": peers} if peers else {}
    return json.dumps(rule | {"ports": [{"protocol": "TCP", "port": port} for port in ports]})
