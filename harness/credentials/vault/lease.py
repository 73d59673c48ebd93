"""A login that Vault has made for this run, and that PostgreSQL forgets when its lease ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.credentials.vault.token import refuse_short

if TYPE_CHECKING:
    from harness.credentials.vault.client import Answer, Vault


@dataclass(frozen=True, slots=True)
class Lease:
    """A leased login; the password never shows in a repr.

    Args:
        vault: The client.
        role: The role of the database engine that it is of.
        id: By which it is renewed.
        user: The login.
        password: Its password.
    """

    vault: Vault
    role: str
    id: str = field(repr=False)
    user: str
    password: str = field(repr=False)

    def renew(self, seconds: int) -> float:
        """Let it live that long from now on; returns the seconds that Vault has granted."""
        return self.vault.ask(
            f"renew the login of role {self.role}",
            lambda client: client.sys.renew_lease(self.id, increment=seconds),
            lambda answer: float(answer["lease_duration"]),
        )


def lease(vault: Vault, role: str) -> Lease:
    """Have a login made, and refuse one that cannot be kept alive for the length of a run.

    Raises:
        VaultError: Vault makes none, or its longest life is too short.
    """
    own = vault.settings

    def take(answer: Answer) -> Lease:
        data = answer["data"]
        return Lease(vault, role, answer["lease_id"], data["username"], data["password"])

    leased = vault.ask(
        f"lease a login at {own.mount}/creds/{role}",
        lambda client: client.secrets.database.generate_credentials(role, mount_point=own.mount),
        take,
    )
    granted = leased.renew(own.run_seconds)
    refuse_short(
        f"a login of role {role}", granted, own.run_seconds, f"max_ttl of {own.mount}/roles/{role}"
    )
    return leased
