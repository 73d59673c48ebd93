"""What was true of the sandbox when its content was last known to be golden.

It is kept on the golden-cache volume, beside the durable dump: the rehearsing application has the
same owner role as the shadow, and must not be able to bend what a reset believes. A baseline that
is older than the last reset is still a true one, so it need not be written together with a commit.
"""

from __future__ import annotations

import os
from datetime import datetime  # noqa: TC003  pydantic needs the type at run time
from typing import TYPE_CHECKING, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.golden.anatomy import Anatomy  # noqa: TC001  pydantic needs the type at run time
from harness.golden.doubt import DoubtError

if TYPE_CHECKING:
    from pathlib import Path

BASELINE = "baseline.json"


class TableBaseline(BaseModel):
    """One table of schema public, and its shadow.

    Args:
        oid: The table's OID.
        filenode: Where its rows lie; another one after TRUNCATE and whatever rewrites a table.
        columns: Its columns, as the shadow has them, with their numbers in the table.
        rows: How many rows it holds.
        vacuums: How many vacuums it has had.
        written: How many row versions its counters count.
        shadow_filler: Id of the transaction that filled the shadow, modulo 2^32: no row of it may
            have another.
        shadow_vacuums: How many vacuums the shadow has had.
        shadow_unfrozen: How many pages of the shadow are not frozen as a whole; None where that
            cannot be seen.
        moved: Rows that a reset has put back: the place of the shadow's row, and where the row is
            now in the table.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    oid: int
    filenode: int
    columns: dict[str, int]
    rows: int
    vacuums: int
    written: int
    shadow_filler: int
    shadow_vacuums: int
    shadow_unfrozen: int | None
    moved: dict[str, str] = {}


class Baseline(BaseModel):
    """The sandbox at that moment.

    Args:
        format: Version of this layout.
        generation: The golden copy that the content is equal to.
        system_identifier: The server's.
        database_oid: The sandbox database's.
        threshold: A row version whose transaction id is below it was there; full, of 64 bits.
        own: The transaction of the last reset, whose row versions are golden, too.
        server_started: When the server was started.
        statistics_since: When the counters of the database were last set to zero.
        defined: As `threshold`, for the rows of the system catalogues.
        catalogues: Number of rows of each system catalogue.
        defining: How many row versions were written to them, as counters count.
        shadow_catalogue: Digest of the shadow's own definitions.
        elsewhere: Objects outside of public and the shadow that are not the system's.
        sequences: Where every sequence stands: last value, and whether it was called.
        fetched: How often each was fetched to be read or written, as counters count; those that are
            not known are left out.
        anatomies: What is known of the definitions of tables that a reset has looked into, by OID.
        tables: By name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    generation: str
    system_identifier: int
    database_oid: int
    threshold: int
    own: int | None
    server_started: datetime
    statistics_since: datetime | None
    defined: int
    catalogues: dict[str, int]
    defining: int
    shadow_catalogue: str
    elsewhere: tuple[str, ...]
    sequences: dict[str, tuple[int, bool]]
    fetched: dict[str, int] = {}
    anatomies: dict[int, Anatomy] = {}
    tables: dict[str, TableBaseline]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The baseline in the folder of a golden copy.

        Raises:
            DoubtError: There is none, or it is none.
        """
        path = folder / BASELINE
        if not path.is_file():
            raise DoubtError("no shadow was kept with this golden copy")
        try:
            found = cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise DoubtError(f"{BASELINE} of the golden copy is not readable") from error
        if found.generation != folder.name:
            raise DoubtError(f"{BASELINE} is of another golden copy, {found.generation}")
        return found

    def write(self, folder: Path) -> None:
        """Put it into the folder of a golden copy, in the place of the one before.

        The disk is not waited for: what ends the machine empties the shadow, too.
        """
        self.put(self.draft(folder))

    def draft(self, folder: Path) -> Path:
        """Write it into the folder under another name, which is returned."""
        draft = folder / f".{BASELINE}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(self.model_dump_json().encode())
        return draft

    @staticmethod
    def put(draft: Path) -> None:
        """Give a draft its name."""
        draft.replace(draft.with_name(BASELINE))

    @staticmethod
    def forget(folder: Path) -> None:
        """Remove it: the shadow of this golden copy is gone, or about to go."""
        (folder / BASELINE).unlink(missing_ok=True)
