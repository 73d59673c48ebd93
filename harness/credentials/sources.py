"""The one seam through which every command gets its logins, wherever they come from."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import SecretStr

from harness.cluster import client as cluster
from harness.cluster.errors import before_any_change
from harness.credentials.vault.session import session
from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.settings import Settings, SideSettings
    from harness.settings.side import SecretSettings

_SIDES = ("prod", "sandbox")
_RECORDS = ".logins"


@dataclass(frozen=True, slots=True)
class Logins:
    """A target whose logins are known.

    Args:
        settings: The same target; each side's DSN is complete, and names no further source.
        told: What somebody should know; grows while the run goes on.
    """

    settings: Settings
    told: list[str]


@contextmanager
def logins(settings: Settings, run: str) -> Iterator[Logins]:
    """Get the logins of a target; what is leased for them is revoked at the end of the block.

    A target whose logins are known already, as those of the block itself, is taken as it is: who
    holds logins for longer than one command opens them once.

    Args:
        settings: The target.
        run: Id of the run that they are for.

    Raises:
        ConfigurationError: A login cannot be had; nothing has been changed.
        UndoOutstandingError: The block is done, and what was leased may be alive still.
    """
    found = {name: _from_secret(settings, name) for name in _SIDES if _side(settings, name).secret}
    roles = {name: role for name in _SIDES if (role := _side(settings, name).vault_role)}
    if settings.vault is None or not roles:
        yield Logins(_resolved(settings, found), [])
        return
    folder = settings.vault.records or settings.golden.directory / _RECORDS
    with session(settings.vault, roles.values(), folder, run, settings.deadlines) as leased:
        for name, role in roles.items():
            own = leased.logins[role]
            found[name] = (own.user, own.password)
        yield Logins(_resolved(settings, found), leased.told)


def _side(settings: Settings, name: str) -> SideSettings:
    return settings.prod if name == "prod" else settings.sandbox


def _from_secret(settings: Settings, name: str) -> tuple[str, str]:
    secret: SecretSettings | None = _side(settings, name).secret
    if secret is None or settings.cluster is None:
        raise ConfigurationError(f"{name}.secret needs the table [cluster]")
    entries = (secret.user_key, secret.password_key)
    with cluster.connect(settings.cluster, settings.deadlines) as found, before_any_change():
        user, password = found.secrets.read(secret.namespace, secret.name, entries)
    return user, password


def _resolved(settings: Settings, found: Mapping[str, tuple[str, str]]) -> Settings:
    changed = {
        name: _side(settings, name).model_copy(
            update={
                "dsn": _complete(_side(settings, name), name, *login),
                "secret": None,
                "vault_role": None,
            }
        )
        for name, login in found.items()
    }
    return settings.model_copy(update=changed)


def _complete(side: SideSettings, name: str, user: str, password: str) -> SecretStr:
    try:
        parts = {k: str(v) for k, v in conninfo_to_dict(side.dsn.get_secret_value()).items() if v}
    except ProgrammingError:
        parts = {}
    given = [key for key in ("user", "password") if key in parts]
    if given or not parts:
        raise ConfigurationError(
            f"{name}.dsn does not go with the source of its login",
            found=f"{' and '.join(given)} in it" if given else "no connection string",
            expected="postgresql://HOST:PORT/DATABASE: user and password come from"
            f" {name}.{'vault_role' if side.vault_role else 'secret'}",
            remedy=f"correct {name}.dsn; nothing has been changed",
        )
    return SecretStr(make_conninfo(**{**parts, "user": user, "password": password}))
