"""What is wrong with a feature file by itself, whatever the step definitions are.

Gherkin takes a line with a misspelt keyword for prose, and runs what is left. So prose is kept out
of the places where steps belong, and must not look like Gherkin where it is allowed.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import pytest
from gherkin.dialect import Dialect
from pytest_bdd.exceptions import GherkinParseError
from pytest_bdd.gherkin_parser import get_gherkin_document
from pytest_bdd.parser import PARAM_RE, FeatureParser

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pytest_bdd import gherkin_parser as gherkin

NEARLY = 0.8
"""How alike a word and a keyword are when the word is taken for the keyword misspelt.

"Scenaro" and "Scenario" are 0.93 alike; "For example", which is prose, and "Example" 0.78.
"""


@dataclass(frozen=True)
class Problem:
    """One reason not to run a feature file.

    Attributes:
        where: The file and the line.
        what: What was found there.
        remedy: What to do.
    """

    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}\n    what to do: {self.remedy}"


def id_of_row(values: Iterable[str]) -> str:
    """Name a row of Examples; a cell may hold a line break, a test's id may not."""
    return " ".join("-".join(values).split())


def problems_of_file(path: Path, shown: str) -> Iterator[Problem]:
    """Yield what is wrong with the text of a feature file.

    Args:
        path: The file.
        shown: Its name in the problems.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
        if all(line.strip() == "" or line.strip().startswith("#") for line in lines):
            yield Problem(f"{shown}:1", "the file is empty", "write a feature, or delete the file")
            return
        feature = get_gherkin_document(str(path)).feature
        FeatureParser(str(path.parent), path.name).parse()  # refuses more, forgets more
    except UnicodeDecodeError as error:
        yield Problem(f"{shown}:1", f"the file is not UTF-8 ({error})", "save it as UTF-8")
    except GherkinParseError as error:
        yield Problem(
            f"{shown}:{error.line}",
            f"{error.message} Found: {error.line_content.strip()!r}",
            "look for a misspelt or misplaced keyword, here and above",
        )
    else:
        yield from _Document(feature, lines, shown).problems()


class _Document:
    """A feature file that could be parsed."""

    def __init__(self, feature: gherkin.Feature, lines: list[str], shown: str) -> None:
        dialect = Dialect.for_name(feature.language)
        if dialect is None:
            raise AssertionError("the parser refuses a language that it does not know")
        self.feature = feature
        self.lines = lines
        self.shown = shown
        self.outline_keywords = dialect.scenario_outline_keywords
        self.block_keywords = [
            *dialect.rule_keywords,
            *dialect.background_keywords,
            *dialect.scenario_keywords,
            *dialect.scenario_outline_keywords,
            *dialect.examples_keywords,
        ]
        steps = chain(
            dialect.given_keywords,
            dialect.when_keywords,
            dialect.then_keywords,
            dialect.and_keywords,
            dialect.but_keywords,
        )
        # An asterisk is a step where steps belong, and a list in a description.
        self.step_keywords = tuple(keyword for keyword in steps if keyword != "* ")

    def problem(self, line: int, what: str, remedy: str) -> Problem:
        return Problem(f"{self.shown}:{line}", what, remedy)

    def problems(self) -> Iterator[Problem]:
        rules = [child.rule for child in self.feature.children if child.rule]
        blocks: list[gherkin.Feature | gherkin.Rule] = [self.feature, *rules]
        inherited: list[gherkin.Step] = []
        first_lines: dict[str, int] = {}
        for block in blocks:
            yield from self.of_tags(block.tags)
            yield from self.of_description(block)
            backgrounds = [child.background for child in block.children if child.background]
            scenarios = [child.scenario for child in block.children if child.scenario]
            bodies: list[gherkin.Background | gherkin.Scenario] = [*backgrounds, *scenarios]
            for body in bodies:
                yield from self.of_body(body)
            above = inherited + [step for background in backgrounds for step in background.steps]
            for scenario in scenarios:
                yield from self.of_name(scenario, first_lines)
                yield from self.of_tags(scenario.tags)
                yield from self.of_examples(scenario)
                yield from self.of_parameters([*above, *scenario.steps], scenario.examples)
            if block is self.feature:
                inherited = above
            if not scenarios and not (block is self.feature and rules):
                yield self.problem(
                    block.location.line,
                    f"no scenario in {block.keyword} {block.name!r}",
                    "write one, or look for a misspelt keyword below",
                )

    def of_tags(self, tags: Iterable[gherkin.Tag]) -> Iterator[Problem]:
        for tag in tags:
            try:
                getattr(pytest.mark, tag.name.removeprefix("@"))
            except (AttributeError, pytest.fail.Exception):
                yield self.problem(
                    tag.location.line,
                    f"the tag {tag.name} is not registered",
                    "correct it, or add it to `markers` of [tool.pytest.ini_options]",
                )

    def of_description(self, block: gherkin.Feature | gherkin.Rule) -> Iterator[Problem]:
        for text in filter(None, map(str.strip, block.description.splitlines())):
            if self.looks_like_gherkin(text):
                yield self.problem(
                    self.line_of(text, block.location.line),
                    f"looks like Gherkin and is read as description: {text!r}",
                    "correct the keyword on this line or above, or begin with another word",
                )

    def looks_like_gherkin(self, text: str) -> bool:
        head, colon, _ = text.partition(":")
        return text.startswith(self.step_keywords) or any(
            colon
            and difflib.SequenceMatcher(None, head.casefold(), keyword.casefold()).ratio() >= NEARLY
            for keyword in self.block_keywords
        )

    def line_of(self, text: str, after: int) -> int:
        """Find the line of a description, for which the parser gives none."""
        numbered = enumerate(self.lines[after:], start=after + 1)
        return next((number for number, line in numbered if line.strip() == text), after)

    def of_body(self, body: gherkin.Background | gherkin.Scenario) -> Iterator[Problem]:
        if text := body.description.strip().partition("\n")[0].strip():
            yield self.problem(
                self.line_of(text, body.location.line),
                f"not a step, and would be read as description: {text!r}",
                "correct the keyword; prose goes into a comment or the feature's description",
            )
        elif not body.steps:
            yield self.problem(
                body.location.line,
                f"no steps in {body.keyword} {body.name!r}",
                "write them, or delete it",
            )

    def of_name(self, scenario: gherkin.Scenario, first_lines: dict[str, int]) -> Iterator[Problem]:
        line = scenario.location.line
        if not scenario.name or "::" in scenario.name:
            yield self.problem(
                line,
                f"a scenario cannot be selected by the name {scenario.name!r}",
                "give it one, without '::'",
            )
        elif (first := first_lines.setdefault(scenario.name, line)) != line:
            yield self.problem(
                line,
                f"the name of line {first} again: {scenario.name!r}",
                "give each scenario of the feature, in whatever rule, a name of its own",
            )

    def of_examples(self, scenario: gherkin.Scenario) -> Iterator[Problem]:
        if scenario.keyword in self.outline_keywords and not scenario.examples:
            yield self.problem(
                scenario.location.line,
                f"{scenario.keyword} {scenario.name!r} has no Examples",
                "write them, or make it a scenario",
            )
        seen: set[str] = set()
        for table in scenario.examples:
            yield from self.of_tags(table.tags)
            if not table.table_body:
                yield self.problem(
                    table.location.line, "Examples without a row", "write one, or delete the table"
                )
            for row in table.table_body or ():
                row_id = id_of_row(cell.value for cell in row.cells)
                if row_id in seen:
                    yield self.problem(
                        row.location.line,
                        f"an example that is there already: {row_id!r}",
                        "delete it, or tell the two apart by a column",
                    )
                seen.add(row_id)

    def of_parameters(
        self, steps: Iterable[gherkin.Step], tables: Iterable[gherkin.ExamplesTable]
    ) -> Iterator[Problem]:
        """A parameter without a column stays in the step as it is, and may well match."""
        headers = [
            {cell.value for cell in table.table_header.cells} if table.table_header else set()
            for table in tables
        ]
        columns = set.intersection(*headers) if headers else set()
        for step in steps:
            rows = step.datatable.rows if step.datatable else ()
            for text in (step.text, *(cell.value for row in rows for cell in row.cells)):
                for name in PARAM_RE.findall(text):
                    # "< 3 and >" is arithmetic.
                    if name == name.strip() and name not in columns:
                        yield self.problem(
                            step.location.line,
                            f"no column <{name}> in the Examples, for the step {step.text!r}",
                            "correct the parameter, or add the column to every Examples table",
                        )
