"""The local ERP's pods: forked off a process that has loaded it, and otherwise like any other."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError

import pytest

from harness.deadlines import eventually
from harness.local.kubernetes import image, launch
from tests.contract.cluster import SOON
from tests.local.kubernetes.conftest import Side
from tests.local.kubernetes.test_pods import Workload, free_port, must_not_run, pid_of
from tests.local.kubernetes.test_survival import must_have_a_pod

if TYPE_CHECKING:
    from harness.local.kubernetes.launch import StandIn

_STATUS = "/api/index.php/status"


def erp(stand_in: StandIn) -> tuple[Workload, str]:
    """A Deployment of the ERP, on a database that nobody has, and where it answers."""
    port = str(free_port())
    told = {"PORT": port, "ERP_DSN": "host=127.0.0.1 port=1"}
    workload = Workload(
        Side(stand_in),
        {
            "command": [sys.executable, "-m", "harness.local.erp"],
            "env": [{"name": name, "value": value} for name, value in told.items()],
        },
    )
    workload.create()
    return workload, f"http://127.0.0.1:{port}{_STATUS}"


def answers(url: str) -> None:
    with urllib.request.urlopen(url) as answer:  # noqa: S310  our own address
        assert answer.status == 200


def parent_of(pid: int) -> int:
    told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return int(told.rpartition(")")[2].split()[1])


def test_each_is_forked_off_one_process(mortal: Path) -> None:
    stand_in = launch.start(mortal, "--speed=20")
    pods = []
    for _ in range(2):
        workload, url = erp(stand_in)
        eventually(lambda url=url: answers(url), SOON)
        pods.append(pid_of(stand_in, workload.pod()))
    (parent,) = {parent_of(pid) for pid in pods}
    assert parent_of(parent) == stand_in.pid


def test_each_is_told_by_its_own_environment(mortal: Path) -> None:
    stand_in = launch.start(mortal, "--speed=20")
    first, second = (erp(stand_in) for _ in range(2))
    for _, url in (first, second):
        eventually(lambda url=url: answers(url), SOON)
    first[0].scale(0)
    eventually(first[0].must_be_gone, SOON)
    answers(second[1])
    with pytest.raises(OSError, match="refused"):
        answers(first[1])
    with pytest.raises(HTTPError, match="503"):
        answers(second[1].replace("/status", "/setup/company"))


def test_it_is_asked_to_end_as_others_are(mortal: Path) -> None:
    stand_in = launch.start(mortal, "--speed=20")
    workload, url = erp(stand_in)
    eventually(lambda: answers(url), SOON)
    pid = pid_of(stand_in, workload.pod())
    workload.scale(0)
    eventually(workload.must_be_gone, SOON)
    must_not_run(pid)


def test_one_that_dies_is_started_again(mortal: Path) -> None:
    stand_in = launch.start(mortal, "--speed=20")
    workload, url = erp(stand_in)
    eventually(lambda: answers(url), SOON)
    before = pid_of(stand_in, workload.pod())
    os.kill(before, signal.SIGKILL)

    def restarted() -> None:
        pod = must_have_a_pod(workload.side, workload.namespace)
        assert pod.status.container_statuses[0].restart_count == 1
        answers(url)

    eventually(restarted, SOON)
    assert pid_of(stand_in, workload.pod()) != before


def test_it_outlives_the_stand_in_and_is_adopted(mortal: Path) -> None:
    first = launch.start(mortal, "--speed=20")
    workload, url = erp(first)
    eventually(lambda: answers(url), SOON)
    pid = pid_of(first, workload.pod())
    first.kill()
    answers(url)
    second = launch.start(mortal, "--speed=20")
    eventually(lambda: must_have_a_pod(workload.side, workload.namespace), SOON)
    assert pid_of(second, workload.pod()) == pid
    workload.scale(0)
    eventually(workload.must_be_gone, SOON)
    must_not_run(pid)


def test_nothing_is_left_where_other_files_are(monkeypatch: pytest.MonkeyPatch) -> None:
    # The name of a test's own directory is too long for a socket in it.
    with tempfile.TemporaryDirectory() as short:
        temporary, state = Path(short, "tmp"), Path(short, "state")
        temporary.mkdir()
        monkeypatch.setenv("TMPDIR", str(temporary))
        stand_in = launch.start(state, "--speed=20")
        try:
            workload, url = erp(stand_in)
            eventually(lambda: answers(url), SOON)
            pid = pid_of(stand_in, workload.pod())
            image_pid = parent_of(pid)
            stand_in.kill()
        finally:
            launch.end(state)
        eventually(lambda: must_not_run(pid), SOON)
        eventually(lambda: must_not_run(image_pid), SOON)
        assert list(temporary.iterdir()) == []


def test_what_nobody_has_noted_ends_with_the_stand_in(tmp_path: Path) -> None:
    log = tmp_path / "main.log"
    process, gate = image.start({}, log, tmp_path)
    gate.close()
    process.join(SOON.seconds)
    assert process.exitcode == 0
    assert not log.exists()
