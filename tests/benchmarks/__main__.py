"""Run a benchmark: `python -m tests.benchmarks refresh`.

Prints what was measured and, for each limit, whether it was held. Exit code 1 if one was not.
"""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  typer needs the type at run time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from harness.cli.console import Terminal
from harness.errors import LifecycleError
from tests.benchmarks.refresh import measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.benchmarks.measured import Measured

_MEGABYTE = 1e6
_MOST_TIMES = 1.5
_MOST_MEMORY = 150
_MOST_GROWTH = 10

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A limit, and what was measured.

    Args:
        what: What is limited.
        value: What was measured.
        limit: The most that is allowed.
        unit: What both are in.
    """

    what: str
    value: float
    limit: float
    unit: str = ""

    @property
    def held(self) -> bool:
        """Whether the limit was held."""
        return self.value <= self.limit

    def __str__(self) -> str:
        held = "held" if self.held else "NOT HELD"
        return (
            f"{self.what} {self.value:.2f}{self.unit} (at most {self.limit:g}{self.unit}): {held}"
        )


@app.callback()
def benchmarks() -> None:
    """Measure what the project promises about time and memory."""


@app.command()
def refresh(
    postgres: Annotated[
        str,
        typer.Option(
            help="Where the server comes from: docker, binaries, binaries:DIRECTORY, or a"
            " superuser's connection string."
        ),
    ] = "binaries",
    small_scale: Annotated[float, typer.Option(help="The small prod; 1 is about 20 MB.")] = 1.0,
    large_scale: Annotated[
        float, typer.Option(help="The large prod, which the ratio is taken at; 15 is about 300 MB.")
    ] = 15.0,
    repeat: Annotated[int, typer.Option(min=1, help="Measurements of each kind and size.")] = 3,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write everything there too.")
    ] = None,
) -> None:
    """Time and memory of refresh-from-prod, against bare pg_dump and pg_restore."""
    console = Console(highlight=False, soft_wrap=True)
    try:
        small, large = (
            measure(scale, postgres, repeat, Terminal()) for scale in (small_scale, large_scale)
        )
    except LifecycleError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"error: {error}", markup=False)
        raise typer.Exit(error.exit_code) from error
    verdicts = list(_verdicts(small, large))
    if json_file is not None:
        told = {
            "measured": [small.as_json(), large.as_json()],
            "verdicts": [{"text": str(verdict), "held": verdict.held} for verdict in verdicts],
        }
        json_file.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    settings = ", ".join(f"{name} {value}" for name, value in sorted(large.settings.items()))
    console.print(f"{large.server}; {settings}", markup=False)
    console.print(_table(small, large))
    for verdict in verdicts:
        console.print(str(verdict), markup=False)
    if not all(verdict.held for verdict in verdicts):
        raise typer.Exit(1)


def _verdicts(small: Measured, large: Measured) -> Iterator[Verdict]:
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


def _table(small: Measured, large: Measured) -> Table:
    scales = (f"scale {measured.scale:g}" for measured in (small, large))
    table = Table("", *(Column(scale, justify="right", no_wrap=True) for scale in scales))
    for rows in _rows(tuple(large.refreshes[0].phases)):
        for title, tell in rows.items():
            table.add_row(title, tell(small), tell(large))
        table.add_section()
    return table


def _rows(phases: Iterable[str]) -> Iterator[dict[str, Callable[[Measured], str]]]:
    """The sections of the table: what a row is called, and how its value is told."""
    yield {
        "prod": lambda measured: _megabytes(measured.prod_bytes),
        "sandbox at the end": lambda measured: _megabytes(measured.sandbox_bytes),
    }
    yield {
        "refresh": lambda measured: _seconds(run.seconds for run in measured.refreshes),
        **{phase: _phase(phase) for phase in phases},
        "outside the phases": lambda measured: _seconds(
            run.seconds - sum(run.phases.values()) for run in measured.refreshes
        ),
    }
    yield {
        "bare": lambda measured: _seconds(run.seconds for run in measured.bares),
        "pg_dump -Fc": lambda measured: _seconds(run.dump for run in measured.bares),
        "pg_restore -j2": lambda measured: _seconds(run.restore for run in measured.bares),
    }
    yield {"lean": lambda measured: _seconds(run.seconds for run in measured.leans)}
    yield {
        "refresh / bare": lambda measured: f"{measured.ratio:.2f}",
        "refresh / lean": lambda measured: f"{measured.lean_ratio:.2f}",
    }
    yield {
        "peak memory of the command": lambda measured: _megabytes(measured.own_peak),
        "with its client tools": lambda measured: _megabytes(measured.tree_peak),
    }


def _phase(title: str) -> Callable[[Measured], str]:
    def tell(measured: Measured) -> str:
        return _seconds(run.phases[title] for run in measured.refreshes)

    return tell


def _seconds(values: Iterable[float]) -> str:
    """The median, and the spread."""
    taken = sorted(values)
    return f"{statistics.median(taken):.2f} s ({taken[0]:.2f} to {taken[-1]:.2f})"


def _megabytes(size: float) -> str:
    return f"{size / _MEGABYTE:.1f} MB"


if __name__ == "__main__":
    app()
