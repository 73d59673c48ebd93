"""Rights of owners: of databases, of objects in prod, and of what all databases share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.integrity.reach import statements
from harness.integrity.reach.known import MENTIONS
from harness.integrity.reach.rights import Right

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.integrity.catalogue.database import Contents, Mention
    from harness.integrity.catalogue.server import Holding, Server
    from harness.sides import Sandbox

_CODE = {"function", "procedure", "aggregate", "event trigger", "operator", "language"}
_WAYS_OUT = {"foreign-data wrapper", "server", "user mapping", "subscription", "publication"}
# Where ALTER wants another word than the one that pg_identify_object says.
_ALTERED = {
    "composite type": "TYPE",
    "foreign-data wrapper": "FOREIGN DATA WRAPPER",
    "statistics object": "STATISTICS",
}
_NEVER_HANDED_ON = {"default acl", "extension", "user mapping"}


def of_databases(server: Server, sandbox: Sandbox) -> Iterator[Right]:
    """The right to drop, rename or hand on a database other than the sandbox."""
    for database in server.databases.values():
        if database.name == sandbox.login.database:
            continue
        heir = (
            statements.identifier(sandbox.prod_owner_role)
            if database.name == sandbox.prod_database
            else "CURRENT_USER"
        )
        yield Right(
            role=database.owner,
            group=1,
            key=f"owner of database {database.name}",
            what=f"could drop, rename or hand on database {database.name}",
            closes=f"ALTER DATABASE {statements.identifier(database.name)} OWNER TO {heir};",
        )


def of_objects(contents: Contents, server: Server, owner: str) -> Iterator[Right]:
    """What a role owns, or is named in, in a database that is not its own.

    The owner of the database itself is left out: what it could do is told of the database.

    Args:
        contents: The database.
        server: Its server.
        owner: Name of the role that should own its objects.
    """
    here = server.databases[contents.database]
    for mention in contents.mentions:
        if not mention.is_shared and mention.role != here.owner:
            yield from _of_mention(mention, server, contents, owner)


def of_shared_objects(mentions: Iterable[Mention], server: Server) -> Iterator[Right]:
    """Ownership of tablespaces, subscriptions, and whatever else all databases share."""
    for mention in mentions:
        if mention.is_shared and mention.how == "o" and mention.class_name != "pg_database":
            yield Right(
                role=mention.role,
                group=10 if mention.kind in _WAYS_OUT else 13,
                key=f"owner of {mention.kind} {mention.name}",
                what=f"could change or drop {mention.kind} {mention.name}",
                closes=statements.here(
                    _hand_on(mention, server.name(mention.role), "CURRENT_USER"), mention.home
                ),
            )


def of_holdings(
    server: Server, holdings: Iterable[Holding], looked_into: set[str]
) -> Iterator[Right]:
    """Objects that a role owns in databases that nobody could look into."""
    for holding in holdings:
        if holding.how == "o" and holding.database not in looked_into | {None}:
            where, role = str(holding.database), server.name(holding.role)
            yield Right(
                role=holding.role,
                group=1,
                key=f"owner of entries of {holding.class_name} in database {where}",
                what=f"could change what it owns in database {where}, for others to run",
                closes=statements.here(f"DROP OWNED BY {statements.identifier(role)};", where),
            )


def _of_mention(
    mention: Mention, server: Server, contents: Contents, owner: str
) -> Iterator[Right]:
    how = MENTIONS.get(mention.how, f"noted as {mention.how} with")
    if mention.how == "a" and _is_explained(mention, contents):
        return
    if not how:
        return
    name = f"{mention.kind} {mention.name}"
    role = server.name(mention.role)
    closes = (
        _hand_on(mention, role, statements.identifier(owner))
        if mention.how == "o"
        else f"DROP OWNED BY {statements.identifier(role)};"
    )
    yield Right(
        role=mention.role,
        group=_group(mention),
        key=f"{how} {name} in {contents.database}",
        what=f"could change or drop {name} in {contents.database}"
        if mention.how == "o"
        else f"is expected at {name} in {contents.database}",
        closes=statements.here(closes, contents.database),
    )


def _is_explained(mention: Mention, contents: Contents) -> bool:
    """Whether the grants that the audit understands tell why the role is named there."""
    if mention.class_name == "pg_default_acl":
        return any(entry.grantee == mention.role for entry in contents.defaults)
    return any(
        grant.grantee == mention.role and mention.name.startswith(grant.name)
        for grant in contents.grants
    )


def _group(mention: Mention) -> int:
    if mention.kind in _CODE or mention.how == "r":
        return 9
    return 10 if mention.kind in _WAYS_OUT else 1


def _hand_on(mention: Mention, role: str, heir: str) -> str:
    if mention.kind in _NEVER_HANDED_ON:
        return f"DROP OWNED BY {statements.identifier(role)};"
    kind = _ALTERED.get(mention.kind, mention.kind.upper())
    return f"ALTER {kind} {mention.name} OWNER TO {heir};"
