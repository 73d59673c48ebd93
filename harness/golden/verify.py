"""More than the rows that were touched: whole tables, or everything, against the golden copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.golden.doubt import DoubtError
from harness.golden.manifest import Manifest
from harness.postgres.difference import differences
from harness.postgres.fingerprint import measure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.postgres.connection import Connection
    from harness.settings import Settings


def verify(
    connection: Connection, settings: Settings, folder: Path, looked_at: Sequence[str]
) -> None:
    """Compare what the transaction is about to leave with the golden copy, as far as settings say.

    Args:
        connection: The session that has put rows back.
        settings: How much to verify.
        folder: The folder of the golden copy.
        looked_at: Tables that may have been written.

    Raises:
        DoubtError: Something differs; it is named.
    """
    if settings.golden.verify == "touched":
        return
    golden = Manifest.read(folder).fingerprint
    only = looked_at if settings.golden.verify == "tables" else None
    found = measure(connection, settings.checks.provisioner_functions, only)
    wrong = differences(golden, found, grants=True)
    if only is not None:
        wrong = [item for item in wrong if item.kind == "rows" and item.name in only]
    if wrong:
        raise DoubtError(f"the content is not golden after all: {wrong[0]}")
