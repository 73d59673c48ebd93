"""The collector as its users meet it: pytest in a process of its own, on a project of its own."""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

import steps
from steps import collector

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]

INI = """\
    [pytest]
    addopts = --strict-markers --strict-config
    filterwarnings = error
    pythonpath = .
    markers =
      of_feature: a tag
      of_rule: a tag
      of_scenario: a tag
      of_examples: a tag
"""

STEPS = """\
    import pytest
    from pytest_bdd import given, parsers, step, then, when

    @pytest.fixture(scope="module")
    def module_name(request):
        return request.module.__name__

    @pytest.fixture(scope="session")
    def prod():
        raise RuntimeError("prod does not answer")

    @given(parsers.parse("{count} rows"), target_fixture="rows")
    def _(count, module_name):
        return int(count)

    @when("the sandbox is refreshed")
    def _():
        pass

    @then(parsers.parse("the sandbox has {count:d} rows"))
    def _(rows, count):
        assert rows == count

    @then("prod is as it was")
    def _(prod):
        pass

    @step("nothing else happens")
    def _():
        pass
"""

HEALTHY = """\
    @of_feature
    Feature: Refresh
      As long as every line is prose, a description is welcome.
      For example: this one.
      * and a list

      Background:
        Given 3 rows

      Scenario: The sandbox equals prod after a refresh
        When the sandbox is refreshed
        Then the sandbox has 3 rows
        And nothing else happens

      @of_scenario
      Scenario: A lost row is seen
        Then the sandbox has 4 rows

      @of_rule
      Rule: Any size will do

        Scenario Outline: Rows are counted
          Given <n> rows
          Then the sandbox has <n> rows
            | a table | of <n> |

          Examples:
            | n | what |
            | 1 | one  |
          @of_examples
          Examples:
            | n  | what   |
            | 20 | twenty |
"""

PROD_DOWN = """\
    Feature: Prod
      Scenario: Prod is asked
        Then prod is as it was
      Scenario: Prod is asked again
        Then prod is as it was
"""

EQUAL = "features/refresh.feature::The sandbox equals prod after a refresh"
LOST = "features/refresh.feature::A lost row is seen"
ONE = "features/refresh.feature::Rows are counted[1-one]"
TWENTY = "features/refresh.feature::Rows are counted[20-twenty]"
ASKED = "features/sub/prod.feature::Prod is asked"
AGAIN = "features/sub/prod.feature::Prod is asked again"
PYTHON = "tests/test_python.py::test_python"


def write(project: Path, files: dict[str, str]) -> Path:
    defaults = {
        "pytest.ini": INI,
        "conftest.py": 'pytest_plugins = ["steps.collector", "mysteps"]\n',
        "mysteps.py": STEPS,
    }
    for name, text in (defaults | files).items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
    return project


def command(*args: str) -> dict[str, Any]:
    """Build a run of pytest that knows nothing of the run that this test belongs to."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    return {
        "args": [sys.executable, "-m", "pytest", *args],
        "env": env | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
        "text": True,
    }


def run(project: Path, *args: str, code: int) -> str:
    done = subprocess.run(**command(*args), cwd=project, timeout=300, check=False)
    assert done.returncode == code, done.stdout
    return done.stdout


def collected(project: Path, *args: str) -> list[str]:
    output = run(project, *args, "--collect-only", "-q", code=0)
    return [line for line in output.splitlines() if "::" in line]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {
        "conftest.py": 'pytest_plugins = ["steps.collector", "mysteps", "importing"]\n',
        # What a module imports from another is one definition and not two.
        "importing.py": "from mysteps import *\n",
        "features/refresh.feature": HEALTHY,
        "features/sub/prod.feature": PROD_DOWN,
        "tests/test_python.py": "def test_python():\n    pass\n",
    }
    return write(tmp_path_factory.mktemp("healthy"), files)


@pytest.fixture(scope="module")
def first_run(project: Path) -> str:
    args = ["-v", "--junitxml=junit.xml", "--cucumberjson=cucumber.json"]
    return run(project, "features/", "tests/", *args, code=1)


def test_every_scenario_is_a_test_beside_those_in_python(first_run: str) -> None:
    verdicts = [
        line.split("  ")[0].split(" [")[0] for line in first_run.splitlines() if "%]" in line
    ]
    assert [verdict.strip() for verdict in verdicts] == [
        f"{EQUAL} PASSED",
        f"{LOST} FAILED",
        f"{ONE} PASSED",
        f"{TWENTY} PASSED",
        f"{ASKED} FAILED",
        f"{AGAIN} FAILED",
        f"{PYTHON} PASSED",
    ]


def test_a_failure_shows_its_gherkin_line_once_and_no_frame_of_pytest(first_run: str) -> None:
    output = re.sub(r"^E +", "E ", first_run, flags=re.MULTILINE)
    assert output.count("E features/refresh.feature:17  Then the sandbox has 4 rows\n") == 1
    # One exception of a session fixture fails both: each shows its own line, and only that.
    assert output.count("E features/sub/prod.feature:3  Then prod is as it was") == 1
    assert output.count("E features/sub/prod.feature:5  Then prod is as it was") == 1
    # On CI pytest repeats notes in its summary, at full length.
    told, _, _ = output.partition("__ Prod is asked again __")[2].partition("short test summary")
    assert "prod.feature:5" in told
    assert "prod.feature:3" not in told
    assert "_pytest" not in first_run
    assert "pytest_bdd" not in first_run


@pytest.mark.usefixtures("first_run")
def test_reports_name_scenarios_and_steps(project: Path) -> None:
    suite = ET.parse(project / "junit.xml").getroot()[0]  # noqa: S314  (written by ourselves)
    cases = {(case.get("classname"), case.get("name")): case for case in suite}
    lost = cases["features.refresh.feature", "A lost row is seen"].find("failure")
    assert len(cases) == 7
    assert ("features.refresh.feature", "Rows are counted[20-twenty]") in cases
    assert lost is not None
    assert "features/refresh.feature:17  Then the sandbox has 4 rows" in lost.get("message", "")

    refresh = json.loads((project / "cucumber.json").read_text())[0]
    assert [(e["name"], len(e["steps"])) for e in refresh["elements"]] == [
        ("The sandbox equals prod after a refresh", 4),
        ("A lost row is seen", 2),
        ("Rows are counted", 3),
        ("Rows are counted", 3),
    ]


@pytest.mark.usefixtures("first_run")
def test_the_last_failed_are_run_again(project: Path) -> None:
    assert collected(project, "--lf") == [LOST, ASKED, AGAIN]


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["features/"], [EQUAL, LOST, ONE, TWENTY, ASKED, AGAIN]),
        (["features/sub/prod.feature"], [ASKED, AGAIN]),
        ([TWENTY, EQUAL, ASKED, PYTHON], [TWENTY, EQUAL, ASKED, PYTHON]),
        (["features/refresh.feature::Rows are counted"], [ONE, TWENTY]),
        (["-k", "equals or twenty"], [EQUAL, TWENTY]),
        (["-m", "of_feature and not of_rule"], [EQUAL, LOST]),
        (["-m", "of_examples or of_scenario"], [LOST, TWENTY]),
        (["features/", "--deselect", ONE, "--deselect", "features/sub"], [EQUAL, LOST, TWENTY]),
    ],
)
def test_selection(project: Path, args: list[str], expected: list[str]) -> None:
    assert collected(project, *args) == expected


def test_xdist_runs_each_scenario_once(project: Path) -> None:
    output = run(project, "-n", "2", "-v", "-p", "no:cacheprovider", code=1)
    assert "3 failed, 4 passed" in output
    assert output.count(f"PASSED {TWENTY}") == 1


def test_the_gherkin_reporter_prints_the_steps(project: Path) -> None:
    args = ["-k", "equals", "--gherkin-terminal-reporter", "-vv", "-p", "no:cacheprovider"]
    output = run(project, *args, code=0)
    assert "Scenario: The sandbox equals prod after a refresh" in output
    assert "Then the sandbox has 3 rows" in output


# Each file is wrong in one way; plain pytest-bdd runs nearly all of them and tells nothing.
WRONG = {
    "empty": ("", ":1: the file is empty"),
    "only_comments": ("# language: en\n\n# later\n", ":1: the file is empty"),
    "no_scenario": ("Feature: F\n  Prose.\n", ":1: no scenario in Feature 'F'"),
    "rule_without_scenario": (
        "Feature: F\n  Scenario: A\n    Given 1 rows\n  Rule: R\n",
        ":4: no scenario in Rule 'R'",
    ),
    "no_steps": (
        "Feature: F\n  Scenario: A\n  Scenario: B\n    Given 1 rows\n",
        ":2: no steps in Scenario 'A'",
    ),
    "background_without_steps": (
        "Feature: F\n  Background:\n  Scenario: B\n    Given 1 rows\n",
        ":2: no steps in Background",
    ),
    "no_feature": ("Scenario: A\n  Given 1 rows\n", ":1: "),
    "misspelt_feature": ("Featuer: F\n  Scenario: A\n    Given 1 rows\n", ":1: "),
    "misspelt_scenario": (
        "Feature: F\n  Scenaro: A\n    Given 1 rows\n  Scenario: B\n    Given 1 rows\n",
        ":2: looks like Gherkin and is read as description: 'Scenaro: A'",
    ),
    "lower_case_scenario": (
        "Feature: F\n  scenario: A\n\n  Scenario: B\n    Given 1 rows\n",
        ":2: looks like Gherkin and is read as description: 'scenario: A'",
    ),
    "scenario_without_colon": (
        "Feature: F\n  Scenario A\n    Given 1 rows\n  Scenario: B\n    Given 1 rows\n",
        ":3: looks like Gherkin and is read as description: 'Given 1 rows'",
    ),
    "misspelt_background": (
        "Feature: F\n  Backgroud:\n    * 1 rows\n  Scenario: B\n    Given 1 rows\n",
        ":2: looks like Gherkin and is read as description: 'Backgroud:'",
    ),
    "misspelt_second_scenario": (
        "Feature: F\n  Scenario: A\n    Given 1 rows\n  Scenaro: B\n    Given 1 rows\n",
        (
            ":4: Unexpected token found. Check Gherkin syntax near the reported error. "
            "Found: 'Scenaro: B'"
        ),
    ),
    "misspelt_first_step": (
        "Feature: F\n  Scenario: A\n    Givn 1 rows\n    When the sandbox is refreshed\n",
        ":3: not a step, and would be read as description: 'Givn 1 rows'",
    ),
    "all_steps_misspelt": (
        "Feature: F\n  Scenario: A\n\n    given 1 rows\n    Wehn the sandbox is refreshed\n",
        ":4: not a step, and would be read as description: 'given 1 rows'",
    ),
    "misspelt_step_of_background": (
        "Feature: F\n  Background:\n    Givn 1 rows\n  Scenario: A\n    Given 1 rows\n",
        ":3: not a step, and would be read as description: 'Givn 1 rows'",
    ),
    "begins_with_and": ("Feature: F\n  Scenario: A\n    And 1 rows\n", ":3: First step"),
    "nameless": (
        "Feature: F\n  Scenario:\n    Given 1 rows\n",
        ":2: a scenario cannot be selected by the name ''",
    ),
    "colons": (
        "Feature: F\n  Scenario: A::B\n    Given 1 rows\n",
        ":2: a scenario cannot be selected by the name 'A::B'",
    ),
    "same_name": (
        "Feature: F\n  Scenario: A\n    Given 1 rows\n  Scenario: A\n    Given 2 rows\n",
        ":4: the name of line 2 again: 'A'",
    ),
    "same_name_in_a_rule": (
        (
            "Feature: F\n  Scenario: A\n    Given 1 rows\n"
            "  Rule: R\n    Scenario: A\n      Given 2 rows\n"
        ),
        ":5: the name of line 2 again: 'A'",
    ),
    "unknown_tag": (
        "Feature: F\n\n  @of_scenario @integriti\n  Scenario: A\n    Given 1 rows\n",
        ":3: the tag @integriti is not registered",
    ),
    "unknown_tag_of_feature": (
        "@sloow\nFeature: F\n  Scenario: A\n    Given 1 rows\n",
        ":1: the tag @sloow is not registered",
    ),
    "undefined": (
        "Feature: F\n  Scenario: A\n    When the sandbox is refreshd\n",
        ":3: no definition of the step 'When the sandbox is refreshd'",
    ),
    "undefined_in_background": (
        "Feature: F\n  Background:\n    Given a moon\n  Scenario: A\n    Given 1 rows\n",
        ":3: no definition of the step 'Given a moon'",
    ),
    "undefined_in_one_row": (
        (
            "Feature: F\n  Scenario Outline: A\n    Then the sandbox has <n> rows\n"
            "    Examples:\n      | n   |\n      | 1   |\n      | two |\n"
        ),
        ":3: no definition of the step 'Then the sandbox has two rows'",
    ),
    "undefined_in_each_row": (
        (
            "Feature: F\n  Scenario Outline: A\n    Given a moon\n    And <n> rows\n"
            "    Examples:\n      | n |\n      | 1 |\n      | 2 |\n"
        ),
        ":3: no definition of the step 'Given a moon'",
    ),
    "defined_for_another_keyword": (
        "Feature: F\n  Scenario: A\n    Then the sandbox is refreshed\n",
        ":3: no definition of the step 'Then the sandbox is refreshed'",
    ),
    # "<m> rows" matches the definition of "{count} rows".
    "no_such_column": (
        (
            "Feature: F\n  Scenario Outline: A\n    Given <m> rows\n    Examples:\n"
            "      | n |\n      | 1 |\n"
        ),
        ":3: no column <m> in the Examples, for the step '<m> rows'",
    ),
    "no_examples_for_background": (
        "Feature: F\n  Background:\n    Given <n> rows\n  Scenario: A\n    Given 1 rows\n",
        ":3: no column <n> in the Examples, for the step '<n> rows'",
    ),
    "no_examples": (
        "Feature: F\n  Scenario Outline: A\n    Given 1 rows\n",
        ":2: Scenario Outline 'A' has no Examples",
    ),
    "no_row": (
        "Feature: F\n  Scenario Outline: A\n    Given <n> rows\n    Examples:\n      | n |\n",
        ":4: Examples without a row",
    ),
    "row_twice": (
        (
            "Feature: F\n  Scenario Outline: A\n    Given <n> rows\n    Examples:\n"
            "      | n |\n      | 1 |\n      | 1 |\n"
        ),
        ":7: an example that is there already: '1'",
    ),
    "ragged": (
        (
            "Feature: F\n  Scenario Outline: A\n    Given <n> rows\n    Examples:\n"
            "      | n |\n      | 1 | 2 |\n"
        ),
        ":6: Unknown parsing error",
    ),
}


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    files = {f"features/{name}.feature": text for name, (text, _) in WRONG.items()}
    project = write(tmp_path_factory.mktemp("wrong"), {**files, "features/ok.feature": HEALTHY})
    (project / "features/latin_1.feature").write_bytes("Feature: Büro\n".encode("latin-1"))
    output = run(project, "features/", code=2)
    assert f"Interrupted: {len(WRONG) + 1} errors during collection" in output
    assert "Traceback" not in output
    blocks = output.partition("short test summary")[0].split(" ERROR collecting features/")[1:]
    return {block.partition(".feature")[0]: block for block in blocks}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_an_error_of_collection(refused: dict[str, str], name: str) -> None:
    _, expected = WRONG[name]
    problems = [line for line in refused[name].splitlines() if line.startswith("features/")]
    assert problems[0].startswith(f"features/{name}.feature{expected}")
    # One mistake may have consequences that are told as well, but none is told twice.
    assert len(set(problems)) == len(problems)
    assert refused[name].count("what to do: ") == len(problems)


def test_an_error_tells_what_to_do(refused: dict[str, str]) -> None:
    assert refused["latin_1"].splitlines()[1].startswith("features/latin_1.feature:1: the file is")
    assert refused["undefined"].splitlines()[1:3] == [
        "features/undefined.feature:3: no definition of the step 'When the sandbox is refreshd'",
        (
            "    what to do: correct the step, or define it in a step module of pytest_plugins; "
            "the nearest is 'the sandbox is refreshed'"
        ),
    ]


def test_two_definitions_of_one_step(tmp_path: Path) -> None:
    files = {
        "conftest.py": 'pytest_plugins = ["steps.collector", "one", "other"]\n',
        "one.py": """\
            from pytest_bdd import given, parsers, step, then
            @given("a sandbox")
            def _(): pass
            @given("a prod")
            def _(): pass
            @given(parsers.parse("{n} rows"))
            def _(): pass
            @given("a sandbox")
            def _(): pass
            @then("a prod")
            def _(): pass
        """,
        "other.py": """\
            from pytest_bdd import given, parsers, step
            @step("a prod")
            def _(): pass
            @given(parsers.parse("{n:d} {what}"))
            def _(): pass
        """,
        "features/a.feature": "Feature: F\n  Scenario: A\n    Given 3 rows\n    And four rows\n",
        "features/b.feature": "Feature: F\n  Scenario: B\n    Given four rows\n",
    }
    output = run(write(tmp_path, files), "features/", code=2)
    found = [line for line in output.splitlines() if ".py:" in line]
    # Of the same pattern: told once, though nobody uses them and two features see them.
    assert sorted(found[:-1]) == [
        "one.py:8: the step 'a sandbox' is defined at one.py:2 already",
        "other.py:2: the step 'a prod' is defined at one.py:10 already",
        "other.py:2: the step 'a prod' is defined at one.py:4 already",
    ]
    assert found[-1] == (
        "features/a.feature:3: 2 definitions of the step 'Given 3 rows': one.py:6, other.py:4"
    )
    assert "Interrupted: 1 error during collection" in output


@contextmanager
def sandbox_in_use(project: Path, *args: str, workers: int) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(**command(*args), cwd=project)
    try:
        deadline = time.monotonic() + 30
        while len(list(project.glob("made-*"))) < workers:
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.communicate()


def test_sigterm_unwinds_like_ctrl_c(tmp_path: Path) -> None:
    files = {
        "mysteps.py": """\
            import time
            from pathlib import Path
            import pytest
            from pytest_bdd import given

            @pytest.fixture(scope="session")
            def sandbox(worker_id):
                Path(f"made-{worker_id}").touch()
                yield
                Path(f"undone-{worker_id}").touch()

            @given("a long refresh")
            def _(sandbox):
                time.sleep(60)
        """,
        "features/long.feature": """\
            Feature: Long
              Scenario: A
                Given a long refresh
              Scenario: B
                Given a long refresh
        """,
    }
    alone = write(tmp_path / "alone", files)
    spread = write(tmp_path / "spread", files)
    # At the same time: execnet lets its workers go on for five seconds before it interrupts them.
    with (
        sandbox_in_use(spread, "-n", "2", workers=2) as controller,
        sandbox_in_use(alone, workers=1) as process,
    ):
        for each in (controller, process):
            each.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == pytest.ExitCode.INTERRUPTED
        assert controller.wait(timeout=20) == pytest.ExitCode.INTERRUPTED
    assert [path.name for path in alone.glob("undone-*")] == ["undone-master"]
    assert sorted(path.name for path in spread.glob("undone-*")) == ["undone-gw0", "undone-gw1"]


@pytest.mark.parametrize("expected", [True, False])
def test_a_signal_that_an_error_has_outrun_stops_the_scenarios(
    tmp_path: Path, *, expected: bool
) -> None:
    files = {
        "mysteps.py": f"""\
            import signal
            from contextlib import suppress
            from pathlib import Path
            from pytest_bdd import given, when
            from harness.lifecycle.interrupts import Interrupts

            @when("a refresh fails")
            def _():
                with (
                    suppress({"LookupError" if expected else ""}),
                    Interrupts() as interrupts,
                    interrupts.held_off(),
                ):
                    signal.raise_signal(signal.SIGTERM)
                    raise LookupError("a table is gone")

            @given("more")
            def _():
                Path("more").touch()
        """,
        "features/long.feature": """\
            Feature: Long
              Scenario: A
                When a refresh fails
                Given more
              Scenario: B
                Given more
        """,
    }
    output = run(write(tmp_path, files), "features/", code=pytest.ExitCode.INTERRUPTED)
    assert "KeyboardInterrupt" in output
    assert ("LookupError: a table is gone" in output) is not expected
    assert not (tmp_path / "more").exists()


def test_sigterm_is_given_back() -> None:
    config: Any = SimpleNamespace(stash=pytest.Stash())
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        collector.pytest_configure(config)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        collector.pytest_unconfigure(config)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)


def test_another_pytest_bdd_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("importlib.metadata.version", lambda _: "9.1.0")
        with pytest.raises(ImportError, match=r"pytest-bdd 9\.1\.0 is installed.*9\.0"):
            importlib.reload(steps)
    importlib.reload(steps)
