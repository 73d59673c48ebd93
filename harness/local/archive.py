"""A dump that the user gives: read to its end and judged before anything is laid out for it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from harness.errors import ConfigurationError
from harness.local.marks import OWNERS, PROD_DATABASE, PROVISIONER
from harness.postgres.dump import Contents

if TYPE_CHECKING:
    from pathlib import Path

    from harness.postgres.tools import ClientTools

_MAGIC = b"PGDMP"
_ENTRY = re.compile(r"^\d+; \d+ \d+ ")
_TABLE = re.compile(r"^\d+; \d+ \d+ TABLE (?!DATA |ATTACH )(\S+) (.+) (\S+)$", re.MULTILINE)
_FROM_VERSION = re.compile(r"^;\s+Dumped from database version: (\d+)", re.MULTILINE)
# What each database has by itself: schema public, and the provisioner's function.
_PROVIDED = re.compile(
    r"^\d+; \d+ \d+ "
    r"(?:SCHEMA - public "
    r"|FUNCTION public user_lookup\(|(?:ACL|COMMENT) public FUNCTION user_lookup\()"
)
_EXPECTED = "a dump of the platform's prod: pg_dump --format=custom erp"


def check(path: Path, tools: ClientTools, scratch: Path) -> Contents:
    """Read a dump to its end.

    Args:
        path: The dump.
        tools: Client tools of the server that it is meant for.
        scratch: A directory for the listing.

    Returns:
        Its table of contents, less what each database has by itself.

    Raises:
        ConfigurationError: It is missing, cut off, of another format, from a newer server, without
            a Dolibarr in it, or of another owner.
    """
    _check_magic(path)
    listing = scratch / "prod-contents"
    listed = tools.run("pg_restore", ["--list", str(path)], output=listing)
    text = listing.read_text(encoding="utf-8", errors="replace")
    if any("unsupported version" in message for message in listed.messages):
        raise _refusal(
            path,
            f"an archive of a later pg_dump than pg_restore {tools.version} reads",
            remedy="give a server of the dump's version: --postgres binaries:DIRECTORY or a"
            " connection string",
        )
    if listed.exit_code != 0:
        raise _refusal(path, f"{listed}", remedy="dump again; the file is damaged or cut off")
    _check_version(path, text, tools.major)
    contents = Contents(tuple(line for line in text.splitlines() if _ENTRY.match(line)))
    _check_tables(path, contents)
    # The list stands at the front: only reading to the end shows that the rest is there.
    read = tools.run("pg_restore", ["--data-only", f"--file={os.devnull}", str(path)])
    if read.exit_code != 0 or read.messages:
        raise _refusal(path, f"{read}", remedy="dump or copy it again; the file is cut off")
    return Contents(tuple(line for line in contents.lines if not _PROVIDED.match(line)))


def tables(contents: Contents) -> set[tuple[str, str]]:
    """Schema and name of each table in a table of contents."""
    return {(schema, name) for schema, name, _owner in _TABLE.findall("\n".join(contents.lines))}


def _check_magic(path: Path) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(2048)
    except IsADirectoryError as error:
        raise _refusal(
            path, "a directory", remedy="dump in custom format: pg_dump --format=custom"
        ) from error
    except OSError as error:
        raise _refusal(
            path, error.strerror or str(error), remedy="correct the path of --prod-dump"
        ) from error
    if not start:
        raise _refusal(path, "an empty file", remedy="dump again; the disk may have been full")
    if not start.startswith(_MAGIC):
        raise _refusal(
            path,
            _kind(start),
            remedy="dump in custom format: pg_dump --format=custom",
        )


def _kind(start: bytes) -> str:
    if start[257:262] == b"ustar":
        return "a tar file"
    if b"PostgreSQL database dump" in start or b"CREATE " in start:
        return "SQL text"
    return "a file that does not begin with PGDMP"


def _check_version(path: Path, listing: str, major: int) -> None:
    came_from = _FROM_VERSION.search(listing)
    if came_from and int(came_from[1]) > major:
        raise _refusal(
            path,
            f"a dump of PostgreSQL {came_from[1]}, for a server of version {major}",
            remedy=f"give a server of version {came_from[1]} or later with --postgres",
        )


def _check_tables(path: Path, contents: Contents) -> None:
    filled = [name for name in contents.tables if name.startswith("llx_")]
    if not filled:
        raise _refusal(
            path,
            f"{len(contents.tables)} tables with rows, none of them named llx_…",
            remedy="dump the database of the ERP, with its rows",
        )
    owners = {
        owner
        for _schema, name, owner in _TABLE.findall("\n".join(contents.lines))
        if name.startswith("llx_")
    }
    if owners != {OWNERS[PROD_DATABASE]}:
        raise _refusal(
            path,
            f"llx_… tables that belong to {', '.join(sorted(owners))}",
            remedy=f"on the platform they belong to {OWNERS[PROD_DATABASE]} (and {PROVISIONER}"
            " owns nothing of the ERP); reassign them where the dump is made",
        )


def _refusal(path: Path, found: str, *, remedy: str) -> ConfigurationError:
    return ConfigurationError(
        f"prod cannot be filled from {path}",
        found=found,
        expected=_EXPECTED,
        remedy=f"{remedy}; nothing has been laid out",
    )
