"""Two runs side by side: nothing that one of them has not proven reads as proven."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.errors import ConfigurationError
from tests.stage.report import SideBySide

if TYPE_CHECKING:
    from pathlib import Path

PASSED = ""
FAILED = '<failure message="no"/>'
ERROR = '<error message="no"/>'
SKIPPED = '<skipped message="needs somebody"/>'


def written(path: Path, **scenarios: str) -> Path:
    cases = "".join(
        f'<testcase classname="features.refresh.feature" name="{name}" time="1.25">'
        f"{inner}</testcase>"
        for name, inner in scenarios.items()
    )
    path.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    return path


@pytest.mark.parametrize(
    ("local", "live", "green"),
    [
        (PASSED, PASSED, True),
        (SKIPPED, PASSED, True),
        (PASSED, SKIPPED, True),
        (SKIPPED, SKIPPED, True),
        (PASSED, FAILED, False),
        (ERROR, PASSED, False),
    ],
)
def test_it_is_green_where_nothing_failed(
    tmp_path: Path, local: str, live: str, *, green: bool
) -> None:
    runs = SideBySide.of(
        written(tmp_path / "local.xml", a=PASSED, b=local),
        written(tmp_path / "live.xml", a=PASSED, b=live),
    )
    assert runs.is_green is green


def test_a_scenario_that_one_of_them_has_not_run_is_not_green(tmp_path: Path) -> None:
    local = written(tmp_path / "local.xml", a=PASSED, b=PASSED)
    assert not SideBySide.of(local, written(tmp_path / "live.xml", a=PASSED)).is_green
    nothing = written(tmp_path / "nothing.xml")
    assert not SideBySide.of(nothing, nothing).is_green


def test_it_tells_each_scenario_with_its_time_and_why_it_was_skipped(tmp_path: Path) -> None:
    runs = SideBySide.of(
        written(tmp_path / "local.xml", rows=PASSED, people=SKIPPED, more=SKIPPED),
        written(tmp_path / "live.xml", rows=FAILED, people=PASSED),
    )
    assert str(runs).splitlines() == [
        "          local            live",
        "features/refresh.feature",
        "  rows    passed 1.2 s     failed 1.2 s",
        "  people  skipped [1]      passed 1.2 s",
        "  more    skipped [1]      not run",
        "          1 passed, 2 skipped (4 s); 1 failed, 1 passed (2 s)",
        "[1] needs somebody",
    ]


def test_what_is_no_report_of_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="tells of no run"):
        SideBySide.of(tmp_path / "nowhere.xml", tmp_path / "nowhere.xml")
