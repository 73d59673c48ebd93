"""A machine that cannot carry a stage is told why, and is not touched."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import ConfigurationError, RefusedError
from tests.stage import bundle, cluster
from tests.stage.places import PORTS

_ROOT = Path(__file__).parents[2]


# It becomes nobody when all is imported, for nobody may be able to read the checkout.
_AS_NOBODY = """
import os, pathlib, sys
from tests.stage import preflight
if os.geteuid() == 0:
    os.setuid(65534)
preflight.check(pathlib.Path(sys.argv[1]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is the system that is refused")
def test_a_user_that_is_not_root_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _AS_NOBODY, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "ConfigurationError: a stage cannot be started" in done.stderr
    assert "found: user id" in done.stderr
    assert "expected: root" in done.stderr


@pytest.mark.usefixtures("asked_for")
def test_a_port_that_is_taken_is_named(directory: Path) -> None:
    with socket.socket() as taking:
        # Connections of an earlier stage may still be closing.
        taking.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taking.bind(PORTS["redis"])
        taking.listen()
        with pytest.raises(RefusedError, match="redis cannot listen on") as refused:
            cluster.up(directory)
    _must_have_four_parts(refused.value)
    assert not directory.exists()


@pytest.mark.usefixtures("asked_for")
def test_a_directory_of_something_else_is_refused_and_never_removed(directory: Path) -> None:
    directory.mkdir()
    (directory / "letter").write_text("dear")
    for act in (cluster.up, cluster.down):
        with pytest.raises(RefusedError) as refused:
            act(directory)
        _must_have_four_parts(refused.value)
    assert (directory / "letter").read_text() == "dear"
    shutil.rmtree(directory)


@pytest.mark.usefixtures("asked_for")
def test_a_path_too_long_for_sockets_is_refused(directory: Path) -> None:
    with pytest.raises(ConfigurationError, match="at most") as refused:
        cluster.up(directory / ("long" * 20))
    _must_have_four_parts(refused.value)


@pytest.mark.usefixtures("asked_for")
def test_without_go_and_without_a_bundle_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "apt-cache").symlink_to(shutil.which("apt-cache") or "")
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(ConfigurationError, match="cannot be built") as refused:
        bundle.provided()
    _must_have_four_parts(refused.value)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("ip link set lo up; ip link add stage0 type bridge", "the link stage0 is there already"),
        ("ip link set lo up; ip route add 10.244.0.0/25 dev lo", "a route of something else"),
        ("iptables -P FORWARD DROP", "as Docker sets it"),
        ('mount --bind /bin/false "$(command -v iptables)"', "nobody knows whether pods"),
        ("mount -o remount,bind,ro /sys/fs/cgroup/pids", "control groups"),
    ],
    ids=["bridge", "route", "filter", "unreadable filter", "control groups"],
)
@pytest.mark.usefixtures("asked_for")
def test_what_stands_in_the_way_is_told(directory: Path, change: str, told: str) -> None:
    # The machine is changed for this process only: in a network and a view of mounts of its own.
    up = f"{sys.executable} -m tests.stage up --bare --directory {directory}"
    done = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-ec", f"{change}; exec {up}"],  # noqa: S607
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {ConfigurationError.exit_code, RefusedError.exit_code}, done.stderr
    assert told in done.stderr
    assert not directory.exists()


def _must_have_four_parts(error: ConfigurationError | RefusedError) -> None:
    assert all((error.what, error.found, error.expected, error.remedy))
