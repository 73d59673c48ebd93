"""The command `sandbox-lifecycle`.

Exit codes: 0 done; 1 failed, or a guarantee is broken; 2 wrong usage or configuration; 3 refused
for safety; 4 interrupted and undone; 5 undo outstanding. After 2 and 3 nothing has been changed.
"""

from __future__ import annotations

from typing import Annotated

import typer

from harness import __version__
from harness.cli.audit import verb as audit
from harness.cli.changes import verb as changes
from harness.cli.local import local
from harness.cli.manifests import verb as manifests
from harness.cli.reset import verb as reset
from harness.cli.verbs import verbs
from harness.cli.watch import verb as watch

app = typer.Typer(
    name="sandbox-lifecycle",
    help="Refresh an ERP sandbox from prod, keep a golden copy of it, and go back to that.",
    epilog="Exit codes: 0 done, 1 failed or a guarantee broken, 2 usage or configuration,"
    " 3 refused for safety, 4 interrupted and undone, 5 undo outstanding.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(verbs)
app.add_typer(reset)
app.add_typer(changes)
app.add_typer(audit)
app.add_typer(manifests)
app.add_typer(watch)
app.add_typer(local, name="local", no_args_is_help=True)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,  # noqa: FBT002  a flag
) -> None:
    """Answer options that need no command."""
    if version:
        typer.echo(__version__)
        raise typer.Exit
