"""The command `sandbox-lifecycle`.

Exit codes: 0 done; 1 failed, or a guarantee is broken; 2 wrong usage or configuration; 3 refused
for safety; 4 interrupted and undone; 5 undo outstanding. After 2 and 3 nothing has been changed.
"""

from __future__ import annotations

from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness import __version__, manifests
from harness.console import Answer, Terminal, megabytes, table
from harness.errors import ConfigurationError, LifecycleError
from harness.lifecycle.checkpoint import checkpoint as take_checkpoint
from harness.lifecycle.recover import recover as put_right
from harness.lifecycle.refresh import refresh_from_prod as refresh
from harness.lifecycle.reset import reset as go_back
from harness.lifecycle.status import status as ask_status
from harness.local import instance, platform
from harness.settings import Settings
from harness.sides import Prod, Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.lifecycle.status import ClusterStatus

_INTERRUPTED = 4

app = typer.Typer(
    name="sandbox-lifecycle",
    help="Refresh an ERP sandbox from prod, keep a golden copy of it, and go back to that.",
    epilog="Exit codes: 0 done, 1 failed or a guarantee broken, 2 usage or configuration,"
    " 3 refused for safety, 4 interrupted and undone, 5 undo outstanding.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
local = typer.Typer(help="The local sandbox: prod and sandbox on a PostgreSQL of this machine.")
app.add_typer(local, name="local", no_args_is_help=True)


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
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object to stdout.")]


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,  # noqa: FBT002  a flag
) -> None:
    """Answer options that need no command."""
    if version:
        typer.echo(__version__)
        raise typer.Exit


@app.command("refresh-from-prod")
def refresh_from_prod(
    target: TargetOption = Target.local,
    config: ConfigOption = None,
    json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Make the sandbox's database the same as prod's, and prove it object by object."""
    with _answering(as_json=json) as answer:
        done = refresh(_settings(target, config), Terminal())
        report = done.report()
        answer.result(
            report,
            table(
                [
                    ("company", done.company),
                    ("equal to prod", ", ".join(_counted(report["equal"]))),
                    ("pg_restore", f"ended with {done.restored.exit_code}; content was verified"),
                    ("prod", f"no write by us; pg_dump sampled {done.samples} times, none seen"),
                    ("locks", f"at most {done.wiped.peak_locks:,} of {done.wiped.lock_table:,}"),
                    *_told(done.told),
                    ("seconds", _seconds(done.seconds)),
                ]
            ),
        )


@app.command()
def checkpoint(
    target: TargetOption = Target.local,
    config: ConfigOption = None,
    json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Keep a golden copy of the sandbox as it is now."""
    with _answering(as_json=json) as answer:
        done = take_checkpoint(_settings(target, config), Terminal())
        answer.result(
            done,
            table(
                [
                    ("golden copy", done.generation),
                    ("holds", f"{done.tables:,} tables, {done.rows:,} rows"),
                    ("size", megabytes(done.bytes)),
                    ("kept", f"{len(done.kept)} in {done.folder.parent}"),
                    ("seconds", _seconds(done.seconds)),
                ]
            ),
        )


@app.command()
def reset(
    target: TargetOption = Target.local,
    config: ConfigOption = None,
    json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Bring the sandbox back to the newest golden copy."""
    with _answering(as_json=json) as answer:
        done = go_back(_settings(target, config), Terminal())
        answer.result(
            done,
            table(
                [
                    ("golden copy", done.generation),
                    ("equal to it", f"{done.tables:,} tables, {done.rows:,} rows"),
                    ("pg_restore", f"ended with {done.restored.exit_code}; content was verified"),
                    *_told(done.told),
                    ("seconds", _seconds(done.seconds)),
                ]
            ),
        )


@app.command()
def recover(
    target: TargetOption = Target.local,
    config: ConfigOption = None,
    json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Finish the undo of a run that died: content, replicas, self-heal, Lease."""
    with _answering(as_json=json) as answer:
        done = put_right(_settings(target, config), Terminal())
        answer.result(
            done,
            table(
                [
                    ("dead run", done.dead_run or "none had left anything"),
                    ("content", done.content),
                    ("put back", done.golden or "nothing had to be"),
                    *_told(done.told),
                    ("seconds", _seconds(done.seconds)),
                ]
            ),
        )


@app.command("manifests")
def print_manifests(target: TargetOption = Target.local, config: ConfigOption = None) -> None:
    """Print what a cluster needs before the harness can work on it, for `kubectl apply -f -`."""
    with _answering(as_json=False):
        typer.echo(manifests.render(_names(_settings(target, config))))


@app.command()
def status(
    target: TargetOption = Target.local,
    config: ConfigOption = None,
    json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Say what the sandbox is at this moment."""
    with _answering(as_json=json) as answer:
        found = ask_status(_settings(target, config), Terminal())
        since = f", since {found.since}" if found.since else ""
        answer.result(
            found,
            table(
                [
                    ("prod", found.prod),
                    ("sandbox", found.sandbox),
                    ("", found.pins),
                    (
                        "content",
                        f"{found.content} {f'({found.source})' if found.source else ''}{since}",
                    ),
                    ("being written by", found.writer or "nobody"),
                    *_cluster(found.cluster),
                    ("golden copies", ", ".join(found.golden) or "none"),
                    ("client tools", f"{found.tools_version} in {found.tools_directory}"),
                ]
            ),
        )


@local.command("up")
def local_up(
    postgres: Annotated[
        str, typer.Option(help="auto, docker, binaries, or a superuser's connection string.")
    ] = "auto",
    image: Annotated[str, typer.Option(help="Image for a server in a container.")] = "postgres:18",
    scale: Annotated[float, typer.Option(help="Size of the sample prod; 1 is about 20 MB.")] = 1.0,
    prod_dump: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Fill prod from this dump instead.")
    ] = None,
    prod_globals: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Script with the roles of that dump.")
    ] = None,
    json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Start a local prod and sandbox that stay until `local down`."""
    with _answering(as_json=json) as answer:
        options = platform.LocalOptions(
            postgres=postgres,
            image=image,
            scale=scale,
            prod_dump=prod_dump,
            prod_globals=prod_globals,
            keep=True,
        )
        _tell_local(answer, instance.local_up(options, Terminal()))


@local.command("status")
def local_status(json: JsonOption = False) -> None:  # noqa: FBT002
    """Say what `local up` has started."""
    with _answering(as_json=json) as answer:
        _tell_local(answer, instance.local_status())


@local.command("down")
def local_down(json: JsonOption = False) -> None:  # noqa: FBT002
    """Remove what `local up` has started."""
    with _answering(as_json=json) as answer:
        removed = instance.local_down(Terminal())
        text = "the local sandbox is gone" if removed else "there was no local sandbox"
        answer.result({"removed": removed}, text)


def main() -> None:
    """Run the command."""
    app()


@contextmanager
def _answering(*, as_json: bool) -> Iterator[Answer]:
    answer = Answer(as_json=as_json)
    try:
        yield answer
    except LifecycleError as error:
        answer.error(error)
        raise typer.Exit(error.exit_code) from error
    except KeyboardInterrupt as interrupt:
        answer.interrupted(list(getattr(interrupt, "__notes__", ())))
        raise typer.Exit(_INTERRUPTED) from interrupt


def _tell_local(answer: Answer, found: instance.Instance | None) -> None:
    if found is None:
        answer.result({"up": False}, "no local sandbox is up")
        return
    told = {
        "server": found.description,
        "prod": str(Prod.of(found.settings).login),
        "sandbox": str(Sandbox.of(found.settings).login),
        "prod_content": found.prod_origin,
        "folder": str(found.directory),
    }
    if found.cluster is not None:
        told |= {
            "cluster": found.cluster,
            "kubectl": f"kubectl --kubeconfig={found.kubeconfig}",
        }
    answer.result({"up": True, **told}, table(list(told.items())))


def _settings(target: Target, config: Path | None) -> Settings:
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


def _names(settings: Settings) -> manifests.Names:
    cluster = settings.cluster
    if cluster is None:
        raise ConfigurationError(
            "there is no cluster to print manifests for",
            found="settings without a table [cluster]",
            expected="the names of the namespaces, the Application and the Deployment",
            remedy="add [cluster] to the settings; README.md shows a complete one",
        )
    return manifests.Names(
        sandbox_namespace=cluster.namespace,
        deployment=cluster.deployment,
        argocd_namespace=cluster.argocd_namespace,
        application=cluster.application,
        lease=cluster.lease,
    )


def _cluster(found: ClusterStatus | None) -> list[tuple[str, object]]:
    if found is None:
        return []
    return [
        ("application", f"{found.ready} of {found.replicas} Ready"),
        ("self-heal", found.self_heal),
        ("Lease", found.lease),
        ("undo outstanding", f"of run {found.outstanding}" if found.outstanding else "none"),
    ]


def _told(told: list[str]) -> list[tuple[str, object]]:
    return [("mind", text) for text in told]


def _seconds(phases: Mapping[str, float]) -> str:
    told = ", ".join(f"{title} {seconds:.1f}" for title, seconds in phases.items())
    return f"{sum(phases.values()):.1f} ({told})"


def _counted(numbers: Mapping[str, int]) -> Iterator[str]:
    irregular = {"index": "indexes", "policy": "policies"}
    for kind, count in numbers.items():
        many = kind if kind.endswith("s") else irregular.get(kind, f"{kind}s")
        yield f"{count:,} {kind if count == 1 else many}"
