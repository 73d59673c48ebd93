"""What the benchmark of a reset measures, as values."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.benchmarks.triggers import TriggersOrScan


@dataclass(frozen=True, slots=True)
class Command:
    """A verb as a command in a process of its own, from its start to its end.

    Args:
        seconds: How long it took.
        own_peak: Most memory that its process had, in bytes.
        tree_peak: The same with its client tools.
    """

    seconds: float
    own_peak: int
    tree_peak: int


@dataclass(frozen=True, slots=True)
class Measured:
    """One database, measured.

    Args:
        label: What was asked for.
        megabytes: The size that was asked for; None for a dump.
        origin: What the content is.
        server: What the server is, with its version.
        settings: The server's settings that matter to time.
        database_bytes: Size of the sandbox's database, without the shadow.
        shadowed_bytes: The same with the shadow.
        dump_bytes: Size of the golden dump.
        rows: Rows in all tables.
        checkpoint_seconds: What the checkpoint took: dump, fingerprint and shadow.
        ways: Seconds of each measurement of each way, by its name.
        commands: Verbs as commands, by name.
        triggers: What key-noting triggers cost, and a scan; None where it was not measured.
    """

    label: str
    megabytes: int | None
    origin: str
    server: str
    settings: dict[str, str]
    database_bytes: int
    shadowed_bytes: int
    dump_bytes: int
    rows: int
    checkpoint_seconds: float
    ways: dict[str, tuple[float, ...]]
    commands: dict[str, Command]
    triggers: TriggersOrScan | None

    def median(self, *names: str) -> float | None:
        """The least of the medians of some ways; None where none of them was measured."""
        medians = [statistics.median(self.ways[name]) for name in names if self.ways.get(name)]
        return min(medians, default=None)

    def as_json(self) -> dict[str, Any]:
        """Everything measured, for a machine."""
        return asdict(self) | {"medians": {name: self.median(name) for name in self.ways}}
