"""One run's session with Vault: in, the dead first, logins leased, kept alive, and all revoked."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.credentials.vault.client import VaultError, connect
from harness.credentials.vault.lease import lease
from harness.credentials.vault.records import Record, dead, recorded
from harness.credentials.vault.renewal import Renewal
from harness.credentials.vault.token import enter, refuse_short_lived, revoke_by_accessor
from harness.errors import UndoOutstandingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from harness.credentials.vault.client import Vault
    from harness.credentials.vault.lease import Lease
    from harness.credentials.vault.token import Token
    from harness.deadlines import Deadlines
    from harness.settings.vault import VaultSettings


@dataclass(frozen=True, slots=True)
class Leased:
    """What was leased for a run.

    Args:
        logins: By the name of their role.
        told: What somebody should know; grows while the run goes on.
    """

    logins: Mapping[str, Lease]
    told: list[str] = field(default_factory=list)


@contextmanager
def session(
    settings: VaultSettings, roles: Iterable[str], folder: Path, run: str, deadlines: Deadlines
) -> Iterator[Leased]:
    """Lease a login of each role for the length of the block.

    Args:
        settings: Which Vault, and who the harness is there.
        roles: Roles of its database engine.
        folder: Where the tokens of runs are noted.
        run: The run's id.
        deadlines: The table of deadlines.

    Raises:
        ConfigurationError: Vault leases none, or none that lives long enough; nothing has been
            changed, and what was leased is revoked.
        UndoOutstandingError: The block is done, and what it leased may be alive still.
    """
    told: list[str] = []
    with connect(settings, deadlines) as vault:
        token = enter(vault)
        record = Record(run=run, address=settings.address, accessor=token.accessor)
        path = record.path(folder)
        with _revoked_at_the_end(token, told, path), recorded(path, record):
            refuse_short_lived(token)
            told += _revoke_dead(vault, folder)
            logins = {role: lease(vault, role) for role in sorted(set(roles))}
            with Renewal((token, *logins.values()), settings.life_seconds, told):
                yield Leased(logins, told)


@contextmanager
def entered(settings: VaultSettings, deadlines: Deadlines) -> Iterator[Token]:
    """A token to ask questions with, revoked at the end; nothing is leased."""
    with connect(settings, deadlines) as vault:
        token = enter(vault)
        with _revoked_at_the_end(token, []):
            token.renew(settings.life_seconds)
            yield token


@contextmanager
def _revoked_at_the_end(token: Token, told: list[str], noted: Path | None = None) -> Iterator[None]:
    """End the token however the block ends; an error in the block is not hidden by one of this."""
    try:
        yield
    except BaseException as error:
        for text in told:
            error.add_note(f"Vault: {text}")
        try:
            _revoke(token, noted)
        except UndoOutstandingError as outstanding:
            error.add_note(str(outstanding))
        raise
    if not _revoke(token, noted):
        told.append("the harness's token had ended before the run did, and its logins with it")


def _revoke(token: Token, noted: Path | None) -> bool:
    try:
        was_alive = token.revoke()
    except VaultError as error:
        raise UndoOutstandingError(
            "what the run has leased from Vault is not revoked",
            found=f"{error.what}: {error.found}",
            expected="a token that is ended, and with it every login",
            remedy="sandbox-lifecycle recover revokes it; it ends by itself within"
            f" {token.vault.settings.life_seconds} s",
        ) from error
    if noted is not None:
        noted.unlink(missing_ok=True)
    return was_alive


def _revoke_dead(vault: Vault, folder: Path) -> Iterator[str]:
    with dead(folder) as found:
        for path, record in found:
            if record is None:
                yield f"{path} is no record of a run: look at it, and remove it"
                continue
            if record.address != vault.settings.address:
                continue
            try:
                revoke_by_accessor(vault, record.accessor)
            except VaultError as error:
                yield f"the logins of dead run {record.run} are not revoked: {error.found}"
                continue
            path.unlink(missing_ok=True)
            yield f"the logins of dead run {record.run} are revoked"
