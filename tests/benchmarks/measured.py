"""What the benchmark of a refresh measures, as values."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Refresh:
    """One refresh.

    Args:
        seconds: From the start of the command to its end.
        phases: What of it the command itself put down to each phase.
        own_peak: Peak memory of its process, in bytes.
        tree_peak: The same with its client tools.
    """

    seconds: float
    phases: dict[str, float]
    own_peak: int
    tree_peak: int


@dataclass(frozen=True, slots=True)
class Bare:
    """One copy by the bare tools.

    Args:
        dump: Seconds of pg_dump.
        restore: Seconds of pg_restore.
        dump_bytes: Size of the dump.
    """

    dump: float
    restore: float
    dump_bytes: int

    @property
    def seconds(self) -> float:
        """Both together."""
        return self.dump + self.restore


@dataclass(frozen=True, slots=True)
class Measured:
    """One size of prod, measured.

    Args:
        scale: Scale of the sample.
        server: What the server is, with its version.
        settings: The server's settings that matter to time.
        prod_bytes: Size of prod's database.
        sandbox_bytes: Size of the sandbox's database at the end; wipes leave dead rows.
        warm_up: The refresh before the others, into an empty sandbox.
        refreshes: The refreshes.
        bares: The bare copies.
        leans: The lean copies.
    """

    scale: float
    server: str
    settings: dict[str, str]
    prod_bytes: int
    sandbox_bytes: int
    warm_up: Refresh
    refreshes: tuple[Refresh, ...]
    bares: tuple[Bare, ...]
    leans: tuple[Bare, ...]

    @property
    def ratio(self) -> float:
        """Median time of a refresh as a multiple of the median time of a bare copy."""
        return self._median(self.refreshes) / self._median(self.bares)

    @property
    def lean_ratio(self) -> float:
        """The same against a lean copy."""
        return self._median(self.refreshes) / self._median(self.leans)

    @property
    def own_peak(self) -> int:
        """Most memory that the command's own process ever had, in bytes."""
        return max(run.own_peak for run in (self.warm_up, *self.refreshes))

    @property
    def tree_peak(self) -> int:
        """Most memory that the command and its client tools ever had, in bytes."""
        return max(run.tree_peak for run in (self.warm_up, *self.refreshes))

    def as_json(self) -> dict[str, Any]:
        """Everything measured, for a machine."""
        return asdict(self) | {
            "ratio": self.ratio,
            "lean_ratio": self.lean_ratio,
            "own_peak": self.own_peak,
            "tree_peak": self.tree_peak,
        }

    @staticmethod
    def _median(runs: Sequence[Refresh | Bare]) -> float:
        return statistics.median(run.seconds for run in runs)
