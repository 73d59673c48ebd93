"""`sandbox-lifecycle watch`: what runs in the cluster and undoes what a dead run has left."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path  # noqa: TC003  typer needs the type at run time
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.console import Terminal
from harness.cli.options import ConfigOption, Target, TargetOption, answering, settings_of
from harness.errors import ConfigurationError
from harness.lifecycle.watch import watch as go_on_watching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.progress import Advance

verb = typer.Typer()


class Alive:
    """A file that is touched as long as the watchdog gets on with its work.

    Args:
        path: The file; None: nobody looks.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._terminal = Terminal()

    def touch(self) -> None:
        """Show a sign of life.

        Raises:
            ConfigurationError: The file cannot be written.
        """
        if self._path is None:
            return
        try:
            self._path.touch()
        except OSError as error:
            raise ConfigurationError(
                f"no sign of life can be written to {self._path}",
                found=str(error),
                expected="a file, there or not yet, in a folder that this user may write to",
                remedy="name another one with --alive",
            ) from error

    @contextmanager
    def phase(self, title: str, total: int | None = None) -> Iterator[Advance]:
        """Tell of a phase of a recovery, which is a sign of life at its beginning and its end."""
        self.touch()
        with self._terminal.phase(title, total) as advance:
            yield advance
        self.touch()


@verb.command("watch")
def watch(
    target: TargetOption = Target.local,
    config: ConfigOption = None,
    alive: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Touch this file in every round, for a liveness probe."),
    ] = None,
) -> None:
    """Watch the Lease, and undo what a dead run has left, until told to end."""
    signs = Alive(alive)
    with answering(as_json=False):
        settings = settings_of(target, config)
        signs.touch()
        try:
            go_on_watching(settings, signs, _tell, signs.touch)
        except KeyboardInterrupt as interrupt:
            # It is how a watchdog ends: whatever it had begun is finished, or undone.
            for note in getattr(interrupt, "__notes__", ()):
                _tell(note.strip())
            _tell("told to end")


def _tell(text: str) -> None:
    """One line, seen at once by whoever follows the log."""
    typer.echo(text)
