from __future__ import annotations

import sys

import pytest

from tests.benchmarks.watching import run_watched

_MEGABYTE = 1e6
_HOLD = "import time; held = bytearray(b'x') * int({megabytes}e6); time.sleep({seconds})"
_STARTER = "import subprocess, sys; subprocess.run([sys.executable, '-c', {program!r}], check=True)"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


def test_the_peak_of_a_command_is_its_own_and_not_that_of_whoever_started_it() -> None:
    held = bytearray(b"x") * int(300e6)
    seen = run_watched([sys.executable, "-c", _HOLD.format(megabytes=60, seconds=0.2)])
    assert len(held) == 300e6
    assert 60 < seen.own_peak / _MEGABYTE < 90


def test_memory_of_the_programs_below_a_command_is_told_apart_from_its_own() -> None:
    below = _HOLD.format(megabytes=60, seconds=0.3)
    seen = run_watched([sys.executable, "-c", _STARTER.format(program=below)])
    assert seen.own_peak / _MEGABYTE < 40
    assert 60 < seen.tree_peak / _MEGABYTE < 120


def test_a_command_is_timed_to_its_end_and_its_output_kept() -> None:
    program = (
        "import sys, time; print('out'); print('err', file=sys.stderr); time.sleep(0.3); exit(3)"
    )
    seen = run_watched([sys.executable, "-c", program])
    assert (seen.exit_code, seen.output, seen.errors) == (3, "out\n", "err\n")
    assert 0.3 < seen.seconds < 5
