"""`sandbox-lifecycle local`: start, look at and remove a sandbox on this machine."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  typer needs the type at run time
from typing import Annotated

import typer

from harness.cli.console import Answer, Terminal, table
from harness.cli.options import JsonOption, answering
from harness.local import instance
from harness.sides import Prod, Sandbox

local = typer.Typer(help="The local sandbox: prod and sandbox on a PostgreSQL of this machine.")


@local.command("up")
def up(
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
    from harness.local.platform import LocalOptions  # noqa: PLC0415  no other verb starts servers

    with answering(as_json=json) as answer:
        options = LocalOptions(
            postgres=postgres,
            image=image,
            scale=scale,
            prod_dump=prod_dump,
            prod_globals=prod_globals,
            keep=True,
        )
        _tell_local(answer, instance.local_up(options, Terminal()))


@local.command("status")
def status(json: JsonOption = False) -> None:  # noqa: FBT002
    """Say what `local up` has started."""
    with answering(as_json=json) as answer:
        _tell_local(answer, instance.local_status())


@local.command("down")
def down(json: JsonOption = False) -> None:  # noqa: FBT002
    """Remove what `local up` has started."""
    with answering(as_json=json) as answer:
        removed = instance.local_down(Terminal())
        text = "the local sandbox is gone" if removed else "there was no local sandbox"
        answer.result({"removed": removed}, text)


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
