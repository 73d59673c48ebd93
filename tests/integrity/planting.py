"""Planting a mutation in a platform, and taking it away again."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from harness.local.marks import POOLER, PROVISIONER
from harness.sides import Prod, Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.settings import Settings
    from harness.sides import Login

    from .mutations import Mutation

_IN_DATABASE = re.compile(r" -- in database (.+)$")


class Planter:
    """A superuser who makes mistakes, and mends them.

    Args:
        superuser: The superuser's login.
        settings: The target, whose roles and databases are filled into the statements.
    """

    def __init__(self, superuser: Login, settings: Settings) -> None:
        prod, sandbox = Prod.of(settings), Sandbox.of(settings)
        self._superuser = superuser
        self.names = {
            "prod": prod.login.database,
            "sandbox": sandbox.login.database,
            "prod_owner": prod.owner_role,
            "owner": sandbox.owner_role,
            "harness": sandbox.login.user,
            "app": sandbox.application.user,
            "dump": prod.login.user,
            "prod_app": prod.login.user.replace("-harness", "-app"),
            "provisioner": PROVISIONER,
            "pooler": POOLER,
        }

    @property
    def major(self) -> int:
        with self._connect("postgres") as connection:
            return connection.info.server_version // 10000

    def expected(self, mutation: Mutation) -> re.Pattern[str]:
        return re.compile(
            _fill(mutation.expected, {k: re.escape(v) for k, v in self.names.items()})
        )

    @contextmanager
    def planted(self, mutation: Mutation) -> Iterator[None]:
        try:
            self.run(mutation.plant, mutation.where)
            yield
        finally:
            self.run(mutation.remove, mutation.where)

    def close(self, statement: str) -> None:
        """Run what the audit says, in the database that it says."""
        found = _IN_DATABASE.search(statement)
        database = found[1] if found else self.names["prod"]
        with self._connect(database) as connection:
            connection.execute(_IN_DATABASE.sub("", statement).encode())

    def run(self, statements: Sequence[str], where: str) -> None:
        with self._connect(_fill(where, self.names)) as connection:
            quoted = {name: sql.Identifier(value) for name, value in self.names.items()}
            quoted["owner_name"] = sql.SQL(self.names["owner"])
            for statement in statements:
                connection.execute(sql.SQL(statement).format(**quoted))

    def _connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self._superuser.conninfo, dbname=database, autocommit=True)


def _fill(text: str, names: dict[str, str]) -> str:
    # Not str.format: a regular expression has braces of its own.
    return re.sub(r"\{([a-z_]+)\}", lambda found: names[found[1]], text)
