"""What a twin is made from: questions to the target, and its dumps without a single row.

The target is only read: by the harness's own logins, in sessions whose transactions start
read-only.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING

from psycopg.rows import class_row

from harness.errors import FailedError
from harness.integrity.twin import likeness
from harness.postgres.connection import connect, load_sql, read_only_transaction
from harness.sides import Prod, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.deadlines import Deadline
    from harness.integrity.twin.likeness import Likeness
    from harness.postgres.connection import Connection, Run
    from harness.postgres.tools import ClientTools, Finished
    from harness.settings import Settings

_QUERY = load_sql(__package__, "blueprint.sql")
_WITHOUT_STATISTICS = 18


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to be known of one database; the columns of `blueprint.sql`."""

    bootstrap: str
    extensions: list[str]
    native_functions: list[str]
    computed_partitions: list[str]
    unreadable: list[str]
    settings: dict[str, str]
    entrances: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Side:
    """One database of the target.

    Args:
        side: Where it is, and as whom it is read.
        plan: What has to be known of it.
        like: What decides who may do what in it.
    """

    side: Prod | Sandbox
    plan: Plan
    like: Likeness = field(repr=False)

    @property
    def database(self) -> str:
        """Its name, on the target and on the twin."""
        return self.side.login.database


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What was asked of the target.

    Args:
        major: Major version of its server.
        prod: Prod's database.
        sandbox: The sandbox's.
        shared: What decides who may do what on the whole server.
        attackers: The sandbox's logins: the harness's own and the application's.
    """

    major: int
    prod: Side
    sandbox: Side
    shared: Likeness = field(repr=False)
    attackers: tuple[str, str]

    @property
    def sides(self) -> tuple[Side, Side]:
        """Both databases."""
        return self.prod, self.sandbox


@dataclass(frozen=True, slots=True)
class Dumps:
    """Files that the dump programs wrote, by what they hold."""

    directory: Path

    @property
    def roles(self) -> Path:
        """Roles, memberships, tablespaces and settings, as SQL."""
        return self.directory / "roles.sql"

    def schema(self, side: Side) -> Path:
        """One database without its rows, in custom format."""
        name = "prod" if isinstance(side.side, Prod) else "sandbox"
        return self.directory / f"{name}.dump"


def ask(settings: Settings, run: Run) -> Blueprint:
    """Ask the target what has to be known before a twin of it can be made."""
    prod, sandbox = Prod.of(settings), Sandbox.of(settings)
    with _asking(prod, settings, run) as session:
        of_prod = Side(prod, _plan(session), likeness.of_database(session))
    with _asking(sandbox, settings, run) as session:
        return Blueprint(
            major=session.info.server_version // 10000,
            prod=of_prod,
            sandbox=Side(sandbox, _plan(session), likeness.of_database(session)),
            shared=likeness.of_server(session, [prod.login.database, sandbox.login.database]),
            attackers=(sandbox.login.user, sandbox.application.user),
        )


@contextmanager
def _asking(side: Prod | Sandbox, settings: Settings, run: Run) -> Iterator[Connection]:
    with (
        connect(side, run, "twin", settings.deadlines, read_only=True) as session,
        read_only_transaction(session),
    ):
        yield session


def _plan(session: Connection) -> Plan:
    with session.cursor(row_factory=class_row(Plan)) as cursor:
        plan = cursor.execute(_QUERY).fetchone()
    if plan is None:
        raise FailedError("a query that always has one row returned none")
    return plan


@contextmanager
def dumping(
    blueprint: Blueprint, tools: ClientTools, directory: Path, run: Run
) -> Iterator[Callable[[], Dumps]]:
    """Dump the target's roles and both schemas, while the block does other work.

    Args:
        blueprint: The target.
        tools: Client tools of its major version.
        directory: A private directory for the files.
        run: The run that the sessions belong to.

    Yields:
        A function that waits for the dumps, and raises FailedError where one failed.
    """
    dumps = Dumps(directory)
    left = Event()
    watch = ending(tools.deadlines.twin, "the target was not dumped in time", left)

    with ThreadPoolExecutor(3) as pool:
        parts = [
            pool.submit(
                tools.run,
                "pg_dumpall",
                ["--globals-only", "--no-role-passwords", "--encoding=UTF8"],
                login=blueprint.sandbox.side.login,
                run=run,
                read_only=True,
                output=dumps.roles,
                watch=watch,
            ),
            *(
                pool.submit(
                    tools.run,
                    "pg_dump",
                    _schema_of(side, dumps.schema(side), tools),
                    login=side.side.login,
                    run=run,
                    read_only=True,
                    watch=watch,
                )
                for side in blueprint.sides
            ),
        ]

        def wait() -> Dumps:
            for part in parts:
                _judge(part.result())
            return dumps

        try:
            yield wait
        finally:
            left.set()


def ending(deadline: Deadline, what: str, left: Event | None = None) -> Callable[[], None]:
    """A watch for a client tool that ends it when the time is over, or nobody waits any more.

    Args:
        deadline: How long it may take, from now on.
        what: What then failed.
        left: Set when nobody waits any more.
    """
    end = time.monotonic() + deadline.seconds

    def watch() -> None:
        if time.monotonic() > end or (left is not None and left.is_set()):
            raise FailedError(
                what,
                found=f"it went on for more than {deadline.seconds:g} s, or was interrupted",
                expected=deadline.reason,
                remedy="run it again when the server is less busy, or raise deadline_scale",
            )

    return watch


def _schema_of(side: Side, path: Path, tools: ClientTools) -> list[str]:
    return [
        "--format=custom",
        "--schema-only",
        # Histograms are rows in another form.
        *(["--no-statistics"] if tools.major >= _WITHOUT_STATISTICS else []),
        "--create",
        "--compress=1",
        "--no-comments",
        f"--role={side.side.acts_as}",
        f"--lock-wait-timeout={tools.deadlines.lock.milliseconds}",
        *(f"--exclude-table={name}" for name in side.plan.unreadable),
        f"--file={path}",
    ]


def _judge(finished: Finished) -> None:
    if finished.exit_code != 0:
        raise FailedError(
            "the target's roles and schemas cannot be dumped for a twin",
            found=str(finished),
            expected="dumps by the harness's own logins; nothing of the target is changed by them",
            remedy="give these logins what the message asks for, or mend what it names",
        )
