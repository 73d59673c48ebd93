"""The verb `reset`."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from harness.cli.changes import Report, ReportOption, taken_back
from harness.cli.console import Terminal, spent, table, told
from harness.cli.job import JobOption, answer_by_job
from harness.cli.options import (
    ConfigOption,
    JsonOption,
    Target,
    TargetOption,
    answering,
    settings_of,
)
from harness.errors import ConfigurationError
from harness.golden.report.document import document
from harness.lifecycle.reset import reset as go_back

verb = typer.Typer()


class Verify(StrEnum):
    """How much is compared with the golden copy before a differential reset is committed."""

    touched = "touched"
    tables = "tables"
    full = "full"


VerifyOption = Annotated[
    Verify | None,
    typer.Option(
        help="Compare the rows that were touched (the default), also each table that was looked"
        " at, or everything. A restore is always compared with everything."
    ),
]


@verb.command("reset")
def reset(
    target: TargetOption = Target.local,
    config: ConfigOption = None,
    changes: ReportOption = None,
    verify: VerifyOption = None,
    job: JobOption = False,  # noqa: FBT002
    json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Bring the sandbox back to the newest golden copy."""
    with answering(as_json=json) as answer:
        report = Report.at(changes)
        settings = settings_of(target, config)
        if job:
            _refuse_report(report)
            chosen = [f"--verify={verify.value}"] if verify else []
            answer_by_job(answer, settings, "reset", *chosen)
            return
        if verify is not None:
            settings = settings.with_golden(verify=verify.value)
        done = go_back(settings, Terminal())
        account = taken_back(done.changes, report)
        answer.result(
            asdict(done) | {"changes": document(done.changes) if done.changes else None},
            table(
                [
                    ("golden copy", done.generation),
                    ("equal to it", f"{done.tables:,} tables, {done.rows:,} rows"),
                    ("way", f"{done.way}{f': {done.reason}' if done.reason else ''}"),
                    *account,
                    *told(done.told),
                    ("seconds", spent(done.seconds)),
                ]
            ),
        )


def _refuse_report(report: Report | None) -> None:
    if report is not None:
        raise ConfigurationError(
            "a Job writes no report of the changes to this machine",
            found="--changes together with --job",
            expected="one of the two",
            remedy="leave --changes out; --json lists what was taken back",
        )
