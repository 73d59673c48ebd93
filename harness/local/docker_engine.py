"""A server in a container, by testcontainers."""

from __future__ import annotations

import secrets
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import psycopg

from harness.deadlines import eventually
from harness.errors import ConfigurationError, FailedError
from harness.local import containers
from harness.local.container_tools import client_tools_of
from harness.local.servers import LocalServer
from harness.local.undo import Undo
from harness.postgres.launcher import HOST, SUPERUSER
from harness.sides import Login

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.deadlines import Deadlines
    from harness.local.runs import LocalRun
    from harness.progress import Progress

_PORT = 5432
_LOG_LINES_SHOWN = 12
# PostgreSQL's parallel workers share memory there; Docker's own default is 64 MB.
_SHARED_MEMORY = "256m"
# Where the programs are is asked of the server: pg_dump in PATH may be a distribution's wrapper.
_ABOUT = """
SELECT pg_catalog.current_setting('server_version'), setting
FROM pg_catalog.pg_config WHERE name = 'BINDIR'
"""

# The superuser's login, the server's version, the directory of its programs in the container.
_Answer = tuple[Login, str, str]


def obstacle(image: str, deadlines: Deadlines, progress: Progress) -> ConfigurationError | None:
    """Why no container can be started, or None where one can; pulls the image if it is missing.

    Args:
        image: The image to start.
        deadlines: The table of deadlines.
        progress: Told while the image is pulled.
    """
    from docker.errors import DockerException, ImageNotFound  # noqa: PLC0415  see containers.engine

    try:
        with closing(containers.engine(deadlines.connect)) as client:
            client.images.get(image)
    except ImageNotFound:
        return _pull(image, deadlines, progress)
    except (DockerException, OSError) as error:
        return _obstacle("no Docker engine answers", error)
    return None


def _pull(image: str, deadlines: Deadlines, progress: Progress) -> ConfigurationError | None:
    from docker.errors import DockerException  # noqa: PLC0415  see containers.engine

    try:
        with (
            closing(containers.engine(deadlines.container_start)) as client,
            progress.phase(f"pull {image}"),
        ):
            client.images.pull(image)
    except (DockerException, OSError) as error:
        return _obstacle(f"the Docker engine has no {image} and cannot pull it", error)
    return None


@contextmanager
def docker_server(
    image: str, run: LocalRun, deadlines: Deadlines, progress: Progress
) -> Iterator[LocalServer]:
    """A new server in a container, reachable from this machine only.

    Args:
        image: The image, one that has the interface of the official `postgres`.
        run: The run that it is for.
        deadlines: The table of deadlines.
        progress: Told while it starts.

    Raises:
        FailedError: It ended or did not answer in time; the error shows the end of its log.
    """
    password = secrets.token_urlsafe(24)
    with Undo() as undo:
        containers.record(run.path)
        undo.callback(_remove_unless_kept, run, deadlines)
        with progress.phase(f"start {image} in a container"):
            container = _container(image, password, run)
            undo.enter_context(closing(container.get_docker_client().client))
            container.start()
            superuser, version, programs = _when_ready(container, password, image, deadlines)
        major = int(version.split(".")[0])
        yield LocalServer(
            superuser=superuser,
            major=major,
            description=f"PostgreSQL {version} in a container of {image}",
            client_tools=client_tools_of(container, programs, major, run, deadlines),
        )


def _container(image: str, password: str, run: LocalRun) -> Any:
    from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415
    from testcontainers.core.config import testcontainers_config  # noqa: PLC0415

    testcontainers_config.ryuk_disabled = True  # see harness.local.containers
    container = PostgresContainer(
        image,
        username=SUPERUSER,
        password=password,
        dbname="postgres",
        driver=None,
        labels={containers.LABEL: run.id},
        shm_size=_SHARED_MEMORY,
    )
    if containers.is_local():
        # Left alone, Docker publishes on every interface of the machine.
        container.ports = {str(_PORT): (HOST,)}  # type: ignore[dict-item]  # docker's own notation
    # Its own wait would put the password into a command line inside the container.
    container._connect = lambda: None  # type: ignore[method-assign]  # noqa: SLF001
    return container


def _when_ready(container: Any, password: str, image: str, deadlines: Deadlines) -> _Answer:
    """Wait for a login that works."""
    wrapped = container.get_wrapped_container()

    def probe() -> _Answer | None:
        wrapped.reload()
        if wrapped.status in ("exited", "dead"):
            return None
        return _first_answer(container, wrapped, password)

    try:
        ready = eventually(probe, deadlines.server_start, every=0.1)
    except (psycopg.OperationalError, OSError):
        ready = None
    if ready is None:
        log = wrapped.logs(tail=_LOG_LINES_SHOWN).decode(errors="replace")
        raise FailedError(
            f"the server in a container of {image} did not start",
            found=f"status {wrapped.status}; its log ends with:\n{log}",
            expected="a server that accepts logins, as the official image's does",
            remedy="mend what the log names, or use the binaries: --postgres binaries",
        )
    return ready


def _first_answer(container: Any, wrapped: Any, password: str) -> _Answer:
    """Try every way to a container: this process may be on the host or in a container itself."""
    network = wrapped.attrs["NetworkSettings"]
    published = (network["Ports"] or {}).get(f"{_PORT}/tcp") or []
    outside = HOST if containers.is_local() else container.get_docker_client().host()
    addresses = [(outside, int(binding["HostPort"])) for binding in published[:1]]
    addresses += [
        (attached["IPAddress"], _PORT)
        for attached in network["Networks"].values()
        if attached["IPAddress"]
    ]
    failure: Exception = ConnectionError("the container has no address yet")
    for host, port in addresses:
        login = Login(host, port, "postgres", SUPERUSER, password)
        try:
            with psycopg.connect(login.conninfo, connect_timeout=2) as connection:
                version, programs = connection.execute(_ABOUT).fetchone() or ("", "")
                return login, version.split()[0], programs
        except psycopg.OperationalError as error:
            failure = error
    raise failure


def _remove_unless_kept(run: LocalRun, deadlines: Deadlines) -> None:
    if not run.is_kept:
        containers.remove_of_run(run.path, run.id, deadlines.server_stop)


def _obstacle(found: str, error: Exception) -> ConfigurationError:
    obstacle = ConfigurationError(
        "no server can be started in a container",
        found=found,
        expected="a Docker engine that has the image or can pull it",
        remedy="start Docker or pull the image, or use the binaries: --postgres binaries",
    )
    obstacle.__cause__ = error
    return obstacle
