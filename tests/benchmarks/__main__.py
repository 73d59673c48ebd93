"""Run a benchmark: `python -m tests.benchmarks refresh`, or `reset`.

Prints what was measured and, for each limit, whether it was held. Exit code 1 if one was not.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from harness.cli.console import Terminal
from harness.errors import LifecycleError
from tests.benchmarks import refresh_report, reset_report
from tests.benchmarks.refresh import measure as measure_refresh
from tests.benchmarks.reset import PARTS, databases
from tests.benchmarks.reset import measure as measure_reset

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.table import Table

    from tests.benchmarks.measured import Measured as RefreshMeasured
    from tests.benchmarks.reset_measured import Measured as ResetMeasured
    from tests.benchmarks.verdict import Verdict

JsonFile = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Write everything there too.")
]

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


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
    json_file: JsonFile = None,
) -> None:
    """Time and memory of refresh-from-prod, against bare pg_dump and pg_restore."""
    with _errors_told():
        small, large = (
            measure_refresh(scale, postgres, repeat, Terminal())
            for scale in (small_scale, large_scale)
        )
    _tell(
        (small, large),
        refresh_report.table(small, large),
        list(refresh_report.verdicts(small, large)),
        json_file=json_file,
    )


@app.command()
def reset(
    postgres: Annotated[
        str,
        typer.Option(
            help="Where the server comes from: docker, binaries or binaries:DIRECTORY. Never a"
            " server of somebody's: databases are renamed and dropped."
        ),
    ] = "binaries",
    sizes: Annotated[
        str, typer.Option(help="Sizes of the sandbox's database in MB; of 20 it is 30 in truth.")
    ] = "20,300",
    prod_dump: Annotated[
        Path | None, typer.Option(help="Measure on the content of this dump of prod, too.")
    ] = None,
    prod_globals: Annotated[
        Path | None, typer.Option(help="An SQL script with the roles that the dump names.")
    ] = None,
    repeat: Annotated[
        int, typer.Option(min=1, help="Measurements of each; 3 of what takes over 10 s.")
    ] = 7,
    only: Annotated[
        list[str] | None,
        typer.Option(help=f"Measure only this ({', '.join(PARTS)}); may be given more than once."),
    ] = None,
    json_file: JsonFile = None,
) -> None:
    """Time of a reset, against the other ways to have the sandbox as it was."""
    with _errors_told():
        measured = [
            measure_reset(database, only or PARTS, repeat, Terminal())
            for database in databases(postgres, sizes, prod_dump, prod_globals)
        ]
    _tell(
        measured,
        reset_report.table(measured),
        list(reset_report.verdicts(measured)),
        notes=reset_report.notes(measured),
        json_file=json_file,
    )


@contextmanager
def _errors_told() -> Iterator[None]:
    try:
        yield
    except LifecycleError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"error: {error}", markup=False)
        raise typer.Exit(error.exit_code) from error


def _tell(
    measured: Sequence[RefreshMeasured | ResetMeasured],
    table: Table,
    verdicts: list[Verdict],
    *,
    notes: Iterable[str] = (),
    json_file: Path | None,
) -> None:
    if json_file is not None:
        told = {
            "measured": [one.as_json() for one in measured],
            "verdicts": [{"text": str(verdict), "held": verdict.held} for verdict in verdicts],
        }
        json_file.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        # A log has no width: what it would be wrapped to is nobody's window.
        console.width = console.measure(table, options=console.options.update(width=999)).maximum
    last = measured[-1]
    settings = ", ".join(f"{name} {value}" for name, value in sorted(last.settings.items()))
    console.print(f"{last.server}; {settings}", markup=False)
    console.print(table)
    for line in (*notes, *map(str, verdicts)):
        console.print(line, markup=False)
    if not all(verdict.held for verdict in verdicts):
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
