"""Dump schema public, and check a dump before anything relies on it."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import FailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.postgres.connection import Run
    from harness.postgres.tools import ClientTools, Finished
    from harness.sides import Prod, Sandbox

# What of a table of contents is of the environment and not of the application: the schema itself,
# and the functions that the provisioner makes in each database.
_SCHEMA = re.compile(r"^\d+; \d+ \d+ (?:SCHEMA - public|(?:ACL|COMMENT) - SCHEMA public) ")
_ENTRY = re.compile(r"^\d+; \d+ \d+ ")
_TABLE_DATA = re.compile(
    r"^\d+; \d+ \d+ (?:TABLE|MATERIALIZED VIEW) DATA public (.+) \S+$", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Contents:
    """The table of contents of a dump, as `pg_restore --list` prints it."""

    lines: tuple[str, ...]

    @property
    def tables(self) -> frozenset[str]:
        """Names of the tables in schema public whose rows the dump holds."""
        return frozenset(_TABLE_DATA.findall("\n".join(self.lines)))

    def without(self, provisioner_functions: Iterable[str]) -> Contents:
        """The same contents less the schema itself and the provisioner's functions."""
        names = "|".join(re.escape(name) for name in provisioner_functions) or r"(?!)"
        provisioned = re.compile(
            rf"^\d+; \d+ \d+ (?:FUNCTION public |(?:ACL|COMMENT) public FUNCTION )(?:{names})\("
        )
        return Contents(
            tuple(
                line for line in self.lines if not (_SCHEMA.match(line) or provisioned.match(line))
            )
        )


def dump_public(
    side: Prod | Sandbox,
    path: Path,
    *,
    snapshot: str,
    tools: ClientTools,
    run: Run,
    compression: int,
    watch: Callable[[], None] = lambda: None,
) -> Finished:
    """Write schema public of one side, as one snapshot saw it, to a file in custom format.

    The custom format writes each table in blocks of told length, so a dump that was cut off cannot
    be read to its end; in the directory format it can.

    Args:
        side: What to dump; its sessions start every transaction read-only.
        path: The file to write.
        snapshot: An exported snapshot that is still held.
        tools: The client tools.
        run: The run that the sessions belong to.
        compression: Level of gzip, 0 for none.
        watch: Called while the dump runs.
    """
    lock = tools.deadlines.lock.milliseconds
    return tools.run(
        "pg_dump",
        [
            "--format=custom",
            "--schema=public",
            f"--compress={compression}",
            f"--snapshot={snapshot}",
            f"--role={side.acts_as}",
            f"--lock-wait-timeout={lock}",
            f"--file={path}",
        ],
        login=side.login,
        run=run,
        read_only=True,
        watch=watch,
    )


def check_dump(path: Path, tables: Iterable[str], tools: ClientTools, *, origin: str) -> Contents:
    """Prove that a dump can be listed, read to its end, and holds the tables that it should.

    Args:
        path: The dump.
        tables: Names of the tables that its snapshot saw.
        tools: The client tools.
        origin: How the dump came about, for the error's text.

    Raises:
        FailedError: It does not; nothing has been wiped.
    """
    contents = _list(path, tools, origin)
    missing = sorted(frozenset(tables) - contents.tables)
    if missing:
        raise _unusable(
            path,
            f"no rows of {len(missing)} tables, {', '.join(missing[:5])} among them; {origin}",
            "every table that the dump's snapshot saw",
        )
    read = tools.run("pg_restore", ["--data-only", f"--file={os.devnull}", str(path)])
    if read.exit_code != 0:
        raise _unusable(path, str(read), "a dump that can be read to its end")
    return contents


def _list(path: Path, tools: ClientTools, origin: str) -> Contents:
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        listing = Path(scratch) / "contents"
        listed = tools.run("pg_restore", ["--list", str(path)], output=listing)
        if listed.exit_code != 0:
            raise _unusable(path, f"{listed}; {origin}", "a dump that pg_restore can list")
        lines = listing.read_text(encoding="utf-8").splitlines()
    return Contents(tuple(line for line in lines if _ENTRY.match(line)))


def _unusable(path: Path, found: str, expected: str) -> FailedError:
    return FailedError(
        f"the dump {path.name} cannot be relied on",
        found=found,
        expected=expected,
        remedy="nothing has been wiped; check disk space and the messages above, then run again",
    )
