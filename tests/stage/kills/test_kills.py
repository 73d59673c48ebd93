"""Runs that are killed on a real cluster are repaired by its watchdog, and by nobody else."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.stage.kills.command import TELLING, table
from tests.stage.kills.trial import tried

if TYPE_CHECKING:
    from tests.stage.kills.ground import Ground
    from tests.stage.kills.trial import Kill


@pytest.mark.parametrize("kill", TELLING, ids=str)
def test_the_watchdog_repairs_what_a_killed_run_has_left(ground: Ground, kill: Kill) -> None:
    outcome = tried(ground, kill)
    sys.stdout.write(f"\n{table([outcome])}\n")
    assert outcome.verdict == "ok", outcome
