"""A stage ends without a trace, whoever ends it and however its starter died."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.cluster.holder import birth
from harness.deadlines import Deadline, eventually
from harness.errors import RefusedError
from tests.stage import cluster, components, group
from tests.stage.machine import await_as_before, differences, picture
from tests.stage.objects import pod

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).parents[2]
_CHANGED = {
    "settings",
    "addresses",
    "links",
    "routes",
    "network namespaces",
    "mounts",
    "control groups",
    "files",
    "processes",
}
_SOON = Deadline(60, "the starter gets that far in seconds; on a busy machine, later")


@pytest.fixture(autouse=True)
def before(directory: Path) -> Iterator[dict[str, list[str]]]:
    """The machine before the test; at the end, however it goes, it is compared with this."""
    before = picture()
    yield before
    cluster.down(directory)
    await_as_before(before)
    assert not directory.exists()


def test_a_stage_with_pods_is_ended(directory: Path, before: dict[str, list[str]]) -> None:
    stage = cluster.up(directory)
    stage.apply(pod("one"), pod("two"))
    eventually(lambda: _must_run(stage, "one", "two"), _SOON)
    # Else the comparison would prove nothing.
    assert differences(before, picture()).keys() >= _CHANGED
    cluster.down()
    assert cluster.find() is None
    assert group.exists() is False


def test_a_second_one_is_refused_and_leaves_the_first_alone(directory: Path) -> None:
    stage = cluster.up(directory)
    running = {name: stage.pid(name) for name in stage.components()}
    with pytest.raises(RefusedError, match="one is up"):
        cluster.up(directory.with_name("other"))
    assert not directory.with_name("other").exists()
    assert {name: stage.pid(name) for name in stage.components()} == running


@pytest.mark.parametrize("name", ["etcd", "kube-apiserver", "kubelet", "argocd-repo-server"])
def test_what_a_killed_starter_left_is_ended_by_anybody(directory: Path, name: str) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-m", "tests.stage", "up", "--bare", "--directory", str(directory)],
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )

    def begun() -> None:
        assert components.pid(directory, name) is not None

    try:
        eventually(begun, _SOON, every=0.01)
        with pytest.raises(RefusedError, match="right now"):
            cluster.down(directory)
    finally:
        os.killpg(starter.pid, signal.SIGKILL)
        starter.wait()
    # A child of it that has not yet become a component still holds the lock with it.
    eventually(lambda: cluster.down(directory), _SOON, on=RefusedError)
    assert group.members() == []


def test_what_is_left_of_a_stage_of_before_is_removed_and_the_one_that_is_up_left_alone(
    directory: Path,
) -> None:
    stage = cluster.up(directory)
    running = {name: stage.pid(name) for name in stage.components()}
    # As a restart of the machine would leave it: the directory, and nothing that runs in it.
    left = directory.with_name("left")
    left.mkdir()
    for name in ("stage.json", "host.json"):
        shutil.copyfile(directory / name, left / name)
    cluster.down(left)
    assert not left.exists()
    assert {name: stage.pid(name) for name in stage.components()} == running
    assert stage.kubectl("get", "--raw=/readyz") == "ok"


def test_processes_of_others_are_left_alone(directory: Path) -> None:
    stage = cluster.up(directory)
    (stage.directory / "components" / "etcd.process").write_text(
        f'{{"pid": {os.getpid()}, "born": "{birth(os.getpid())}"}}'
    )
    cluster.down(directory)


def _must_run(stage: cluster.Stage, *names: str) -> None:
    phases = [stage.get("pod", name)["status"].get("phase") for name in names]
    assert phases == ["Running"] * len(names)
