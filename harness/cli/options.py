"""What all commands have in common: the target, how they answer, and their exit codes."""

from __future__ import annotations

from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness import beginning
from harness.cli.console import Answer
from harness.errors import INTERRUPTED, ConfigurationError, LifecycleError
from harness.local import instance
from harness.reports.form import Form
from harness.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator


class Target(StrEnum):
    """What a command works on."""

    local = "local"
    live = "live"


TargetOption = Annotated[Target, typer.Option(help="The sandbox of `local up`, or a live one.")]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--sandbox-config",
        metavar="FILE",
        help="TOML file that describes the live target.",
    ),
]
FormOption = Annotated[
    Form | None,
    typer.Option("--format", help="Default: what the name of FILE asks for, else text."),
]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", metavar="FILE", help="Write to this file, not to stdout."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object to stdout.")]


@contextmanager
def answering(*, as_json: bool) -> Iterator[Answer]:
    """Print what a command achieved, or why it failed, and end it with the exit code for that."""
    answer = Answer(as_json=as_json)
    beginning.begin()
    try:
        yield answer
    except LifecycleError as error:
        answer.error(error)
        raise typer.Exit(error.exit_code) from error
    except KeyboardInterrupt as interrupt:
        answer.interrupted(list(getattr(interrupt, "__notes__", ())))
        raise typer.Exit(INTERRUPTED) from interrupt


def settings_of(target: Target, config: Path | None) -> Settings:
    """The settings of the target that a command works on.

    Raises:
        ConfigurationError: There is none, or the options contradict one another.
    """
    if target is Target.live:
        return Settings.live(config)
    if config is not None:
        raise ConfigurationError(
            "--sandbox-config describes a live target, and the target is local",
            found=f"--sandbox-config {config} without --target=live",
            expected="both or neither: a live target is never taken by accident",
            remedy="add --target=live, or leave --sandbox-config out",
        )
    return instance.load_settings()
