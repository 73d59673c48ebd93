"""The verb `changes`, and how a reset tells what it took back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from harness.cli.console import Terminal, table
from harness.cli.options import (
    ConfigOption,
    FormOption,
    JsonOption,
    OutputOption,
    Target,
    TargetOption,
    answering,
    settings_of,
)
from harness.errors import FailedError
from harness.golden.report import rendered
from harness.golden.report.document import document
from harness.golden.report.text import lines, summary
from harness.lifecycle.changes import changes as ask_changes
from harness.reports.file import ReportFile
from harness.reports.form import Form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.golden.changes import Changes
    from harness.golden.report.text import Tone

verb = typer.Typer()

ReportOption = Annotated[
    Path | None,
    typer.Option(
        "--changes",
        metavar="FILE",
        help="Write what was taken back to a file, in the form that its name asks for:"
        " .txt, .json or .html.",
    ),
]

_STYLES: Mapping[Tone, str] = {
    "heading": "bold",
    "inserted": "green",
    "updated": "yellow",
    "deleted": "red",
    "plain": "",
}


@verb.command("changes")
def changes(
    target: TargetOption = Target.local,
    config: ConfigOption = None,
    form: FormOption = None,
    output: OutputOption = None,
    rows: Annotated[
        int | None, typer.Option(min=0, help="List at most so many rows of each kind and table.")
    ] = None,
    json: JsonOption = False,  # noqa: FBT002
) -> None:
    """List what was changed in the sandbox since the checkpoint; nothing is taken back."""
    with answering(as_json=json) as answer:
        # Whatever is wrong with the file is told before the sandbox is asked anything.
        report = Report.at(output, form)
        settings = settings_of(target, config)
        if rows is not None:
            settings = settings.with_golden(listed_rows=rows)
        found = ask_changes(settings, Terminal()).changes
        if report:
            answer.result({"report": str(output)}, table(report.write(found)))
        elif json or form in {None, Form.text}:
            answer.result(document(found), _coloured(found))
        else:
            sys.stdout.write(rendered(found, form))


class Report:
    """A file that the changes are written to.

    Args:
        file: The file.
        form: The form of the report.
    """

    def __init__(self, file: ReportFile, form: Form) -> None:
        self._file = file
        self._form = form

    @classmethod
    def at(cls, path: Path | None, form: Form | None = None) -> Report | None:
        """The report at a path, in a form or the one that its name asks for; None without a path.

        Raises:
            ConfigurationError: Nothing can be written there, or the name asks for no form.
        """
        return cls(ReportFile.at(path), form or Form.of(path)) if path else None

    def write(self, found: Changes) -> list[tuple[str, object]]:
        """Write it, and tell what is in it, and where it is.

        Raises:
            FailedError: It cannot be written.
        """
        self._file.write(rendered(found, self._form))
        return [*summary(found), ("report", self._file.path)]

    def withdraw(self) -> None:
        """Leave no file there: an older report would be taken for this one."""
        self._file.path.unlink(missing_ok=True)


def taken_back(found: Changes | None, report: Report | None) -> list[tuple[str, object]]:
    """What a reset tells of the changes that it took back; the report is written, if one is wanted.

    Raises:
        FailedError: It cannot be written; the reset is done.
    """
    if found is None:
        if report:
            report.withdraw()
        return [("changed", f"nobody can tell{', so no report was written' if report else ''}")]
    try:
        return report.write(found) if report else list(summary(found))
    except FailedError as error:
        error.add_note("  the reset itself is done; only its report is missing")
        raise


def _coloured(found: Changes) -> Text:
    return Text("\n").join(Text(line.text, _STYLES[line.tone]) for line in lines(found))
