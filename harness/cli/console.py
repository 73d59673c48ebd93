"""What a person or a program sees of the command: progress, results, errors."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from harness.errors import INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.text import Text

    from harness.errors import LifecycleError
    from harness.progress import Advance

_DECIMAL_MEGABYTE = 1e6


class Terminal:
    """Shows every phase with the time it takes: live on a terminal, as lines anywhere else."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)

    @contextmanager
    def phase(self, title: str, total: int | None = None) -> Iterator[Advance]:
        """Show one phase until it ends."""
        if not self._console.is_terminal:
            # One line when a phase begins: whoever follows a log sees where a run stands.
            self._console.print(title, markup=False)
            yield lambda _steps: None
            return
        columns = [SpinnerColumn(finished_text="✓"), TextColumn("{task.description}")]
        counting = [BarColumn(), MofNCompleteColumn()] if total is not None else []
        with Progress(*columns, *counting, TimeElapsedColumn(), console=self._console) as display:
            task = display.add_task(title, total=total)
            yield lambda steps: display.advance(task, steps)
            display.update(task, total=total or 1, completed=total or 1)


class Answer:
    """Prints the outcome of a command: text for a person, one JSON object for a program."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        # What is told is told as it is: `:bomb:` in a row is no picture.
        self._out = Console(highlight=False, emoji=False, soft_wrap=True)
        self._err = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)

    def result(self, value: Any, text: str | Text) -> None:
        """Print what was achieved.

        Args:
            value: A dataclass, for a program.
            text: The same for a person.
        """
        if self._as_json:
            plain = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
            sys.stdout.write(json.dumps({"result": plain}, default=str) + "\n")
        else:
            self._out.print(text, markup=False)

    def error(self, error: LifecycleError) -> None:
        """Print what failed, with its notes."""
        notes = list(getattr(error, "__notes__", ()))
        if self._as_json:
            told = {
                "exit_code": error.exit_code,
                "what": error.what,
                "found": error.found,
                "expected": error.expected,
                "remedy": error.remedy,
                "notes": [note.strip() for note in notes],
            }
            sys.stdout.write(json.dumps({"error": told}) + "\n")
            return
        self._err.print("\n".join([f"error: {error}", *notes]), markup=False)

    def interrupted(self, notes: list[str]) -> None:
        """Print that a signal ended the run and that it is undone."""
        text = "interrupted; everything is put back"
        if self._as_json:
            told = {
                "exit_code": INTERRUPTED,
                "what": text,
                "notes": [note.strip() for note in notes],
            }
            sys.stdout.write(json.dumps({"error": told}) + "\n")
            return
        self._err.print("\n".join([text, *notes]), markup=False)


def table(rows: Sequence[tuple[str, object]]) -> str:
    """Lines of label and value, aligned."""
    width = max(len(label) for label, _ in rows)
    return "\n".join(f"{label:<{width}}  {value}" for label, value in rows)


def megabytes(size: int) -> str:
    """A size in decimal megabytes."""
    return f"{size / _DECIMAL_MEGABYTE:,.1f} MB"


def told(notes: Sequence[str]) -> list[tuple[str, object]]:
    """A line for everything that somebody should know."""
    return [("mind", text) for text in notes]


def spent(phases: Mapping[str, float]) -> str:
    """How many seconds a run took, and each of its phases."""
    each = ", ".join(f"{title} {_figure(seconds)}" for title, seconds in phases.items())
    return f"{_figure(sum(phases.values()))} ({each})"


def _figure(seconds: float) -> str:
    """A tenth of a second is exact enough, unless that is all it took."""
    return f"{seconds:.1f}" if seconds >= 1 else f"{seconds:.3f}"
