"""How a scenario shows what it proves: pytest in a process of its own, on guarantees made up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from xml.etree import ElementTree as ET

import pytest

from harness.integrity.report.model import Scenario
from steps.proof import Outcomes

ROOT = Path(__file__).parents[2]
PROJECT = {
    "pytest.ini": """
        [pytest]
        filterwarnings = error
        markers = integrity: the gate
    """,
    "conftest.py": """
        from steps.proof import Outcomes

        outcomes = Outcomes()

        def pytest_configure(config):
            config.pluginmanager.register(outcomes)

        def pytest_terminal_summary(terminalreporter):
            for each in outcomes.scenarios:
                terminalreporter.write_line(f"told: {each.name} {each.outcome} [{each.proof}]")
    """,
    "test_gate.py": """
        from dataclasses import replace

        import pytest

        from steps.proof import expect_proven
        from tests.integrity.test_report import GREEN, RED, UNPROVEN

        pytestmark = pytest.mark.integrity

        @pytest.fixture
        def broken():
            raise RuntimeError("no platform")

        def test_holds(request):
            expect_proven(GREEN, "prod cannot be dropped", request.node)

        def test_accepted(request):
            expect_proven(GREEN, "admission policy", request.node)

        def test_not_accepted(request):
            report = replace(GREEN, approvals=(), unproven=(UNPROVEN,))
            expect_proven(report, "admission policy", request.node)

        def test_broken(request):
            expect_proven(RED, "prod cannot be dropped", request.node)

        def test_without_a_platform(broken):
            pass

        def test_of_something_else():
            pass
    """,
}


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What pytest printed, and its XML."""
    folder = tmp_path_factory.mktemp("project")
    for name, text in PROJECT.items():
        (folder / name).write_text(dedent(text))
    junit = folder / "junit.xml"
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-rs", f"--junitxml={junit}", "."],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    return run.stdout, junit


def test_a_guarantee_that_holds_shows_how_it_is_proven(ended: tuple[str, Path]) -> None:
    assert "test_holds PASSED (proven by attempt on a twin)" in ended[0]
    assert "test_of_something_else PASSED  " in ended[0]


def test_what_is_not_provable_but_accepted_is_never_a_pass(ended: tuple[str, Path]) -> None:
    assert "test_accepted SKIPPED (not provable here" in ended[0]
    assert "not provable here: none is enforced (accepted until 2027-11-01)" in ended[0]


def test_what_is_not_provable_and_not_accepted_fails(ended: tuple[str, Path]) -> None:
    assert "test_not_accepted FAILED" in ended[0]
    assert "admission policy: not proven: none is enforced" in ended[0]
    assert "kubernetes/15/admission policy" in ended[0]


def test_what_is_broken_fails(ended: tuple[str, Path]) -> None:
    assert "test_broken FAILED" in ended[0]
    assert "prod cannot be dropped: broken: 1 path" in ended[0]


def test_junit_tells_it_for_each_scenario(ended: tuple[str, Path]) -> None:
    cases = ET.parse(ended[1]).getroot().iter("testcase")  # noqa: S314  made here
    told = {
        case.get("name"): [each.get("value") for each in case.iter("property")] for case in cases
    }
    assert told["test_holds"] == ["proven by attempt on a twin"]
    assert told["test_accepted"] == ["not provable here: none is enforced"]
    assert told["test_broken"] == ["proven by catalogue"]
    assert told["test_of_something_else"] == []


def test_the_report_is_told_how_every_scenario_ended(ended: tuple[str, Path]) -> None:
    for line in (
        "told: test_holds passed [proven by attempt on a twin]",
        "told: test_accepted skipped [not provable here: none is enforced]",
        "told: test_broken failed [proven by catalogue]",
        "told: test_without_a_platform failed []",
        "told: test_of_something_else passed []",
    ):
        assert line in ended[0]


def test_what_is_not_of_the_gate_is_not_told() -> None:
    outcomes = Outcomes()
    for keywords in ({}, {"integrity": 1}):
        outcomes.pytest_runtest_logreport(
            pytest.TestReport(
                "features/x.feature::A scenario",
                ("x", 1, "A scenario"),
                keywords,
                "passed",
                None,
                "call",
            )
        )
        assert bool(outcomes.scenarios) is bool(keywords)
    assert outcomes.scenarios == (Scenario("A scenario", "passed", ""),)
