"""What outlives the death of a stand-in, and what does not outlive its end."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from harness.cluster.holder import birth
from harness.deadlines import eventually
from harness.errors import FailedError
from harness.local.kubernetes import launch
from tests.contract.cluster import SOON, config_map, refusal
from tests.local.kubernetes.conftest import Side
from tests.local.kubernetes.test_pods import STUBBORN, Workload, must_not_run, pid_of

if TYPE_CHECKING:
    from pathlib import Path


def must_have_a_pod(side: Side, namespace: str) -> Any:
    (pod,) = side.core.list_namespaced_pod(namespace).items
    assert pod.status.container_statuses[0].ready
    return pod


def test_objects_address_and_tokens_survive_a_kill(mortal: Path) -> None:
    first = launch.start(mortal)
    side = Side(first)
    made = side.core.create_namespaced_config_map("default", config_map("one"))
    side.core.create_namespaced_service_account("default", {"metadata": {"name": "me"}})
    account = side.cluster.as_account("default", "me")
    first.kill()
    assert launch.find(mortal) is None
    second = launch.start(mortal)
    assert second.url == first.url
    read = side.core.read_namespaced_config_map("one", "default")
    assert read.metadata == made.metadata
    mine = type(side.core)(account)
    refusal(403, mine.read_namespaced_config_map, "one", "default")
    after = side.core.create_namespaced_config_map("default", config_map("two"))
    assert int(after.metadata.resource_version) > int(made.metadata.resource_version)


def test_a_line_torn_by_the_kill_is_dropped(mortal: Path) -> None:
    first = launch.start(mortal)
    Side(first).core.create_namespaced_config_map("default", config_map("one"))
    first.kill()
    with (mortal / "objects.jsonl").open("a") as log:
        log.write('{"change": "ADDED", "resource": "configm')
    side = Side(launch.start(mortal))
    side.core.read_namespaced_config_map("one", "default")
    side.core.create_namespaced_config_map("default", config_map("two"))


def test_pods_go_on_and_are_adopted(mortal: Path) -> None:
    first = launch.start(mortal, "--speed=20")
    side = Side(first)
    workload = Workload(side, {"command": ["sleep", "60"]})
    workload.create()
    before = eventually(lambda: must_have_a_pod(side, workload.namespace), SOON)
    pid = pid_of(first, before)
    first.kill()
    os.kill(pid, 0)
    second = launch.start(mortal, "--speed=20")
    after = eventually(lambda: must_have_a_pod(side, workload.namespace), SOON)
    assert after.metadata.uid == before.metadata.uid
    assert after.status.container_statuses[0].restart_count == 0
    assert pid_of(second, after) == pid
    workload.scale(0)
    eventually(workload.must_be_gone, SOON)
    must_not_run(pid)


def test_a_pod_that_died_meanwhile_is_started_again(mortal: Path) -> None:
    first = launch.start(mortal, "--speed=20")
    side = Side(first)
    workload = Workload(side, {"command": ["sleep", "60"]})
    workload.create()
    pid = pid_of(first, eventually(lambda: must_have_a_pod(side, workload.namespace), SOON))
    first.kill()
    os.kill(pid, 9)
    launch.start(mortal, "--speed=20")

    def restarted() -> None:
        pod = must_have_a_pod(side, workload.namespace)
        assert pod.status.container_statuses[0].restart_count == 1

    eventually(restarted, SOON)


@pytest.mark.parametrize("killed_before", [False, True])
def test_no_pod_outlives_the_end(mortal: Path, *, killed_before: bool) -> None:
    stand_in = launch.start(mortal, "--speed=20")
    workload = Workload(Side(stand_in), {"command": ["sh", "-c", STUBBORN]})
    workload.create()
    eventually(workload.must_have_started, SOON)
    pid = pid_of(stand_in, workload.pod())
    if killed_before:
        stand_in.kill()
    stand_in.stop()
    eventually(lambda: must_not_run(pid), SOON)


def test_one_that_dies_while_it_is_looked_at_leaves_no_zombie(
    mortal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = launch.start(mortal)

    def must_be_dead() -> None:
        assert birth(stand_in.pid) is None

    def dying(pid: int) -> str | None:
        os.kill(pid, 9)
        eventually(must_be_dead, SOON)
        return birth(pid)

    monkeypatch.setattr(launch, "birth", dying)
    assert not stand_in.alive
    with pytest.raises(ProcessLookupError):
        os.kill(stand_in.pid, 0)


_LEADER_FIRST = """
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(0.3,)).start()
ctypes.CDLL(None).syscall({exit}, 0)
"""


def test_one_seen_dead_while_a_thread_of_it_ends_is_reaped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = _LEADER_FIRST.format(exit={"x86_64": 60, "aarch64": 93}[platform.machine()])
    child = subprocess.Popen([sys.executable, "-c", code])
    monkeypatch.setitem(launch._CHILDREN, child.pid, child)  # noqa: SLF001  as `start` does it
    stand_in = launch.StandIn(tmp_path, "", child.pid, birth(child.pid) or "")
    eventually(stand_in.must_be_gone, SOON)
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)


def test_two_cannot_share_a_state(mortal: Path) -> None:
    launch.start(mortal)
    with pytest.raises(FailedError, match="does not start") as raised:
        launch.start(mortal)
    assert "another stand-in uses" in str(raised.value)


def test_it_can_do_without_tls(mortal: Path) -> None:
    stand_in = launch.start(mortal, "--http")
    assert stand_in.url.startswith("http://")
    Side(stand_in).core.list_namespace()
