"""The harness's own token: short-lived, and with it ends everything that was leased through it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hvac.api.auth_methods import Kubernetes

from harness.credentials.files import first_line
from harness.credentials.vault.client import ForbiddenError, VaultError

if TYPE_CHECKING:
    from harness.credentials.vault.client import Answer, Vault

_NO_SUCH_ACCESSOR = "invalid accessor"
_NO_SUCH_TOKEN = "invalid token"  # noqa: S105  Vault's words
_SLACK_SECONDS = 5
"""What may pass between a question to Vault and its answer."""


@dataclass(frozen=True, slots=True)
class Token:
    """The token that requests are made with; the token itself is known to the client alone.

    Args:
        vault: The client.
        accessor: By which others can revoke the token, and cannot use it.
        policies: What gives it its rights.
    """

    vault: Vault
    accessor: str
    policies: tuple[str, ...]

    def renew(self, seconds: int) -> float:
        """Let it live that long from now on; returns the seconds that Vault has granted."""
        return self.vault.ask(
            "renew the harness's own token",
            lambda client: client.auth.token.renew_self(increment=f"{seconds}s"),
            lambda answer: float(answer["auth"]["lease_duration"]),
        )

    def capabilities(self, paths: list[str]) -> dict[str, list[str]]:
        """What it may do on each path; nothing is done there."""
        return self.vault.ask(
            "tell what the harness may do",
            lambda client: client.sys.get_capabilities(paths),
            lambda answer: {path: list(answer["data"][path]) for path in paths},
        )

    def revoke(self) -> bool:
        """End it, and with it every lease that was made through it.

        Returns:
            Whether it was still alive.

        Raises:
            VaultError: It may be alive still.
        """
        try:
            self.vault.ask(
                "revoke the harness's own token",
                lambda client: client.auth.token.revoke_self(),
                _nothing,
            )
        except ForbiddenError as error:
            if _NO_SUCH_TOKEN not in (error.found or ""):
                raise
            return False
        return True


def enter(vault: Vault) -> Token:
    """Log in as the settings say, and refuse a token that nobody could revoke.

    Raises:
        VaultError: Vault does not let the harness in, or gives it a token of another kind.
    """
    own = vault.settings
    if own.kubernetes_role is not None:
        jwt, role = first_line(own.token_file, "vault.token_file"), own.kubernetes_role
        answer = vault.enter(
            lambda client: Kubernetes(client.adapter).login(
                role=role,
                jwt=jwt,
                mount_point=own.auth_mount or "kubernetes",
                use_token=False,
            )
        )
    else:
        secret_id = first_line(own.secret_id_file, "vault.secret_id_file")
        answer = vault.enter(
            lambda client: client.auth.approle.login(
                role_id=own.role_id,
                secret_id=secret_id,
                mount_point=own.auth_mount or "approle",
                use_token=False,
            )
        )
    token = Token(vault, answer.get("accessor", ""), tuple(answer.get("policies") or ()))
    if not token.accessor:
        raise VaultError(
            "Vault has given the harness a token that cannot be revoked",
            found=f"a token of type {answer.get('token_type', 'unknown')}, without an accessor",
            expected="a service token: what it leases ends with it",
            remedy="set token_type=service in the harness's role; nothing has been changed",
        )
    return token


def refuse_short_lived(token: Token) -> None:
    """Refuse a token that cannot be kept alive for the length of a run; then let it live shortly.

    Raises:
        VaultError: Its longest life is told.
    """
    needed = token.vault.settings.run_seconds
    is_endless = token.vault.ask(
        "tell about the harness's own token",
        lambda client: client.auth.token.lookup_self(),
        _is_endless,
    )
    granted = token.renew(needed)
    if not is_endless:
        refuse_short("the harness's own token", granted, needed, "token_max_ttl of its role")
    token.renew(token.vault.settings.life_seconds)


def _is_endless(answer: Answer) -> bool:
    """Whether it can be kept alive for ever, a period at a time."""
    facts = answer["data"]
    return bool(facts.get("period")) and not facts.get("explicit_max_ttl")


def refuse_short(what: str, granted: float, needed: int, setting: str) -> None:
    """Refuse what would end in the middle of a run.

    Raises:
        VaultError: It would.
    """
    if granted + _SLACK_SECONDS >= needed:
        return
    raise VaultError(
        f"{what} would end in the middle of a run",
        found=f"it can be kept alive for {granted:,.0f} s",
        expected=f"at least {needed:,} s, as vault.run_seconds says",
        remedy=f"raise {setting} in Vault, or lower vault.run_seconds to what a run really takes;"
        " nothing has been changed",
    )


def revoke_by_accessor(vault: Vault, accessor: str) -> None:
    """End a dead run's token; one that has ended already is as good.

    Raises:
        VaultError: It may still be alive.
    """
    try:
        vault.ask(
            "revoke the token of a dead run",
            lambda client: client.auth.token.revoke_accessor(accessor),
            _nothing,
        )
    except VaultError as error:
        # Vault before 1.17 says so by an error; since, by a warning.
        if _NO_SUCH_ACCESSOR not in (error.found or ""):
            raise


def _nothing(_answer: Answer) -> None:
    """What is wanted of an answer that says that it was done."""
