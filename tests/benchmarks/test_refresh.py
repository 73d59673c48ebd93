from __future__ import annotations

import sys

import pytest

from harness.progress import Silent
from tests.benchmarks import refresh_report
from tests.benchmarks.refresh import measure

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


def test_a_refresh_is_measured_against_bare_and_lean_copies() -> None:
    measured = measure(0.05, "binaries", 1, Silent())
    assert measured.settings["fsync"] == "on"
    assert 25e6 < measured.prod_bytes < 50e6
    assert [len(runs) for runs in (measured.refreshes, measured.bares, measured.leans)] == [1, 1, 1]
    (once,) = measured.refreshes
    assert 0 < sum(once.phases.values()) < once.seconds
    assert 10e6 < measured.own_peak < 150e6
    told = [verdict.what for verdict in refresh_report.verdicts(measured, measured)]
    assert told[0] == "ratio"
    assert refresh_report.table(measured, measured).row_count > len(once.phases)
