"""Who attacks: the sandbox's identities, one with less care than theirs, and the dump's login."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from psycopg import sql

from harness.postgres.connection import load_sql

if TYPE_CHECKING:
    from harness.integrity.twin.blueprint import Blueprint
    from harness.postgres.connection import Connection

_LOGINS = load_sql(__package__, "logins.sql")
_WITHOUT_INHERIT = "twin_noinherit"
_ANYBODY = "twin_anybody"
_PROD = "twin_prod"


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody who attempts things.

    Args:
        name: What reports call it.
        user: The login.
        role: The role that it acts as from the beginning, or None for the login itself.
        alike: How many logins there are that nothing tells from this one, itself included.
        of: Whose it is; the dump's sessions start every transaction read-only.
    """

    name: str
    user: str
    role: str | None = None
    alike: int = 1
    of: Literal["sandbox", "dump"] = "sandbox"

    def __str__(self) -> str:
        others = f" and {self.alike - 1} like it" if self.alike > 1 else ""
        known = self.user if self.of == "dump" else self.role or self.user
        return f"{self.name} ({known}{others})"


def make_strangers(blueprint: Blueprint, admin: Connection) -> None:
    """Make the identities that the target has none of.

    Args:
        blueprint: The target.
        admin: A superuser's session on the twin.
    """
    owner = sql.Identifier(blueprint.sandbox.side.owner_role)
    member, anybody = sql.Identifier(_WITHOUT_INHERIT), sql.Identifier(_ANYBODY)
    admin.execute(sql.SQL("CREATE ROLE {} LOGIN NOINHERIT").format(member))
    admin.execute(sql.SQL("GRANT {} TO {}").format(owner, member))
    admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(anybody))


def prods_login(blueprint: Blueprint, admin: Connection) -> str:
    """The login through which prod goes on working on the twin: the target's own, where it can.

    Args:
        blueprint: The target.
        admin: A superuser's session on the twin.
    """
    prod = blueprint.prod.side
    if prod.acts_as == prod.owner_role:
        return prod.login.user
    names = {"login": sql.Identifier(_PROD), "owner": sql.Identifier(prod.owner_role)}
    admin.execute(sql.SQL("CREATE ROLE {login} LOGIN").format(**names))
    admin.execute(sql.SQL("GRANT {owner} TO {login}").format(**names))
    return _PROD


def identities(blueprint: Blueprint, admin: Connection) -> tuple[Identity, ...]:
    """Everybody who attempts things, as the roles are now.

    Args:
        blueprint: The target.
        admin: A superuser's session on the twin.
    """
    prod, sandbox = blueprint.prod.side, blueprint.sandbox.side
    values = {
        "owner": sandbox.owner_role,
        "named": list(blueprint.attackers),
        "made": [_WITHOUT_INHERIT, _ANYBODY],
    }
    return (
        Identity("owner role", sandbox.login.user, sandbox.owner_role),
        *(
            Identity("leased login", user, alike=alike)
            for user, alike in admin.execute(_LOGINS, values)
        ),
        Identity("member without INHERIT", _WITHOUT_INHERIT),
        Identity("any login", _ANYBODY),
        Identity("the dump's login", prod.login.user, prod.acts_as, of="dump"),
    )
