"""Containers of local runs: made by one run, and found again by its label.

testcontainers' own reaper is an image too, and privileged; it is left off. What a killed run leaves
is removed like everything else of it, by the next start.
"""

from __future__ import annotations

import os
import socket
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import FailedError

if TYPE_CHECKING:
    from harness.deadlines import Deadline

LABEL = "sandbox-lifecycle.local-run"
_RECORD = "container-engine"
_UNIX = "unix://"
_DEFAULT = "unix:///var/run/docker.sock"


class EngineSilentError(FailedError):
    """The engine on which a run has started a container does not answer."""


def engine(deadline: Deadline, host: str | None = None) -> Any:
    """A client of the Docker engine; raises OSError or DockerException where none answers.

    Args:
        deadline: How long one call may take.
        host: The engine's address; default: the one that the environment names.
    """
    # Not at the top: a run without containers must not pay for the import.
    from testcontainers.core.docker_client import DockerClient  # noqa: PLC0415

    host = host or _host()
    if host.startswith(_UNIX):
        # The client leaves its socket open where nobody answers; this look does not.
        with socket.socket(socket.AF_UNIX) as look:
            look.connect(host.removeprefix(_UNIX))
    environment = os.environ | {"DOCKER_HOST": host}
    return DockerClient(timeout=round(deadline.seconds), environment=environment).client


def is_local() -> bool:
    """Whether the engine is on this machine."""
    return _host().startswith(_UNIX)


def record(directory: Path) -> None:
    """Note, before it happens, that a run starts containers, and on which engine."""
    (directory / _RECORD).write_text(_host(), encoding="utf-8")


def remove_of_run(directory: Path, run_id: str, deadline: Deadline) -> None:
    """Remove the containers that a run has started, running or not.

    Args:
        directory: The run's directory.
        run_id: The run's id.
        deadline: How long one call to the engine may take.

    Raises:
        EngineSilentError: The engine does not answer.
    """
    try:
        host = (directory / _RECORD).read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    if host.startswith(_UNIX) and not Path(host.removeprefix(_UNIX)).exists():
        return  # the engine is gone, and its containers with it
    try:
        with closing(engine(deadline, host)) as client:
            labelled = {"label": f"{LABEL}={run_id}"}
            for container in client.containers.list(all=True, filters=labelled):
                container.remove(force=True, v=True)
    except Exception as error:
        raise EngineSilentError(
            f"the container of local run {run_id} is not removed",
            found=f"the Docker engine said: {error}",
            expected="an engine that answers, as it did when the container was started",
            remedy=f"start it, then: docker rm -fv $(docker ps -aqf label={LABEL}={run_id})",
        ) from error


def _host() -> str:
    """The engine that the environment, or Docker's current context, names."""
    from testcontainers.core.docker_client import get_docker_host  # noqa: PLC0415  see engine

    return get_docker_host() or _DEFAULT
