"""Rights that were granted: on what all databases share, and in prod."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING

from harness.integrity.catalogue.server import PUBLIC
from harness.integrity.reach import statements
from harness.integrity.reach.rights import Right

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence

    from harness.integrity.catalogue.database import Contents, Default, Grant
    from harness.integrity.catalogue.server import Server, SharedGrant
    from harness.sides import Sandbox

# What every database grants to PUBLIC to begin with; from prod it has to be taken away.
_USUAL = {"CONNECT", "TEMPORARY"}
# More objects than these in one schema are told together.
_TOLD_ONE_BY_ONE = 5
_GROUPS = {
    "DATABASE": 5,
    "FOREIGN DATA WRAPPER": 10,
    "FOREIGN SERVER": 10,
    "LANGUAGE": 8,
    "LARGE OBJECT": 13,
    "PARAMETER": 11,
    "ROUTINE": 8,
    "SCHEMA": 5,
    "SEQUENCE": 7,
    "TABLE": 6,
    "TABLESPACE": 13,
    "TYPE": 5,
}
_DATABASE = {
    "CONNECT": "open sessions on it, and there read its catalogues, take advisory locks, hold back"
    " vacuum and use up connection slots",
    "CREATE": "make schemas in it",
    "TEMPORARY": "fill the disk with temporary tables in it",
}
_DEFAULT_KINDS = {
    "r": "TABLES",
    "S": "SEQUENCES",
    "f": "ROUTINES",
    "T": "TYPES",
    "n": "SCHEMAS",
    "L": "LARGE OBJECTS",
}


def on_shared_objects(server: Server, sandbox: Sandbox) -> Iterator[Right]:
    """Grants on databases other than the sandbox, on tablespaces and on parameters."""
    for grant in server.grants:
        privileges = grant.privileges
        if grant.kind == "DATABASE" and grant.name != sandbox.prod_database:
            if grant.name == sandbox.login.database:
                continue
            if grant.grantee == PUBLIC:
                privileges = [name for name in privileges if name not in _USUAL]
        if privileges:
            yield _on_shared_object(grant, privileges, server)


def in_prod(prod: Contents, server: Server) -> Iterator[Right]:
    """Grants in prod beyond those that every database starts with, now and on what is to come.

    Without CONNECT nobody can use them; they are told all the same, since one safeguard is not to
    stand for two.
    """
    meant = [
        grant
        for grant in prod.grants
        # To look up names is all that USAGE of a schema allows by itself.
        if (grant.kind, grant.grantee, grant.privileges) != ("SCHEMA", PUBLIC, ["USAGE"])
    ]
    yield from _in_database(meant, prod.database, server)
    for entry in prod.defaults:
        yield _by_default(entry, prod.database, server)


def on_ways_out(
    contents: Contents, server: Server, harmless: Container[str], own: Container[int]
) -> Iterator[Right]:
    """Grants in any other database on what leads out of it.

    Those are PostgreSQL's own functions, tables and schema, foreign servers, extensions' functions,
    and whatever others will make there.

    Args:
        contents: The database.
        server: Its server.
        harmless: Extensions whose functions lead nowhere.
        own: Roles whose objects lead nowhere.
    """
    meant = [
        grant
        for grant in contents.grants
        if grant.kind in ("FOREIGN DATA WRAPPER", "FOREIGN SERVER")
        or (grant.is_system and (grant.kind in ("TABLE", "ROUTINE") or grant.name == "pg_catalog"))
        or (grant.extension and grant.kind == "ROUTINE" and grant.extension not in harmless)
    ]
    yield from _in_database(meant, contents.database, server)
    for entry in contents.defaults:
        if server.oid(entry.creator) not in own:
            yield _by_default(entry, contents.database, server)


def _on_shared_object(grant: SharedGrant, privileges: Sequence[str], server: Server) -> Right:
    kind = grant.kind.lower()
    able = (
        "; ".join(_DATABASE.get(name, name) for name in privileges)
        if grant.kind == "DATABASE"
        else "put files there"
        if grant.kind == "TABLESPACE"
        else f"change it: {', '.join(privileges)}"
    )
    name = grant.name if grant.kind == "PARAMETER" else statements.identifier(grant.name)
    return Right(
        role=grant.grantee,
        group=_GROUPS[grant.kind],
        key=_told(privileges, f"{kind} {grant.name}", grantable=grant.is_grantable),
        what=f"could reach {kind} {grant.name}: {able}",
        closes=statements.revoke(privileges, grant.kind, [name], server.name(grant.grantee)),
    )


def _in_database(grants: Iterable[Grant], database: str, server: Server) -> Iterator[Right]:
    alike: dict[tuple[object, ...], list[Grant]] = defaultdict(list)
    for grant in grants:
        # A column is told by itself: there is no statement for many.
        apart = f"{grant.name}.{grant.column}" if grant.column else ""
        same = (grant.grantee, grant.kind, grant.schema, tuple(grant.privileges))
        alike[*same, grant.is_grantable, apart].append(grant)
    for group in alike.values():
        together = len(group) > _TOLD_ONE_BY_ONE and statements.revoke_throughout(
            group[0].privileges, group[0].kind, group[0].schema, server.name(group[0].grantee)
        )
        if together:
            first = group[0]
            # Exact also of many: the fingerprint is another when one more is granted.
            names = "\n".join(grant.name for grant in group)
            print_ = hashlib.sha256(names.encode()).hexdigest()[:12]
            what = f"{len(group)} {first.kind.lower()}s of schema {first.schema} ({print_})"
            yield _granted(first, what, database, together)
        else:
            for grant in group:
                closes = statements.revoke(
                    [
                        name + (f" ({grant.column})" if grant.column else "")
                        for name in grant.privileges
                    ],
                    grant.kind,
                    [grant.name],
                    server.name(grant.grantee),
                )
                column = f"column {grant.column} of " if grant.column else ""
                yield _granted(
                    grant, f"{column}{grant.kind.lower()} {grant.name}", database, closes
                )


def _granted(grant: Grant, what: str, database: str, closes: str) -> Right:
    return Right(
        role=grant.grantee,
        group=_GROUPS[grant.kind],
        key=_told(grant.privileges, f"{what} in {database}", grantable=grant.is_grantable),
        what=f"was granted {', '.join(grant.privileges)} on {what} in {database}",
        closes=statements.here(closes, database),
    )


def _by_default(entry: Default, database: str, server: Server) -> Right:
    kind = _DEFAULT_KINDS.get(entry.object_type, f"objects of kind {entry.object_type}")
    privileges = ", ".join(entry.privileges)
    where = f" in schema {entry.schema}" if entry.schema else ""
    what = f"{kind.lower()} yet to come by {entry.creator}{where} in {database}"
    schema = f" IN SCHEMA {statements.identifier(entry.schema)}" if entry.schema else ""
    role = statements.grantee(server.name(entry.grantee))
    return Right(
        role=entry.grantee,
        group=12,
        key=f"{privileges} on {what}",
        what=f"will be granted {privileges} on {what}",
        closes=statements.here(
            f"ALTER DEFAULT PRIVILEGES FOR ROLE {statements.identifier(entry.creator)}{schema}"
            f" REVOKE {privileges} ON {kind} FROM {role};",
            database,
        ),
    )


def _told(privileges: Sequence[str], what: str, *, grantable: bool) -> str:
    option = ", to be granted on" if grantable else ""
    return f"{', '.join(privileges)} on {what}{option}"
