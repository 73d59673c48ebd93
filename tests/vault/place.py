"""A platform whose logins Vault leases: laid out with what `manifests --vault` prints."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import psycopg

from harness.deadlines import Deadline
from tests import forked
from tests.settings_file import write_settings

from .administrator import approle, lay_out, leasing
from .proof import leased

if TYPE_CHECKING:
    from pathlib import Path

    from harness.local.platform import LocalPlatform
    from harness.settings import Settings
    from tests.forked import Ended, Started

    from .server import Server

LIFE_SECONDS = 600
"""Far longer than a test: what is gone by its end was revoked, and did not end by itself."""
SHORT = 3
_LONGEST_RUN = Deadline(60, "a few seconds on an idle machine")


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
        lay_out(self.vault, self.settings, self.platform.superuser)

    def superuser(self, database: str) -> psycopg.Connection[tuple[Any, ...]]:
        login = replace(self.platform.superuser, database=database)
        return psycopg.connect(login.conninfo, autocommit=True)

    def leased(self) -> list[str]:
        """The leased logins that PostgreSQL knows now."""
        return leased(self.platform.superuser.conninfo)

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
    ) -> Started:
        """The command in a process of its own, dying where it is told to."""
        config = write_settings(self.folder / "sandbox.toml", settings or self.settings)
        return forked.start(
            "tests.recovery.dying",
            [death, edge, phase, *command, "--target=live", f"--sandbox-config={config}"],
            self.folder / "command.out",
            self.folder / "command.err",
        )

    def run(self, verb: str, **how: Any) -> Ended:
        """The same, to its end."""
        return self.start(verb, "--json", **how).to_its_end(_LONGEST_RUN)

    def assert_nothing_leased(self) -> None:
        """Everything is revoked: in Vault, in PostgreSQL, and no run is noted."""
        self.vault.await_no_leases()
        assert self.leased() == []
        assert self.records == []

    def _settings(self) -> Settings:
        role_id, secret_id = approle(self.vault)
        secret_file = self.folder / "secret-id"
        secret_file.touch(mode=0o600)
        secret_file.write_text(f"{secret_id}\n", encoding="utf-8")
        return leasing(
            self.platform.settings,
            self.vault,
            role_id=role_id,
            secret_id_file=str(secret_file),
            life_seconds=LIFE_SECONDS,
        )
