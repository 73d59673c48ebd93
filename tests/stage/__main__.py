"""The command `python -m tests.stage`: a real cluster with Argo CD, and the platform on it."""

from __future__ import annotations

import secrets
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.console import Terminal
from harness.errors import LifecycleError
from harness.local.undo import Undo
from tests.stage import bundle, cluster, platform
from tests.stage import leases as vault
from tests.stage.kills import command
from tests.stage.report import SideBySide
from tests.vault import program as vault_program

if TYPE_CHECKING:
    from tests.stage.stage import Stage

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
_Directory = Annotated[Path | None, typer.Option(help="the directory of the stage")]


@app.command()
def up(
    directory: Annotated[Path, typer.Option(help="where it is to be")] = cluster.DEFAULT_DIRECTORY,
    self_heal: Annotated[
        cluster.SelfHeal, typer.Option(help="Argo CD's back-off between two reverts")
    ] = cluster.SelfHeal.FAST,
    scale: Annotated[float, typer.Option(help="size of the sample that prod is filled with")] = 0.2,
    prod_dump: Annotated[Path | None, typer.Option(help="or a pg_dump -Fc to take instead")] = None,
    prod_globals: Annotated[Path | None, typer.Option(help="with a script of its roles")] = None,
    *,
    bare: Annotated[bool, typer.Option("--bare", help="the cluster alone")] = False,
    drop_go_caches: Annotated[
        bool, typer.Option("--drop-go-caches", help="keep none of Go's caches of a build")
    ] = False,
) -> None:
    """Start it: 30 s, and five minutes more where its programs have to be built first."""
    began = time.monotonic()
    options = platform.Options(scale, prod_dump, prod_globals)
    options.content()  # which refuses what is wrong before a cluster is started for it
    with Undo() as undo:
        stage = cluster.up(directory, self_heal=self_heal, drop_go_caches=drop_go_caches)
        undo.callback(cluster.down, directory)
        if not bare:
            platform.lay_out(stage, options, Terminal())
        undo.pop_all()
    typer.echo(f"up after {time.monotonic() - began:.1f} s; the administrator's way in:")
    typer.echo(f"export KUBECONFIG={stage.kubeconfig}")
    _tell_platform(stage)


@app.command()
def down(directory: _Directory = None) -> None:
    """End it and put the machine back, also after its starter was killed."""
    if (stage := cluster.find(directory)) is not None:
        platform.take_away(stage.directory)
    cluster.down(directory)


@app.command()
def status(directory: _Directory = None) -> None:
    """Say whether one is up, and what runs of it; exit code 1 where none or not all of it does."""
    stage = cluster.find(directory)
    if stage is None:
        typer.echo("no stage is up")
        raise typer.Exit(1)
    typer.echo(f"directory   {stage.directory}")
    typer.echo(f"kubeconfig  {stage.kubeconfig}")
    typer.echo(f"programs    {stage.bundle}")
    for name in stage.components():
        typer.echo(f"{name:<30}  {stage.pid(name) or 'stopped'}")
    _tell_platform(stage)
    if not all(stage.pid(name) for name in stage.components()):
        raise typer.Exit(1)


@app.command()
def leases(directory: _Directory = None) -> None:
    """Say by Vault's audit log what it was asked, and what is left; exit code 1 unless all is well.

    All is well where logins were leased, nobody asked for one of prod's owner or of a superuser,
    every token was revoked, and no login is left.
    """
    stage = cluster.find(directory)
    there = None if stage is None else platform.find(stage.directory)
    if stage is None or there is None:
        typer.echo("no stage with a platform is up")
        raise typer.Exit(1)
    found = vault.proof(stage, there.state)
    typer.echo(found)
    if found.complaints or not found.logins:
        raise typer.Exit(1)


@app.command()
def build(
    *,
    drop_go_caches: Annotated[
        bool, typer.Option("--drop-go-caches", help="keep none of Go's caches of it")
    ] = False,
) -> None:
    """Build its programs and a Vault, where they are not there yet, and say where they are."""
    typer.echo(bundle.provided(drop_go_caches=drop_go_caches))
    typer.echo(vault_program.provided())


@app.command()
def report(local: Path, live: Path) -> None:
    """Put what two runs have written with --junitxml side by side; exit code 1 unless green."""
    runs = SideBySide.of(local, live)
    typer.echo(runs)
    if not runs.is_green:
        raise typer.Exit(1)


@app.command()
def kills(
    number: Annotated[int, typer.Option("--random", help="so many by chance")] = 0,
    seed: Annotated[int | None, typer.Option(help="the same ones again")] = None,
    directory: Annotated[Path, typer.Option(help="of a stage, if none is up")] = (
        cluster.DEFAULT_DIRECTORY
    ),
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="each kind at each phase, which takes hours")
    ] = False,
) -> None:
    """Kill runs on it, and see the watchdog repair what they leave; by default three kills."""
    seed = secrets.randbelow(10**6) if seed is None else seed
    wanted = command.every() if everything else command.drawn(number, seed)
    if number:
        typer.echo(f"--random {number} --seed {seed}")
    with command.standing(directory) as stage, command.guarded(stage) as ground:
        outcomes = command.in_a_row(ground, wanted or command.TELLING, typer.echo)
    typer.echo(command.table(outcomes))
    if any(outcome.complaints for outcome in outcomes):
        raise typer.Exit(1)


def _tell_platform(stage: Stage) -> None:
    if (there := platform.find(stage.directory)) is not None:
        typer.echo("\n".join(platform.told(there, stage)))


def main() -> None:
    """Run the command; an error is told in its four parts."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that it unwinds
    try:
        app()
    except LifecycleError as error:
        typer.echo("\n".join([f"error: {error}", *getattr(error, "__notes__", [])]), err=True)
        raise SystemExit(error.exit_code) from error


if __name__ == "__main__":
    main()
