"""The names in braces of an attempt's statement: what they stand for on one twin, for one attacker.

| name | stands for |
|---|---|
| `prod`, `sandbox` | the databases |
| `prod_owner`, `sandbox_owner` | their owner roles |
| `prod_login` | a login of prod's |
| `superuser` | a superuser of the target |
| `prod_name`, `sequence_name` | the name as a text |
| `table`, `column` | a table of prod, with a made-up row, and a column of it |
| `sequence`, `large_object` | one of prod's |
| `prod_definer`, `sandbox_definer` | a call of a function that runs as its owner |
| `sandbox_view` | a view or foreign table in the sandbox, of another owner |
| `parameter`, `superuser_parameter` | a setting, one that is a superuser's |
| `pid` | a session of prod |
| `dsn` | how the attacker would log in to prod |
| `stranger` | a name that nothing has |

An attempt on tables, sequences or functions is made once for each kind of rights that there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from psycopg import sql
from psycopg.conninfo import make_conninfo

from harness.integrity.twin import made_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.integrity.twin.identity import Identity
    from harness.integrity.twin.made_up import MadeUp
    from harness.integrity.twin.server import Twin

    Names = Mapping[str, sql.Composable | None]
    """By name in braces; None where the target has nothing of the kind."""

_SUPERUSER = """
SELECT rolname::text FROM pg_catalog.pg_roles
WHERE rolsuper AND rolname <> %s ORDER BY oid = 10, rolname LIMIT 1
"""
_HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class Known:
    """What the names stand for on a twin, whoever attacks.

    Args:
        fixed: Names that stand for one thing.
        choices: Names of which there are several kinds of rights, and each is to be attempted.
        made_up: What was made up for them.
    """

    fixed: Names
    choices: tuple[tuple[Names, ...], ...]
    made_up: MadeUp

    def variants(self, needs: frozenset[str]) -> Iterator[Names]:
        """What the names of one attempt stand for, once for each kind of rights."""
        offered = (choice if needs & choice[0].keys() else choice[:1] for choice in self.choices)
        for chosen in product(*offered):
            names = dict(self.fixed)
            for part in chosen:
                names |= part
            yield names


def of_twin(twin: Twin) -> Known:
    """Look up what the names stand for, and make up what is to be there for them."""
    prod, sandbox = twin.blueprint.sides
    owner = sandbox.side.owner_role
    with twin.prod_session() as session:
        made = made_up.make_up(session)
    with twin.administer() as admin:
        found = admin.execute(_SUPERUSER, (twin.superuser.user,)).fetchone()
        sequences = made_up.sequences(admin)
        prod_definers = made_up.definers(admin, owner)
        parameters, of_superusers = made_up.parameters(admin)
    with twin.administer(sandbox.database) as admin:
        sandbox_definers = made_up.definers(admin, owner)
        views = made_up.views(admin, owner)
    return Known(
        fixed={
            "prod": sql.Identifier(prod.database),
            "prod_name": sql.Literal(prod.database),
            "sandbox": sql.Identifier(sandbox.database),
            "prod_owner": sql.Identifier(prod.side.owner_role),
            "sandbox_owner": sql.Identifier(owner),
            "prod_login": sql.Identifier(twin.prod.user),
            "superuser": sql.Identifier(found[0]) if found else None,
            "stranger": sql.Identifier("twin_stranger"),
        },
        choices=(
            tuple(
                {"table": table.identifier, "column": sql.Identifier(table.column)}
                for table in made.tables
            )
            or ({"table": None, "column": None},),
            tuple(
                {"sequence": sequence, "sequence_name": sql.Literal(sequence.as_string())}
                for sequence in sequences
            )
            or ({"sequence": None, "sequence_name": None},),
            _choice("large_object", map(sql.Literal, made.large_objects)),
            _choice("prod_definer", prod_definers),
            _choice("sandbox_definer", sandbox_definers),
            _choice("sandbox_view", views),
            _choice("parameter", parameters),
            _choice("superuser_parameter", of_superusers),
        ),
        made_up=made,
    )


def of_attacker(twin: Twin, identity: Identity) -> dict[str, sql.Composable]:
    """What only one attacker knows."""
    return {"dsn": sql.Literal(_dsn(twin, identity, twin.prod.password or ""))}


def shown(names: Names, twin: Twin, identity: Identity) -> dict[str, sql.Composable | None]:
    """The same names for a report: no password, though the twin's is worth nothing elsewhere."""
    return {**names, "dsn": sql.Literal(_dsn(twin, identity, _HIDDEN))}


def _choice(name: str, things: Iterable[sql.Composable]) -> tuple[Names, ...]:
    return tuple({name: thing} for thing in things) or ({name: None},)


def _dsn(twin: Twin, identity: Identity, password: str) -> str:
    where = twin.prod
    return make_conninfo(
        host=where.host,
        port=where.port,
        dbname=where.database,
        user=identity.user,
        password=password,
    )
