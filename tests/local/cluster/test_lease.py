"""The Lease: one holder at a time, renewed while it lives, taken over once it is known dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.cluster.errors import LostError
from harness.cluster.holder import Holder, birth, this_machine
from harness.deadlines import eventually
from harness.errors import ConfigurationError, RefusedError
from harness.manifests import JOURNAL_ANNOTATION
from tests.local.cluster.world import IMPATIENT, SOON, World

if TYPE_CHECKING:
    from pathlib import Path

ELSEWHERE = replace(Holder.here("other"), host="faraway", machine="another-boot.1")
HERE = Holder.here("run")


def spec(world: World) -> dict[str, Any]:
    found: dict[str, Any] = world.get(world.lease)["spec"]
    return found


def stands(world: World, holder: object, *, seconds: int = 1, journal: str | None = None) -> None:
    """Somebody has taken the Lease, and is not heard of again."""
    now = "2026-01-01T00:00:00.000000Z"
    world.patch(
        world.lease,
        {
            "metadata": {"annotations": {JOURNAL_ANNOTATION: journal}},
            "spec": {
                "holderIdentity": str(holder),
                "leaseDurationSeconds": seconds,
                "acquireTime": now,
                "renewTime": now,
                "leaseTransitions": 4,
            },
        },
    )


def dead_process() -> Holder:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        born = birth(process.pid)
    assert born is not None
    return replace(Holder.here("dead"), pid=process.pid, born=born)


def test_holder_term_journal_and_token_are_one_write(world: World) -> None:
    before = int(world.get(world.lease)["metadata"]["resourceVersion"])
    with world.harness() as cluster, cluster.lease.acquire(HERE, "journal") as held:
        state = cluster.lease.read()
        assert (state.holder, state.token, state.journal) == (HERE, 1, "journal")
        assert (held.token, held.journal) == (1, "journal")
        assert state.seconds == 60
        assert state.since == state.renewed
        assert int(world.get(world.lease)["metadata"]["resourceVersion"]) == before + 1
        held.release()
    state = cluster_free(world)
    assert (state["leaseTransitions"], "holderIdentity" in state) == (1, False)
    assert JOURNAL_ANNOTATION not in world.get(world.lease)["metadata"].get("annotations", {})


def cluster_free(world: World) -> dict[str, Any]:
    found = spec(world)
    assert "holderIdentity" not in found
    return found


def test_the_token_grows_with_every_holder(world: World) -> None:
    with world.harness() as cluster:
        for expected in (1, 2, 3):
            with cluster.lease.acquire(HERE) as held:
                assert held.token == expected


def test_the_second_run_is_told_who_since_when_and_until_when(world: World) -> None:
    with world.harness() as cluster, cluster.lease.acquire(HERE):
        before = world.get(world.lease)
        with pytest.raises(RefusedError) as caught:
            cluster.lease.acquire(replace(HERE, run="second"), "other journal")
        assert world.get(world.lease) == before
    told = str(caught.value)
    assert f"held by run run, pid {HERE.pid} on {HERE.host}, since 20" in told
    assert "until 20" in told
    assert "nothing has been changed" in told


def test_a_holder_on_another_machine_lives_as_long_as_it_renews(world: World) -> None:
    with world.harness(lease_seconds=1) as cluster, cluster.lease.acquire(ELSEWHERE):
        with pytest.raises(RefusedError, match="faraway"):
            cluster.lease.acquire(HERE)
        assert cluster.lease.read().holder == ELSEWHERE


def test_a_holder_that_stands_still_for_the_whole_length_is_dead(world: World) -> None:
    stands(world, ELSEWHERE, seconds=1, journal="undo me")
    started = time.monotonic()
    with world.harness() as cluster, cluster.lease.acquire(HERE) as held:
        waited = time.monotonic() - started
        assert (held.token, held.journal) == (5, "undo me")
    assert 1 <= waited < 3


def test_a_clock_that_is_wrong_makes_nobody_look_dead(world: World) -> None:
    """The renewals say that it is long over; that they come is what counts."""
    with world.harness(lease_seconds=2) as cluster, cluster.lease.acquire(ELSEWHERE):
        stamp = "2001-01-01T00:00:00.000000Z"
        world.patch(world.lease, {"spec": {"acquireTime": stamp, "renewTime": stamp}})
        with pytest.raises(RefusedError, match="faraway"):
            cluster.lease.acquire(HERE)


def test_a_lease_that_never_ends_is_not_waited_for_without_end(world: World) -> None:
    stands(world, "a hand-written name", seconds=10_000)
    with (
        world.harness(IMPATIENT) as cluster,
        pytest.raises(RefusedError, match="a hand-written name"),
    ):
        cluster.lease.acquire(HERE)


def test_a_holder_that_is_seen_to_be_dead_is_replaced_at_once(world: World) -> None:
    stands(world, dead_process(), seconds=600, journal="undo me")
    started = time.monotonic()
    with world.harness() as cluster, cluster.lease.acquire(HERE) as held:
        assert time.monotonic() - started < 1
        assert (held.token, held.journal) == (5, "undo me")


def test_a_later_process_of_the_same_number_is_another_one(world: World) -> None:
    stands(world, replace(HERE, run="dead", born="1"), seconds=600)
    with world.harness() as cluster, cluster.lease.acquire(HERE):
        pass


def test_a_container_beside_this_one_counts_its_processes_otherwise() -> None:
    boot, _, numbering = this_machine().rpartition(".")
    assert Holder.here("run").lives is True
    assert dead_process().lives is False
    assert replace(dead_process(), machine=f"{boot}.{int(numbering) + 1}").lives is None
    assert replace(dead_process(), machine="").lives is None


def test_a_holder_is_read_as_it_was_written() -> None:
    assert Holder.parse(str(ELSEWHERE)) == ELSEWHERE
    for foreign in ("alice", "a/b/c", "run/host/boot/pid/born", "argocd-7c9/1-2-3"):
        assert Holder.parse(foreign) is None


def test_a_zombie_holds_nothing() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    holder = replace(HERE, pid=process.pid, born=birth(process.pid) or "")
    assert holder.lives is True
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert holder.lives is False
    process.communicate()


def test_an_outstanding_undo_is_not_overwritten(world: World) -> None:
    stands(world, dead_process(), journal="undo me")
    with world.harness() as cluster:
        with pytest.raises(RefusedError, match="something to be undone"):
            cluster.lease.acquire(HERE, "a new journal")
        assert cluster.lease.read().journal == "undo me"
        with cluster.lease.acquire(HERE) as held:
            assert held.journal == "undo me"
            held.update_journal("a new journal")
            assert cluster.lease.read().journal == held.journal == "a new journal"


def test_a_run_that_ends_without_release_leaves_its_journal_and_no_holder(world: World) -> None:
    with (
        world.harness() as cluster,
        pytest.raises(RuntimeError),
        cluster.lease.acquire(HERE, "undo me"),
    ):
        raise RuntimeError
    cluster_free(world)
    with world.harness() as cluster:
        assert cluster.lease.read().journal == "undo me"


def test_it_is_renewed_while_the_run_lives_and_not_afterwards(world: World) -> None:
    with world.harness(lease_seconds=1) as cluster:
        with cluster.lease.acquire(HERE) as held:
            first = spec(world)["renewTime"]
            eventually(lambda: must_have_moved(world, first), SOON)
            second = spec(world)["renewTime"]
            eventually(lambda: must_have_moved(world, second), SOON)
            assert spec(world)["acquireTime"] == first
            held.assert_held()
        cluster_free(world)


def must_have_moved(world: World, moment: str) -> None:
    assert spec(world)["renewTime"] > moment


def test_an_outage_as_long_as_the_lease_loses_it_to_nobody(world: World) -> None:
    with world.harness(lease_seconds=1) as cluster, cluster.lease.acquire(HERE) as held:
        world.outage(1.2)
        eventually(held.assert_held, SOON)
        held.update_journal("still here")
        assert cluster.lease.read().journal == "still here"


@pytest.mark.parametrize(
    "theft",
    [
        {"spec": {"holderIdentity": str(ELSEWHERE), "leaseTransitions": 2}},
        {"spec": {"holderIdentity": None}},
        {"spec": {"leaseTransitions": 2}},
    ],
    ids=["taken", "cleared", "taken and given back"],
)
def test_a_lease_that_another_took_is_noticed_before_the_next_write(
    world: World, theft: dict[str, Any]
) -> None:
    with world.losing() as (_, held):
        world.patch(world.lease, theft)
        before = world.get(world.lease)
        for write in (lambda: held.update_journal("mine"), held.release, held.assert_held):
            with pytest.raises(LostError):
                write()
        assert world.get(world.lease) == before
        world.patch(world.lease, {"spec": {"holderIdentity": str(ELSEWHERE)}})


def test_a_lease_that_was_deleted_is_noticed(world: World) -> None:
    with world.losing() as (_, held):
        world.delete(world.lease)
        with pytest.raises(LostError, match="it was deleted"):
            held.assert_held()


def test_a_lease_that_was_made_anew_is_another_one(world: World) -> None:
    with world.losing() as (_, held):
        found = world.get(world.lease)
        world.delete(world.lease)
        anew = {"metadata": {"name": world.lease.name}, "spec": found["spec"]}
        world.create(world.lease.resource, world.lease.namespace, anew)
        with pytest.raises(LostError, match="made anew"):
            held.assert_held()


def test_what_was_lost_once_may_have_been_written_by_another_meanwhile(world: World) -> None:
    with world.losing(lease_seconds=1) as (_, held):
        world.patch(world.lease, {"spec": {"holderIdentity": str(ELSEWHERE)}})
        eventually(lambda: must_have_ended(held), SOON)
        world.patch(world.lease, {"spec": {"holderIdentity": str(HERE)}})
        with pytest.raises(LostError):
            held.assert_held()
        world.patch(world.lease, {"spec": {"holderIdentity": str(ELSEWHERE)}})


def must_have_ended(held: Any) -> None:
    assert not held._thread.is_alive()  # noqa: SLF001


def test_a_lease_that_is_not_there_is_made_by_the_manifests_alone(world: World) -> None:
    world.delete(world.lease)
    with world.harness() as cluster:
        for ask in (cluster.lease.read, lambda: cluster.lease.acquire(HERE)):
            with pytest.raises(ConfigurationError) as caught:
                ask()
            assert "sandbox-lifecycle manifests | kubectl apply" in str(caught.value)


def test_of_many_runs_at_once_one_gets_it(world: World, tmp_path: Path) -> None:
    """Eight processes, each of which would hold it until the end."""
    program = tmp_path / "contender.py"
    program.write_text(CONTENDER.format(settings=world.settings.model_dump_json()))
    runs = [
        subprocess.Popen(
            [sys.executable, str(program), f"run{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        for number in range(4)
    ]
    told = [run.stdout.readline().strip() for run in runs if run.stdout]
    assert sorted(told) == ["held", "refused", "refused", "refused"]
    assert spec(world)["leaseTransitions"] == 1
    for run in runs:
        run.send_signal(signal.SIGKILL)
        run.communicate()
    with world.harness() as cluster, cluster.lease.acquire(HERE) as held:
        assert held.token == 2


CONTENDER = """
import sys
from harness.cluster.client import connect
from harness.cluster.holder import Holder
from harness.deadlines import Deadlines
from harness.errors import RefusedError
from harness.settings.cluster import ClusterSettings

settings = ClusterSettings.model_validate_json({settings!r})
with connect(settings, Deadlines()) as cluster:
    try:
        with cluster.lease.acquire(Holder.here(sys.argv[1])):
            print("held", flush=True)
            input()
    except RefusedError:
        print("refused", flush=True)
        input()
"""
