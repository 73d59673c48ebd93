"""Prod from a dump that the user gives, with its owners and grants, and with its roles."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.errors import ConfigurationError, FailedError
from harness.local import archive, prod_roles
from harness.local.marks import PROD_DATABASE
from harness.postgres.connection import Run
from harness.postgres.tools import find_tools
from harness.settings import ToolSettings

if TYPE_CHECKING:
    from pathlib import Path

    from harness.deadlines import Deadlines
    from harness.local.layout import Layout
    from harness.local.runs import LocalRun
    from harness.local.servers import LocalServer
    from harness.postgres.dump import Contents
    from harness.postgres.tools import ClientTools, Finished
    from harness.progress import Progress

_JOBS = 2
_TABLES = """
SELECT schemaname::text, tablename::text FROM pg_catalog.pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
"""


@dataclass(slots=True)
class DumpedProd:
    """A dump in pg_dump's custom format.

    Args:
        dump: The dump.
        roles: A script with the roles that it names, or None.
    """

    dump: Path
    roles: Path | None
    _tools: ClientTools | None = field(default=None, init=False)
    _contents: Contents | None = field(default=None, init=False)

    def check(
        self, server: LocalServer, run: LocalRun, deadlines: Deadlines, progress: Progress
    ) -> None:
        """Refuse a dump that cannot be restored on this server, and roles that would harm it."""
        settings = ToolSettings(companion_directory=server.client_tools)
        self._tools = find_tools(settings, server.major, deadlines)
        with progress.phase(f"read {self.dump}"):
            self._contents = archive.check(self.dump, self._tools, run.path)
        if self.roles is not None:
            prod_roles.check(self.roles, server)

    def prepare(self, server: LocalServer, run: LocalRun) -> None:
        """Make the roles that the dump names."""
        if self.roles is not None:
            prod_roles.make(self.roles, self._checked()[0], server, run)

    def fill(
        self,
        server: LocalServer,
        logins: Layout,  # noqa: ARG002  the protocol's shape
        run: LocalRun,
        progress: Progress,
    ) -> None:
        """Restore it as a superuser: the owners and grants of each object are the dump's own."""
        tools, contents = self._checked()
        listing = run.path / "prod-restored"
        listing.write_text("\n".join(contents.lines) + "\n", encoding="utf-8")
        with progress.phase(f"fill prod from {self.dump}"):
            finished = tools.run(
                "pg_restore",
                [f"--use-list={listing}", f"--jobs={_JOBS}", str(self.dump)],
                login=replace(server.superuser, database=PROD_DATABASE),
                run=Run(run.id),
            )
        self._judge(server, contents, finished)

    def _checked(self) -> tuple[ClientTools, Contents]:
        if self._tools is None or self._contents is None:
            raise FailedError("a dump is used that was not checked")
        return self._tools, self._contents

    def _judge(self, server: LocalServer, contents: Contents, finished: Finished) -> None:
        """By what is there, and by what was said; an exit code says neither."""
        with server.connect(PROD_DATABASE) as connection:
            there = set(connection.execute(_TABLES).fetchall())
        missing = sorted(archive.tables(contents) - there)
        complaints = [message for message in finished.messages if ": warning: " not in message]
        if not missing and not complaints:
            return
        raise ConfigurationError(
            f"prod was not filled completely from {self.dump}",
            found="; ".join(
                [
                    *(
                        [f"{len(missing)} tables are missing, {'.'.join(missing[0])} among them"]
                        if missing
                        else []
                    ),
                    *complaints[:5],
                ]
            ),
            expected="every object of the dump, with its owner and its grants",
            remedy="give the roles that it names with --prod-globals (pg_dumpall --globals-only),"
            " and a server that has its extensions; what was laid out has been removed",
        )

    def __str__(self) -> str:
        return f"dump {self.dump}"
