"""What prod is filled with: the project's own sample, or a dump that the user gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import psycopg

from harness.errors import ConfigurationError
from harness.local import sample
from harness.local.prod_dump import DumpedProd

if TYPE_CHECKING:
    from pathlib import Path

    from harness.deadlines import Deadlines
    from harness.local.layout import Layout
    from harness.local.runs import LocalRun
    from harness.local.servers import LocalServer
    from harness.progress import Progress


class ProdContent(Protocol):
    """Something that prod can be filled with; its text tells people what it is."""

    def check(
        self, server: LocalServer, run: LocalRun, deadlines: Deadlines, progress: Progress
    ) -> None:
        """Refuse what cannot work, before anything is laid out."""

    def prepare(self, server: LocalServer, run: LocalRun) -> None:
        """Make what the layout builds on."""

    def fill(self, server: LocalServer, logins: Layout, run: LocalRun, progress: Progress) -> None:
        """Fill prod's database."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The project's own sample.

    Args:
        scale: Its size; 1 is about 20 MB.
    """

    scale: float

    def check(
        self, server: LocalServer, run: LocalRun, deadlines: Deadlines, progress: Progress
    ) -> None:
        """It needs nothing."""

    def prepare(self, server: LocalServer, run: LocalRun) -> None:
        """It needs nothing beside the layout."""

    def fill(
        self,
        server: LocalServer,  # noqa: ARG002  the protocol's shape
        logins: Layout,
        run: LocalRun,  # noqa: ARG002
        progress: Progress,
    ) -> None:
        """Fill it as the platform's application does: with a lease, acting as the owner role."""
        with psycopg.connect(logins.prod.conninfo, autocommit=True) as connection:
            sample.fill(connection, scale=self.scale, progress=progress)

    def __str__(self) -> str:
        return f"sample of scale {self.scale:g}"


def choose(scale: float, dump: Path | None, roles: Path | None) -> ProdContent:
    """What the options ask for.

    Args:
        scale: Size of the sample.
        dump: A dump to take instead, or None.
        roles: A script with the roles that the dump names, or None.

    Raises:
        ConfigurationError: The options contradict one another.
    """
    if dump is not None:
        return DumpedProd(dump, roles)
    if roles is not None:
        raise ConfigurationError(
            "--prod-globals was given without --prod-dump",
            found=str(roles),
            expected="the roles of a dump, with that dump",
            remedy="give --prod-dump FILE too, or neither of them for the sample",
        )
    if scale <= 0:
        raise ConfigurationError(
            "the sample has no such size",
            found=f"--scale {scale:g}",
            expected="a number above 0; 1 is about 20 MB, 15 about 300 MB",
            remedy="give one, or leave it out for 1",
        )
    return Sample(scale)
