"""Which server a local run uses: what `--postgres` means, in one place."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ConfigurationError
from harness.local import docker_engine
from harness.local.servers import binaries_server, users_server
from harness.postgres.binaries import binaries_at, wheel_binaries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.deadlines import Deadlines
    from harness.local.runs import LocalRun
    from harness.local.servers import LocalServer
    from harness.progress import Progress

_CONNECTION_STRING = re.compile(r"^postgres(ql)?://|\bhost\s*=")


@contextmanager
def local_server(
    choice: str,
    image: str,
    run: LocalRun,
    deadlines: Deadlines,
    progress: Progress,
    *,
    settings: Mapping[str, str],
) -> Iterator[LocalServer]:
    """Provide the server that was asked for.

    Args:
        choice: `auto` (Docker if it can, else binaries), `docker`, `binaries`,
            `binaries:DIRECTORY`, or the connection string of a superuser on a server of the user's.
        image: The image for Docker.
        run: The run that it is for.
        deadlines: The table of deadlines.
        progress: Told while the server starts.
        settings: Server settings, for a server that is started from binaries.

    Raises:
        ConfigurationError: The choice cannot be had.
    """
    kind, _, directory = choice.partition(":")
    if _CONNECTION_STRING.search(choice):
        yield users_server(choice, deadlines)
    elif choice in ("auto", "docker"):
        obstacle = docker_engine.obstacle(image, deadlines, progress)
        if obstacle is None:
            with docker_engine.docker_server(image, run, deadlines, progress) as server:
                yield server
        elif choice == "docker":
            raise obstacle
        else:
            with binaries_server(
                wheel_binaries(), run, deadlines, progress, settings=settings
            ) as server:
                yield replace(server, description=f"{server.description} ({obstacle.found})")
    elif kind == "binaries":
        binaries = binaries_at(Path(directory)) if directory else wheel_binaries()
        with binaries_server(binaries, run, deadlines, progress, settings=settings) as server:
            yield server
    else:
        raise ConfigurationError(
            "nobody knows which PostgreSQL server is meant",
            # Not the whole of it: a misspelt connection string may hold a password.
            found=f"--postgres {kind[:20]}",
            expected="auto, docker, binaries, binaries:DIRECTORY, or"
            " postgresql://SUPERUSER:PASSWORD@HOST:PORT/postgres",
            remedy="give one of these",
        )
