"""What a platform's Vault has seen of the harness: by its audit log, its leases, and PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from .administrator import FORBIDDEN
from .server import MOUNT

if TYPE_CHECKING:
    from .server import Server

# By the way in that Vault writes into their names.
_LEASED = """
SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolname ~ '^v-(approle|kubernet)-' ORDER BY 1
"""
_ENDED, _NONE = "every one is revoked", "nothing was leased yet"
_WAYS_IN = {"auth/approle/login": "an AppRole", "auth/kubernetes/login": "a service account"}


def leased(superuser: str) -> list[str]:
    """The leased logins that PostgreSQL knows now.

    Args:
        superuser: A connection string.
    """
    with psycopg.connect(superuser) as session:
        return [name for (name,) in session.execute(_LEASED)]


@dataclass(frozen=True)
class Proof:
    """What stands in the audit log, and what is left.

    Args:
        forbidden: Requests at the paths of prod's owner and of the superuser's provider.
        entered: How many tokens were given, by the way in.
        logins: Ids of all leases of logins that were ever given.
        unrevoked: Accessors of tokens that nobody has revoked; they may have ended by themselves.
        leases: Ids of leases that are alive.
        roles: Leased logins that PostgreSQL knows.
    """

    forbidden: list[str]
    entered: dict[str, int]
    logins: list[str]
    unrevoked: list[str]
    leases: list[str]
    roles: list[str]

    @classmethod
    def of(cls, server: Server, superuser: str, since: int = 0) -> Proof:
        """As it is now.

        Args:
            server: The Vault.
            superuser: A connection string to its PostgreSQL.
            since: How many lines of the log are left out.
        """
        entries = server.requests(since)
        given = [entry for entry in entries if entry["request"]["path"] in _WAYS_IN]
        ended = {found for entry in entries if (found := _revoked(entry))}
        tokens = [(_way_in(entry), _accessor(entry)) for entry in given]
        return cls(
            forbidden=[
                f"{entry['request']['operation']} {path}"
                for entry in entries
                if (path := entry["request"]["path"]) in FORBIDDEN
            ],
            entered={
                way: sum(found == way and accessor != "" for found, accessor in tokens)
                for way in _WAYS_IN.values()
            },
            logins=[found for entry in entries if (found := _lease(entry))],
            unrevoked=[found for _, found in tokens if found and found not in ended],
            leases=server.leases(),
            roles=leased(superuser),
        )

    @property
    def complaints(self) -> list[str]:
        """What is not as it must be."""
        return [
            *(f"asked for: {each}" for each in self.forbidden),
            *(f"never revoked: the token with accessor {each}" for each in self.unrevoked),
            *(f"alive: lease {each}" for each in self.leases),
            *(f"left in PostgreSQL: {each}" for each in self.roles),
        ]

    def __str__(self) -> str:
        ways = ", ".join(f"{number} as {way}" for way, number in self.entered.items())
        summary = f"{len(self.logins)} logins leased; tokens: {ways}"
        well = f"{_ENDED if self.logins else _NONE}; nobody asked for {' or '.join(FORBIDDEN)}"
        return "\n".join([summary, *(self.complaints or [well])])


def _way_in(entry: dict[str, Any]) -> str:
    return _WAYS_IN[entry["request"]["path"]]


def _accessor(entry: dict[str, Any]) -> str:
    """That of the token that was given; empty where none was."""
    found: str = ((entry.get("response") or {}).get("auth") or {}).get("accessor", "")
    return found


def _lease(entry: dict[str, Any]) -> str:
    """The id of the lease of a login; empty where none was given."""
    if not entry["request"]["path"].startswith(f"{MOUNT}/creds/"):
        return ""
    secret = (entry.get("response") or {}).get("secret") or {}
    return str(secret.get("lease_id", ""))


def _revoked(entry: dict[str, Any]) -> str:
    """The accessor of the token that was revoked; empty where none was."""
    request = entry["request"]
    if "error" in entry:
        return ""
    if request["path"] == "auth/token/revoke-self":
        return str(entry["auth"]["accessor"])
    if request["path"] == "auth/token/revoke-accessor":
        return str((request.get("data") or {}).get("accessor", ""))
    return ""
