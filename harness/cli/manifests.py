"""`sandbox-lifecycle manifests`: what a cluster needs before the harness can work on it."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  typer needs the type at run time
from typing import Annotated

import typer

from harness import manifests as base
from harness.cli.options import ConfigOption, Target, TargetOption, answering, settings_of
from harness.credentials import access
from harness.credentials.vault import setup
from harness.errors import ConfigurationError
from harness.manifests.pods import Pods

verb = typer.Typer()


@verb.command("manifests")
def manifests(
    target: TargetOption = Target.local,
    config: ConfigOption = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="DIRECTORY",
            help="Write them there as a kustomize base, for `kubectl apply -k DIRECTORY`.",
        ),
    ] = None,
    vault: Annotated[  # noqa: FBT002  a flag
        bool, typer.Option("--vault", help="Print what Vault needs instead, as a script for sh.")
    ] = False,
) -> None:
    """Print what a cluster needs before the harness can work on it, for `kubectl apply -f -`."""
    with answering(as_json=False):
        settings = settings_of(target, config)
        if vault:
            typer.echo(setup.script(settings))
            return
        cluster = settings.clustered(
            "there is no cluster to print manifests for",
            expected="the names of the namespaces, the Application and the Deployment",
        )
        names, pods = base.Names.of(cluster), Pods.of(settings)
        further = access.render(settings, names)
        if output is None:
            typer.echo(base.render(names, pods, further))
        else:
            _write(output, base.files(names, pods, further))
            typer.echo(f"kubectl apply -k {output}")


def _write(directory: Path, files: dict[str, str]) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (directory / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"the manifests cannot be written to {directory}",
            found=str(error),
            expected="a folder, there or not yet, that this user may write to",
            remedy="name another one with --output",
        ) from error
