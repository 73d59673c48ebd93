"""`--job`: a verb that is done in the cluster, and told here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.console import Terminal, table
from harness.lifecycle.job import run_as_job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cli.console import Answer
    from harness.settings import Settings

JobOption = Annotated[
    bool,
    typer.Option(
        "--job",
        help="Do it in the cluster, as a Job: for a machine that cannot reach the database or the"
        " golden copies.",
    ),
]


def answer_by_job(answer: Answer, settings: Settings, verb: str, *arguments: str) -> None:
    """Do a verb as a Job, relay what it prints, and print its result as if it were this run's."""
    done = run_as_job(settings, verb, arguments, Terminal(), _relay)
    answer.result(done, table(list(_rows(done))))


def _relay(line: str) -> None:
    typer.echo(line, err=True)


def _rows(done: dict[str, Any]) -> Iterator[tuple[str, object]]:
    for name, value in done.items():
        label = name.replace("_", " ")
        if isinstance(value, dict):
            yield label, ", ".join(f"{key} {each}" for key, each in value.items())
        elif isinstance(value, list):
            yield from ((label, each) for each in value)
        elif value is not None:
            yield label, value
