"""What a rehearsal changed: row by row as far as they are listed, and exact totals always."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  a report is built from it at run time
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["inserted", "updated", "deleted"]


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row that is not as it was at the checkpoint; values are PostgreSQL's text of them.

    Args:
        kind: What became of it.
        key: Its key, by column, as it is now (as it was, for a deleted row); every column where the
            table has no key. Of a setting its name too: without it nobody knows what was set.
        before: What it was, by column: of an updated row only what changed, of an inserted nothing.
        after: What it is, by column: of an updated row only what changed, of a deleted nothing.
    """

    kind: Kind
    key: Mapping[str, str | None]
    before: Mapping[str, str | None]
    after: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class TableChanges:
    """What became of the rows of one table.

    Args:
        table: Its name, in schema public.
        inserted: How many rows are new.
        updated: How many have other values under the same key.
        deleted: How many are gone.
        rows: The first of them: updated, inserted, deleted.
    """

    table: str
    inserted: int
    updated: int
    deleted: int
    rows: tuple[RowChange, ...]


@dataclass(frozen=True, slots=True)
class SequenceChange:
    """A sequence that moved; where it stood and stands: its last value, and whether it was called.

    Args:
        sequence: Its name, in schema public.
        before: At the checkpoint; None where there was none of this name.
        after: Now; None where there is none any more.
    """

    sequence: str
    before: tuple[int, bool] | None
    after: tuple[int, bool] | None


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything that is not as it was at the checkpoint.

    Args:
        generation: Id of the golden copy that the sandbox was compared with.
        tables: Those with changed rows, by name.
        sequences: Those that moved, by name.
        objects: Tables, columns, indexes, functions, grants and so on that differ, each told in one
            line.
        uncounted: Tables whose rows could not be compared, each with the reason.
        listed: At most how many rows of each kind and table are listed.
    """

    generation: str
    tables: tuple[TableChanges, ...] = ()
    sequences: tuple[SequenceChange, ...] = ()
    objects: tuple[str, ...] = ()
    uncounted: Mapping[str, str] = field(default_factory=dict)
    listed: int = 0

    @property
    def is_nothing(self) -> bool:
        """Whether all is as it was at the checkpoint."""
        return not (self.tables or self.sequences or self.objects or self.uncounted)
