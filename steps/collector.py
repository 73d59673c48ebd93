"""Collects `.feature` files: every scenario is a test, and its id is the scenario's own name.

pytest-bdd by itself needs a Python module that calls `scenarios()`, and is silent about much that
is wrong: a misspelt keyword turns steps into prose and the scenario passes, of two scenarios with
one name only one is run, of two definitions of one step either wins. Here each of these ends the
collection with the file, the line, and what to do.

Loaded through `pytest_plugins` of the root `conftest.py`; not to be combined with `scenarios()`.
"""

from __future__ import annotations

import difflib
import inspect
import itertools
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from pytest_bdd.compat import get_fixture_names, getfixturedefs
from pytest_bdd.parser import FeatureParser
from pytest_bdd.scenario import _execute_scenario
from pytest_bdd.steps import step_function_context_registry

from harness.lifecycle.interrupts import Interrupts
from steps.feature_text import Problem, id_of_row, problems_of_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _pytest._code import Traceback
    from pytest_bdd.parser import Scenario, ScenarioTemplate, Step
    from pytest_bdd.steps import StepFunctionContext

_ON_THE_WAY = frozenset({"_pytest", "pytest_bdd", "pluggy"})

_reported = pytest.StashKey[set[Problem]]()
_interrupts = pytest.StashKey[Interrupts]()


def pytest_configure(config: pytest.Config) -> None:
    """Let SIGTERM unwind as Ctrl-C does; by default it ends the process and undoes nothing.

    A second one waits until all fixtures are torn down, for they put back what they changed.
    """
    config.stash[_interrupts] = Interrupts().__enter__()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Give the signals back to whoever had them."""
    if _interrupts in config.stash:
        # One that still waits has nothing left to interrupt.
        with suppress(KeyboardInterrupt):
            config.stash[_interrupts].__exit__(None, None, None)


def pytest_bdd_after_step(request: pytest.FixtureRequest) -> None:
    """Stop for a signal that came while the step put right an error that it expects."""
    _stop_if_interrupted(request.config)


def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Stop for one that came while an error was put right that nobody expects: it is told first."""
    _stop_if_interrupted(item.config)


def _stop_if_interrupted(config: pytest.Config) -> None:
    with config.stash[_interrupts].let_through():
        pass


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> FeatureFile | None:
    """Take every `.feature` file that pytest walks over or is given."""
    if file_path.suffix == ".feature":
        return FeatureFile.from_parent(parent, path=file_path)
    return None


class GherkinLine(str):
    """The note on an exception that tells which line of which feature failed."""

    __slots__ = ()


def pytest_bdd_step_error(
    request: pytest.FixtureRequest, step: Step, exception: BaseException
) -> None:
    """Show the Gherkin line under the error of its step."""
    file = request.node.nodeid.partition("::")[0]
    line = GherkinLine(f"{file}:{step.line_number}  {step.keyword} {step.name}")
    # A broken fixture of wide scope raises the same exception object in every scenario that asks
    # for it: each shows its own line, not those of the scenarios before.
    others = [n for n in getattr(exception, "__notes__", ()) if not isinstance(n, GherkinLine)]
    exception.__notes__ = [*others, line]


class ScenarioItem(pytest.Function):
    """A scenario, or one row of a scenario outline, as a test."""

    def __init__(self, *, scenario: Scenario, **kwargs: Any) -> None:
        def run(request: pytest.FixtureRequest) -> None:
            __tracebackhide__ = True
            _execute_scenario(scenario.feature, scenario, request)

        super().__init__(callobj=run, **kwargs)
        self.scenario = scenario

    def reportinfo(self) -> tuple[Path, int, str]:
        """Point reports to the scenario in the feature file, not to the function that runs it."""
        return self.path, self.scenario.line_number - 1, self.name

    def _traceback_filter(self, excinfo: pytest.ExceptionInfo[BaseException]) -> Traceback:
        """Show the step and what it called, not the way from pytest through pytest-bdd to it."""
        traceback = super()._traceback_filter(excinfo)
        if self.config.getoption("fulltrace"):
            return traceback
        # Nothing is left where pytest-bdd itself failed.
        return traceback.filter(lambda e: _ON_THE_WAY.isdisjoint(Path(e.path).parts)) or traceback


class FeatureFile(pytest.Module):
    """A `.feature` file; a module to pytest, so that fixtures of module scope work as anywhere."""

    def _getobj(self) -> ModuleType:
        return ModuleType(self.path.stem)

    def collect(self) -> Iterator[ScenarioItem]:
        """Yield the scenarios, or raise one error that names everything that is wrong."""
        self._stop_for(problems_of_file(self.path, self.nodeid))
        feature = FeatureParser(str(self.path.parent), self.path.name).parse()
        templates = list(feature.scenarios.values())
        definitions = _definitions_for(self)
        self._stop_for(
            [
                *self._new(_problems_of_definitions(definitions, self.config.rootpath)),
                *self._problems_of_steps(templates, definitions),
            ]
        )
        for template in templates:
            for name, scenario, tags in _runs_of(template):
                item = ScenarioItem.from_parent(self, name=name, scenario=scenario)
                for tag in sorted(tags):
                    item.add_marker(tag)
                yield item

    def _stop_for(self, problems: Iterable[Problem]) -> None:
        # The rows of an outline share their lines: what is wrong with one is told once.
        if found := list(dict.fromkeys(problems)):
            raise self.CollectError("\n".join(map(str, found)))

    def _new(self, problems: Iterable[Problem]) -> Iterator[Problem]:
        """Leave out what another feature file has reported: definitions are seen by all."""
        reported = self.config.stash.setdefault(_reported, set())
        for problem in problems:
            if problem not in reported:
                reported.add(problem)
                yield problem

    def _problems_of_steps(
        self, templates: Iterable[ScenarioTemplate], definitions: list[StepFunctionContext]
    ) -> Iterator[Problem]:
        scenarios = (scenario for template in templates for _, scenario, _ in _runs_of(template))
        for step in itertools.chain.from_iterable(scenario.steps for scenario in scenarios):
            text = f"{step.type.capitalize()} {step.name}"
            matching = [
                definition
                for definition in definitions
                if definition.type in (None, step.type) and definition.parser.is_matching(step.name)
            ]
            if not matching:
                patterns = [definition.parser.name for definition in definitions]
                near = difflib.get_close_matches(step.name, patterns, n=1)
                hint = f"; the nearest is {near[0]!r}" if near else ""
                yield Problem(
                    f"{self.nodeid}:{step.line_number}",
                    f"no definition of the step {text!r}",
                    f"correct the step, or define it in a step module of pytest_plugins{hint}",
                )
            elif len(matching) > 1:
                places = ", ".join(_place(one, self.config.rootpath) for one in matching)
                yield Problem(
                    f"{self.nodeid}:{step.line_number}",
                    f"{len(matching)} definitions of the step {text!r}: {places}",
                    "keep one of them, or make their patterns exclude one another",
                )


def _runs_of(template: ScenarioTemplate) -> Iterator[tuple[str, Scenario, set[str]]]:
    """Yield name, rendered scenario and tags: once, or for each row of an outline."""
    tags = template.tags | template.feature.tags | (template.rule.tags if template.rule else set())
    if not template.examples:
        yield template.name, template.render({}), tags
    for examples in template.examples:
        for row in examples.as_contexts():
            name = f"{template.name}[{id_of_row(row.values())}]"
            yield name, template.render(row), tags | examples.tags


def _definitions_for(file: FeatureFile) -> list[StepFunctionContext]:
    """Find the step definitions that a file can see; pytest-bdd keeps them as fixtures."""
    manager = file.session._fixturemanager  # noqa: SLF001  (pytest lists them nowhere else)
    contexts = (
        step_function_context_registry.get(fixture.func)
        for name in get_fixture_names(manager)
        for fixture in getfixturedefs(manager, name, file) or ()
    )
    # A definition that one module imports from another is there twice, and is still one.
    return list({id(context): context for context in contexts if context}.values())


def _problems_of_definitions(
    definitions: Iterable[StepFunctionContext], root: Path
) -> Iterator[Problem]:
    for one, other in itertools.combinations(definitions, 2):
        overlap = one.type == other.type or None in (one.type, other.type)
        if overlap and one.parser.name == other.parser.name:
            yield Problem(
                _place(other, root),
                f"the step {one.parser.name!r} is defined at {_place(one, root)} already",
                "delete or rename one of the two",
            )


def _place(definition: StepFunctionContext, root: Path) -> str:
    code: Any = inspect.unwrap(definition.step_func).__code__
    path = Path(code.co_filename)
    shown = path.relative_to(root) if path.is_relative_to(root) else path
    return f"{shown}:{code.co_firstlineno}"
