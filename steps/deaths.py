"""Deaths of a run, and what is made of what it left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pytest_bdd import given, parsers, then, when

from harness.dolibarr.rehearsal import rehearse
from harness.errors import UndoOutstandingError
from harness.lifecycle.checkpoint import checkpoint
from harness.lifecycle.compare import (
    differences_from_golden,
    differences_from_prod,
    golden_from_prod,
    prod_now,
)
from harness.lifecycle.recover import recover
from harness.lifecycle.refresh import ensure_same_as_prod
from harness.lifecycle.status import status
from harness.progress import Silent
from harness.sides import Sandbox
from steps.attempt import Attempt
from steps.dying import INTERRUPTED, dies

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.lifecycle.recover import Recovered
    from harness.settings import Settings
    from steps.dying import Died


@pytest.fixture
def recovered_at_last(settings: Settings) -> Iterator[None]:
    """Nothing is left to the next scenario, wherever this one ends."""
    yield
    recover(settings, Silent())


@given("a sandbox that holds a golden copy, and not what prod holds")
def holds_golden(settings: Settings) -> None:
    # Each row of an outline would otherwise take one of its own.
    if not _holds_golden_apart(settings):
        ensure_same_as_prod(settings, Silent())
        rehearse(Sandbox.of(settings), settings.deadlines)
        checkpoint(settings, Silent())


def _holds_golden_apart(settings: Settings) -> bool:
    found = status(settings, Silent())
    if found.content != "complete" or not found.golden or differences_from_golden(settings):
        return False
    return golden_from_prod(settings) != []


@given(parsers.parse("a refresh from prod that met {death}, {moment}"), target_fixture="died")
@when(parsers.parse("a refresh from prod meets {death}, {moment}"), target_fixture="died")
def meets(
    settings: Settings,
    death: str,
    moment: str,
    tmp_path: Path,
    recovered_at_last: None,  # noqa: ARG001  its end is what is wanted
) -> Died:
    return dies(settings, death, moment, tmp_path)


@when("what it left is recovered", target_fixture="recovered")
def recover_it(settings: Settings) -> Recovered:
    return recover(settings, Silent())


@when("a recovery is attempted", target_fixture="attempt")
def attempt_recovery(settings: Settings) -> Attempt:
    return Attempt.of(lambda: recover(settings, Silent()))


@then("it ends as interrupted, with everything put back")
def ends_as_interrupted(died: Died) -> None:
    assert died.code == INTERRUPTED, died.said


@then(parsers.parse('it is left outstanding, and names "{text}"'))
def is_left_outstanding(attempt: Attempt, text: str) -> None:
    assert isinstance(attempt.error, UndoOutstandingError), attempt.error
    assert text in str(attempt.error)


@then(parsers.parse('the recovery tells that "{text}"'))
def recovery_tells(recovered: Recovered, text: str) -> None:
    assert any(text in told for told in recovered.told), recovered.told


@then("the sandbox holds the golden copy")
def holds_golden_copy(settings: Settings) -> None:
    assert list(map(str, differences_from_golden(settings))) == []
    assert status(settings, Silent()).content == "complete"


@then("the sandbox holds what prod holds")
def holds_prod(settings: Settings) -> None:
    assert list(map(str, differences_from_prod(settings, prod_now(settings)))) == []
    assert status(settings, Silent()).content == "complete"
