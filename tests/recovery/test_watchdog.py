"""A watchdog undoes what dead runs leave, whatever else is away, and leaves living ones alone."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from harness.deadlines import eventually
from harness.sides import Prod

from .dogs import QUICK, Dog, Server, watching
from .place import POLICY, REFRESH, SOON, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEEN = "wait until Argo CD has seen the pause"
_STOP = "scale the application to 0"
_VERIFY = "verify"
_RESTORE = "restore"
_REARM = "re-arm self-heal"
_UNDONE = "is undone"
_LONGEST_UNDO = 90
"""Seconds in which a watchdog must have undone a run whose Lease may be taken."""


@pytest.fixture
def dog(place: Place) -> Iterator[Dog]:
    with watching(place, "dog") as dog:
        yield dog


def must_be_undone(place: Place, dog: Dog) -> None:
    dog.tells(_UNDONE)
    assert place.outstanding() == []
    assert place.content() == "complete"


@pytest.mark.parametrize("death", ["SIGKILL", "gone"])
@pytest.mark.parametrize("phase", [_SEEN, _VERIFY, _REARM])
def test_a_killed_run_is_undone(place: Place, dog: Dog, phase: str, death: str) -> None:
    ended = place.run(REFRESH, death=death, edge="begin", phase=phase)
    assert ended.code == -9, ended
    must_be_undone(place, dog)
    told = "\n".join(dog.told())
    assert "a run has died: the Lease was held by run" in told
    assert ("golden copy" in told) == (phase == _VERIFY)
    assert dog.alive.exists()


def test_at_its_own_pace_it_has_undone_a_run_within_the_time_promised(place: Place) -> None:
    with watching(place, "dog", scale=1) as dog:
        place.run(REFRESH, death="gone", edge="begin", phase=_VERIFY)
        free = time.monotonic() + place.names.lease_seconds
        must_be_undone(place, dog)
        assert time.monotonic() - free <= _LONGEST_UNDO


@contextmanager
def slowed_down(place: Place) -> Iterator[None]:
    """Somebody holds a lock in prod that a dump has to wait for."""
    with psycopg.connect(Prod.of(place.settings).login.conninfo) as session:
        session.execute("LOCK TABLE public.llx_societe IN ACCESS EXCLUSIVE MODE")
        yield
        session.rollback()


def test_a_living_run_is_left_alone(place: Place, dog: Dog) -> None:
    """Also one on another machine, of which nothing can be seen but that it renews its Lease."""
    with slowed_down(place):
        process = place.start(REFRESH, death="gone")
        dog.tells("a run is at work, and is left alone")
        held = place.lease()["spec"]

        def renewed_a_while() -> None:
            assert process.code is None
            assert place.lease()["spec"]["renewTime"] > held["renewTime"]

        for _lease in range(3):
            eventually(renewed_a_while, SOON)
            held = place.lease()["spec"]
    ended = place.end(process)
    assert ended.code == 0, ended
    assert place.is_prod()
    assert [line for line in dog.told() if "died" in line or "recovered" in line] == []


def test_it_outlives_an_outage_of_the_api(place: Place) -> None:
    with watching(place, "dog", scale=QUICK / 2) as dog:
        place.run(REFRESH, edge="begin", phase=_VERIFY)
        place.cluster.control.kill()
        try:
            dog.tells("attempt 1 failed, the next in 1 s: the Kubernetes API at")
        finally:
            place.cluster.revive()
        must_be_undone(place, dog)
        assert all(line for line in dog.told())


def test_five_seconds_without_the_api_are_bridged(place: Place) -> None:
    with watching(place, "dog", scale=1) as dog:
        place.cluster.control.order("outage", seconds=5)
        dog.tells("watching")
        back = time.monotonic() + 5
        eventually(place.lease, SOON)
        place.run(REFRESH, edge="begin", phase=_VERIFY)
        must_be_undone(place, dog)
        assert time.monotonic() - back <= _LONGEST_UNDO


def test_it_outlives_a_restart_of_the_database(place: Place, dog: Dog) -> None:
    server = Server(place)
    place.run(REFRESH, edge="begin", phase=_VERIFY)
    server.stop()
    try:
        dog.tells("attempt 1 failed")
    finally:
        server.start()
    must_be_undone(place, dog)
    failed = [line for line in dog.told() if "failed" in line]
    assert all("the next in" in line for line in failed)


def test_of_two_one_undoes_it(place: Place) -> None:
    with watching(place, "one") as one, watching(place, "two") as two:
        token = place.lease()["spec"].get("leaseTransitions", 0)
        place.run(REFRESH, death="gone", edge="begin", phase=_VERIFY)

        def undone() -> None:
            assert _undone(one) + _undone(two) == 1, (one.told(), two.told())

        eventually(undone, SOON)
        assert place.outstanding() == []
        assert place.content() == "complete"
        assert place.lease()["spec"]["leaseTransitions"] == token + 2, "the run, and one recovery"
    assert _undone(one) + _undone(two) == 1


def _undone(dog: Dog) -> int:
    return sum(_UNDONE in line for line in dog.told())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_ends_at_once(place: Place, dog: Dog, number: signal.Signals) -> None:
    assert place.outstanding() == []
    started = time.monotonic()
    assert dog.ends(number) == 0
    assert time.monotonic() - started < 2
    assert dog.told()[-1] == "told to end"


def test_told_to_end_while_it_puts_something_back_it_finishes_first(place: Place) -> None:
    place.run(REFRESH, edge="begin", phase=_VERIFY)
    with watching(place, "dog", dying=("SIGTERM", "begin", _RESTORE)) as dog:
        assert dog.process.ends(SOON) == 0
        assert place.outstanding() == []
        assert place.content() == "complete"
        assert dog.told()[-1] == "told to end"


def test_what_cannot_be_followed_is_told_again_and_again_and_changes_nothing(place: Place) -> None:
    place.run(REFRESH, edge="begin", phase=_STOP)
    place.change_lease({"metadata": {"annotations": {"sandbox-lifecycle.dev/journal": "{}"}}})
    before = place.standing()
    with watching(place, "dog") as dog:
        dog.tells("failed, the next in", times=2)
    lines = [line for line in dog.told() if "failed" in line]
    assert "the journal in the Lease is not one" in lines[0]
    assert [line.split()[1] for line in lines[:2]] == ["1", "2"]
    assert place.standing() == before


def test_two_watchdogs_and_a_run_never_work_at_once(place: Place) -> None:
    with ExitStack() as dogs:
        both = [dogs.enter_context(watching(place, name)) for name in ("one", "two")]
        for phase in (_RESTORE, _REARM):
            place.run(REFRESH, death="gone", edge="begin", phase=phase)
            ended = place.run(REFRESH)
            # It waits for whoever puts things right, or is refused: never beside them.
            assert ended.code in {0, 3}, ended
            eventually(lambda: _must_be_settled(place), SOON)
        assert sum(map(_undone, both)) <= 2


def _must_be_settled(place: Place) -> None:
    assert place.outstanding() == []
    assert place.content() == "complete"


def test_half_a_content_under_an_application_that_somebody_has_started_is_reset(
    place: Place,
) -> None:
    place.run(REFRESH, edge="begin", phase=_VERIFY)
    place.set_policy(POLICY)
    place.await_ready()
    with watching(place, "dog") as dog:
        dog.tells("re-armed self-heal")
        dog.tells("reset: golden copy")
    assert place.outstanding() == []
    assert place.content() == "complete"
    assert place.is_golden()
