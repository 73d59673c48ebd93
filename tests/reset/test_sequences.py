"""Sequences: whoever moves one is noticed, whatever its counter says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.lifecycle.checkpoint import checkpoint
from harness.lifecycle.reset import reset
from harness.progress import Silent

from .sabotage import DIFFERENTIAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .ground import Ground

SCHEMA = """
CREATE SEQUENCE public.llx_number;
CREATE TABLE public.llx_lines (rowid serial PRIMARY KEY);
INSERT INTO public.llx_lines DEFAULT VALUES;
"""
NEXT = "SELECT pg_catalog.nextval('public.llx_number')"
ANEW = ("DROP SEQUENCE public.llx_number", "CREATE SEQUENCE public.llx_number")


@pytest.mark.parametrize(
    "rehearsal",
    [
        pytest.param([NEXT], id="asked for a number"),
        pytest.param(["SELECT setval('public.llx_number', 7)"], id="set"),
        pytest.param(["ALTER SEQUENCE public.llx_number RESTART 9"], id="started anew"),
        pytest.param(["TRUNCATE public.llx_lines RESTART IDENTITY"], id="with its table"),
    ],
)
def test_one_that_was_moved_is_put_back(ground: Ground, rehearsal: Sequence[str]) -> None:
    ground.lay(SCHEMA)
    golden = ground.holds()
    checkpoint(ground.settings, Silent())
    # The first reset after a checkpoint reads every sequence, the others do not.
    for _ in range(3):
        ground.work(*rehearsal)
        done = reset(ground.settings, Silent())
        assert ground.departs_from(golden) == []
        assert (done.way, done.reason) == (DIFFERENTIAL, None)


@pytest.mark.parametrize("times", range(7))
def test_one_that_was_made_anew_has_a_counter_of_its_own(ground: Ground, times: int) -> None:
    ground.lay(SCHEMA)
    golden = ground.holds()
    checkpoint(ground.settings, Silent())
    reset(ground.settings, Silent())
    ground.work(*ANEW, *[NEXT] * times)
    reset(ground.settings, Silent())
    assert ground.departs_from(golden) == []


def test_one_that_a_session_has_moved_that_stays_is_put_back(ground: Ground) -> None:
    ground.lay(SCHEMA)
    golden = ground.holds()
    checkpoint(ground.settings, Silent())
    reset(ground.settings, Silent())
    with ground.application() as session:
        for _ in range(3):
            session.execute(NEXT)
            reset(ground.settings, Silent())
            assert ground.departs_from(golden) == []
    assert reset(ground.settings, Silent()).way == DIFFERENTIAL
    assert ground.departs_from(golden) == []
