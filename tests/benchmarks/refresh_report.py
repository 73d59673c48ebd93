"""What was measured of a refresh as a table, and whether the limits were held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Column, Table

from tests.benchmarks.verdict import Verdict, megabytes, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.benchmarks.measured import Measured

_MEGABYTE = 1e6
_MOST_TIMES = 1.5
_MOST_MEMORY = 150
_MOST_GROWTH = 10


def verdicts(small: Measured, large: Measured) -> Iterator[Verdict]:
    """Every limit of a refresh, and what was measured."""
    yield Verdict("ratio", large.ratio, _MOST_TIMES)
    for measured in (small, large):
        yield Verdict(
            f"memory at scale {measured.scale:g}",
            measured.own_peak / _MEGABYTE,
            _MOST_MEMORY,
            " MB",
        )
    growth = abs(large.own_peak / small.own_peak - 1) * 100
    yield Verdict("memory at the two scales, apart by", growth, _MOST_GROWTH, " %")


def table(small: Measured, large: Measured) -> Table:
    """One column for each size."""
    scales = (f"scale {measured.scale:g}" for measured in (small, large))
    result = Table("", *(Column(scale, justify="right", no_wrap=True) for scale in scales))
    for rows in _rows(tuple(large.refreshes[0].phases)):
        for title, tell in rows.items():
            result.add_row(title, tell(small), tell(large))
        result.add_section()
    return result


def _rows(phases: Iterable[str]) -> Iterator[dict[str, Callable[[Measured], str]]]:
    """The sections of the table: what a row is called, and how its value is told."""
    yield {
        "prod": lambda measured: megabytes(measured.prod_bytes),
        "sandbox at the end": lambda measured: megabytes(measured.sandbox_bytes),
    }
    yield {
        "refresh": lambda measured: seconds(run.seconds for run in measured.refreshes),
        **{phase: _phase(phase) for phase in phases},
        "outside the phases": lambda measured: seconds(
            run.seconds - sum(run.phases.values()) for run in measured.refreshes
        ),
    }
    yield {
        "bare": lambda measured: seconds(run.seconds for run in measured.bares),
        "pg_dump -Fc": lambda measured: seconds(run.dump for run in measured.bares),
        "pg_restore -j2": lambda measured: seconds(run.restore for run in measured.bares),
    }
    yield {"lean": lambda measured: seconds(run.seconds for run in measured.leans)}
    yield {
        "refresh / bare": lambda measured: f"{measured.ratio:.2f}",
        "refresh / lean": lambda measured: f"{measured.lean_ratio:.2f}",
    }
    yield {
        "peak memory of the command": lambda measured: megabytes(measured.own_peak),
        "with its client tools": lambda measured: megabytes(measured.tree_peak),
    }


def _phase(title: str) -> Callable[[Measured], str]:
    def tell(measured: Measured) -> str:
        return seconds(run.phases[title] for run in measured.refreshes)

    return tell
