"""A run dies at each boundary of its phases, in each way: `recover`, or the next run, ends it."""

from __future__ import annotations

import os
from itertools import cycle
from typing import TYPE_CHECKING

import pytest

from harness.lifecycle.checkpoint import checkpoint
from harness.lifecycle.status import status
from harness.progress import Silent
from tests.phases import (
    ALONE,
    ASK,
    BACK,
    DUMP,
    GONE,
    LEASE,
    PAUSE,
    READY,
    REARM,
    RESTORE,
    SEEN,
    STOP,
    VERIFY,
    WIPE,
)

from .place import RECOVER, REFRESH, RESET, Place, undo_seconds

if TYPE_CHECKING:
    from pathlib import Path

    from .watching import Watcher

BEFORE = [LEASE, PAUSE, SEEN, STOP, GONE, ALONE, DUMP]
TOUCHED = [RESTORE, VERIFY]
AFTER = [BACK, READY, ASK, REARM]
"""Signals wait there: everything is being put back already."""
REFRESHING = [("begin", phase) for phase in (*BEFORE, WIPE, *TOUCHED, *AFTER)]
REFRESHING += [("end", LEASE), ("end", WIPE), ("end", REARM)]
RESETTING = [("begin", phase) for phase in (STOP, *TOUCHED, BACK)]
KILLED = ["SIGKILL", "gone"]
SIGNALLED = ["SIGINT", "SIGTERM"]


def dying(ways: list[str]) -> list[tuple[str, str, str, str]]:
    """Each boundary, in one of the ways by turns; with DEATHS=all in each of them."""
    refreshing = [(REFRESH, edge, phase) for edge, phase in REFRESHING]
    boundaries = refreshing + [(RESET, edge, phase) for edge, phase in RESETTING]
    if os.environ.get("DEATHS") == "all":
        return [(*boundary, way) for boundary in boundaries for way in ways]
    return [(*boundary, way) for boundary, way in zip(boundaries, cycle(ways), strict=False)]


def is_touched(edge: str, phase: str) -> bool:
    """Whether the content of the sandbox is incomplete at that boundary."""
    return phase in TOUCHED or (edge, phase) == ("end", WIPE)


@pytest.mark.parametrize(("verb", "edge", "phase", "death"), dying(KILLED))
def test_a_killed_run_is_undone_by_recover(
    place: Place, watcher: Watcher, verb: str, edge: str, phase: str, death: str
) -> None:
    was_golden = place.is_golden()
    ended = place.run(verb, death=death, edge=edge, phase=phase)
    assert ended.code == -9, ended
    assert place.content() == ("incomplete" if is_touched(edge, phase) else "complete")
    done = place.recover()
    assert place.outstanding() == []
    assert place.content() == "complete"
    assert undo_seconds(done) <= 3, done
    if phase in AFTER:
        assert place.is_prod() if verb == REFRESH else place.is_golden()
    else:
        assert place.is_golden() == (was_golden or is_touched(edge, phase))
    assert watcher.off_without_a_journal() == []
    assert place.recover().dead_run is None


@pytest.mark.parametrize(("verb", "edge", "phase", "death"), dying(SIGNALLED))
def test_an_interrupted_run_undoes_itself(
    place: Place, watcher: Watcher, verb: str, edge: str, phase: str, death: str
) -> None:
    was_golden = place.is_golden()
    ended = place.run(verb, death=death, edge=edge, phase=phase)
    assert ended.code == 4, ended
    assert place.outstanding() == []
    assert place.content() == "complete"
    if phase in AFTER:
        assert place.is_prod() if verb == REFRESH else place.is_golden()
    else:
        assert place.is_golden() == (was_golden or is_touched(edge, phase))
    assert watcher.off_without_a_journal() == []
    assert place.recover().dead_run is None


@pytest.mark.parametrize("death", KILLED)
@pytest.mark.parametrize("phase", [SEEN, VERIFY, REARM])
def test_the_next_refresh_undoes_a_killed_run_first(place: Place, phase: str, death: str) -> None:
    place.run(REFRESH, death=death, edge="begin", phase=phase)
    ended = place.run(REFRESH)
    assert ended.code == 0, ended
    assert "finished the undo of run" in ended.told["result"]["told"][0]
    assert place.outstanding() == []
    assert place.content() == "complete"
    assert place.is_prod()


@pytest.mark.parametrize("phase", TOUCHED)
@pytest.mark.parametrize("death", KILLED)
def test_without_a_golden_copy_the_content_stays_incomplete_and_all_else_is_put_back(
    place: Place, tmp_path: Path, phase: str, death: str
) -> None:
    place.settings = place.settings.with_golden(directory=tmp_path / "golden")
    place.run(REFRESH, death=death, edge="begin", phase=phase)
    done = place.recover()
    assert done.content == "incomplete"
    assert "stays incomplete" in done.told[0]
    assert place.outstanding() == []
    assert place.run(REFRESH).code == 0
    assert place.content() == "complete"


def test_where_the_golden_copy_cannot_be_reached_it_is_told_who_can(
    place: Place, tmp_path: Path
) -> None:
    place.run(REFRESH, edge="begin", phase=VERIFY)
    place.settings = place.settings.with_golden(directory=tmp_path / "golden")
    done = place.recover()
    assert done.content == "incomplete"
    assert "sandbox-lifecycle reset --job" in " ".join(done.told)


def test_a_golden_copy_older_than_the_one_that_the_run_knew_is_not_put_back_in_silence(
    place: Place, tmp_path: Path
) -> None:
    (older,) = status(place.settings, Silent()).golden
    newer = checkpoint(place.settings, Silent()).folder
    place.run(REFRESH, edge="begin", phase=VERIFY)
    newer.rename(tmp_path / newer.name)
    done = place.recover()
    assert done.golden == older
    assert f"knew golden copy {newer.name}" in " ".join(done.told)
    assert f"{older} was put back" in " ".join(done.told)


@pytest.mark.parametrize("death", SIGNALLED)
def test_an_interrupt_without_a_golden_copy_tells_what_is_outstanding(
    place: Place, tmp_path: Path, death: str
) -> None:
    place.settings = place.settings.with_golden(directory=tmp_path / "golden")
    ended = place.run(REFRESH, death=death, edge="begin", phase=VERIFY)
    assert ended.code == 5, ended
    assert "sandbox-lifecycle refresh-from-prod" in ended.error
    assert place.outstanding() == []
    assert place.content() == "incomplete"


@pytest.mark.parametrize("death", KILLED)
def test_a_recovery_that_dies_is_finished_by_the_next(place: Place, death: str) -> None:
    place.run(REFRESH, death=death, edge="begin", phase=VERIFY)
    for phase in (RESTORE, BACK, REARM):
        assert place.run(RECOVER, death=death, edge="begin", phase=phase).code == -9
    place.recover()
    assert place.outstanding() == []
    assert place.content() == "complete"
    assert place.is_golden()
