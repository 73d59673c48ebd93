"""The Vault plane: whether the harness's identity could have a login that is not its own.

Vault is asked what it would allow (`sys/capabilities-self`); no path is read, none is tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.credentials.vault.client import ForbiddenError
from harness.credentials.vault.session import entered
from harness.integrity.finding import Finding, Unproven

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.settings import Settings
    from harness.settings.vault import VaultSettings

_GROUP = 15
"""Around the database."""

_DENY = ["deny"]
_MADE_UP = "sandbox-lifecycle-asks"
"""Stands for every name that nobody has thought of: a policy with a pattern takes it, too."""

_OWNER = "whoever leases a login of prod's owner can change and drop prod"
_PROVIDER = "the provider's login is a superuser's: it can do everything to every database"
_NAMED = "the settings say that it must be denied"
_OTHERS = "logins of other roles, prod's among them, could be leased"
_STATEMENTS = "the provider runs what stands there as a superuser"
_RIGHTS = "it could give itself any right"
_TOKENS = "a token of its own making outlives the run, and what it leases"
_LEASES = "prod's own logins could be ended"


@dataclass(frozen=True, slots=True)
class VaultPlane:
    """What Vault was asked, and what it answered.

    Args:
        address: Which Vault.
        policies: The policies that give the harness its rights there.
        paths: What it was asked about, each of which must be denied.
        findings: What must be denied, and is not.
        unproven: Why nothing is proven.
    """

    address: str
    policies: tuple[str, ...]
    paths: tuple[str, ...]
    findings: tuple[Finding, ...]
    unproven: tuple[Unproven, ...]


def look(settings: Settings, own: VaultSettings) -> VaultPlane:
    """Ask about every path that must be denied.

    Args:
        settings: The target.
        own: Its table of Vault.

    Raises:
        VaultError: Vault does not let the harness in, or does not answer.
    """
    forbidden = dict(_forbidden(settings, own))
    with entered(own, settings.deadlines) as token:
        try:
            answers = token.capabilities(list(forbidden))
        except ForbiddenError as error:
            gap = _unproven(f"{error.what}: {error.found}")
            return VaultPlane(own.address, token.policies, tuple(forbidden), (), (gap,))
    return VaultPlane(
        address=own.address,
        policies=token.policies,
        paths=tuple(forbidden),
        findings=tuple(_findings(forbidden, answers, token.policies)),
        unproven=(),
    )


def _forbidden(settings: Settings, own: VaultSettings) -> Iterator[tuple[str, str]]:
    """Every path that is asked about, and what would come of it."""
    mount = own.mount
    yield own.prod_owner_path, _OWNER
    yield own.provider_path, _PROVIDER
    yield from ((path, _NAMED) for path in own.denied_paths)
    yield f"{mount}/creds/{_MADE_UP}", _OTHERS
    yield f"{mount}/static-creds/{_MADE_UP}", _OTHERS
    roles = (settings.prod.vault_role, settings.sandbox.vault_role, _MADE_UP)
    yield from ((f"{mount}/roles/{role}", _STATEMENTS) for role in roles if role)
    yield f"{mount}/config/{own.connection}", _STATEMENTS
    yield f"{mount}/config/{_MADE_UP}", _STATEMENTS
    yield f"{mount}/rotate-root/{own.connection}", _STATEMENTS
    auth = own.auth_mount or ("approle" if own.kubernetes_role is None else "kubernetes")
    yield f"auth/{auth}/role/{_MADE_UP}", _RIGHTS
    yield f"auth/{auth}/config", _RIGHTS
    for path in ("policies/acl", "policy", "auth", "mounts"):
        yield f"sys/{path}/{_MADE_UP}", _RIGHTS
    yield "sys/raw", _RIGHTS
    yield "auth/token/create", _TOKENS
    yield "auth/token/create-orphan", _TOKENS
    yield f"auth/token/create/{_MADE_UP}", _TOKENS
    yield "sys/leases/revoke", _LEASES
    yield f"sys/leases/revoke-prefix/{mount}", _LEASES
    yield f"sys/leases/revoke-force/{mount}", _LEASES
    yield "auth/token/accessors", "the tokens of others could be listed, and ended"


def _findings(
    forbidden: dict[str, str], answers: dict[str, list[str]], policies: Sequence[str]
) -> Iterator[Finding]:
    who = f"the harness, by {', '.join(policies) or 'no policy'}"
    for path, harm in forbidden.items():
        allowed = answers.get(path, ["no answer"])
        if allowed == _DENY:
            continue
        told = f"may {', '.join(allowed)} {path}"
        yield Finding(
            id=f"vault/{_GROUP}/{path}",
            plane="vault",
            group=_GROUP,
            what=f"{who}, {told}: {harm}",
            chain=(who, told, harm),
            closes="let these policies be as sandbox-lifecycle manifests --vault prints them; with"
            f" the harness's token this then answers deny: vault token capabilities {path}",
        )


def _unproven(why: str) -> Unproven:
    return Unproven(
        id=f"vault/{_GROUP}/capabilities",
        plane="vault",
        group=_GROUP,
        what="that the harness can lease no login but its own",
        why=why,
    )
