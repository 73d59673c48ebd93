"""The report as JSON, for a program: everything that is known of the changes, in a stable form.

    format      1; another number where what is below would mean something else
    generation  id of the golden copy that the sandbox was compared with
    nothing     whether all is as it was
    listed      at most how many rows of each table are listed
    totals      tables, inserted, updated, deleted, sequences, objects, uncounted: exact numbers
    tables      of each table with changed rows: table; inserted, updated, deleted: exact numbers;
                rows, and of each: kind (inserted, updated, deleted), key, before, after. These
                three hold values by column: PostgreSQL's text of it, or null for NULL
    sequences   of each that moved: sequence, and before and after: last_value and is_called, or
                null where there was or is none
    objects     what else differs, a line each
    uncounted   the tables whose rows could not be compared: the reason by table

Later versions may add to it. Only ASCII is written, so it may be shown on any terminal.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.golden.changes import Changes

FORMAT = 1


def document(changes: Changes) -> dict[str, Any]:
    """The report as plain data."""
    tables = changes.tables
    return {
        "format": FORMAT,
        "generation": changes.generation,
        "nothing": changes.is_nothing,
        "listed": changes.listed,
        "totals": {
            "tables": len(tables),
            "inserted": sum(table.inserted for table in tables),
            "updated": sum(table.updated for table in tables),
            "deleted": sum(table.deleted for table in tables),
            "sequences": len(changes.sequences),
            "objects": len(changes.objects),
            "uncounted": len(changes.uncounted),
        },
        "tables": [asdict(table) for table in tables],
        "sequences": [
            {
                "sequence": item.sequence,
                "before": _position(item.before),
                "after": _position(item.after),
            }
            for item in changes.sequences
        ],
        "objects": list(changes.objects),
        "uncounted": dict(changes.uncounted),
    }


def json_text(changes: Changes) -> str:
    """The report as JSON."""
    return json.dumps(document(changes), indent=1) + "\n"


def _position(at: tuple[int, bool] | None) -> dict[str, Any] | None:
    return None if at is None else {"last_value": at[0], "is_called": at[1]}
