"""`sandbox-lifecycle audit`: prove the guarantees about prod, for whoever has to believe it."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.console import Terminal
from harness.cli.options import (
    ConfigOption,
    FormOption,
    OutputOption,
    Target,
    TargetOption,
    answering,
    settings_of,
)
from harness.reports.file import ReportFile
from harness.reports.form import Form

verb = typer.Typer()
_RED = 1


@verb.command("audit")
def audit(
    target: TargetOption = Target.local,
    config: ConfigOption = None,
    form: FormOption = None,
    output: OutputOption = None,
    attempts: Annotated[  # noqa: FBT002  a flag
        bool, typer.Option(help="Attempt what must fail, on a twin; without, only ask.")
    ] = True,
) -> None:
    """Prove that nothing on the sandbox's side can change prod; exit 1 where it is not proven."""
    # More than fifty modules, and no other verb needs one of them.
    from harness.integrity.report import rendered  # noqa: PLC0415
    from harness.lifecycle.audit import audit as prove  # noqa: PLC0415

    with answering(as_json=form is Form.json):
        # Whatever is wrong with the file is told before anybody is asked anything.
        file = ReportFile.at(output) if output else None
        form = form or (Form.of(output) if output else Form.text)
        report = prove(settings_of(target, config), Terminal(), attempts=attempts)
        if file is None:
            typer.echo(rendered(report, form), nl=False)
        else:
            file.write(rendered(report, form))
            typer.echo(f"{report.verdict}: {report.summary}; {file.path}")
    if not report.is_green:
        raise typer.Exit(_RED)
