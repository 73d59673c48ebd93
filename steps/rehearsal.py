"""The rehearsal: somebody writes to the sandbox in the agent's place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import given, then, when

from harness.dolibarr.rehearsal import rehearse
from harness.sides import Sandbox

if TYPE_CHECKING:
    from harness.dolibarr.rehearsal import Rehearsed
    from harness.settings import Settings


@given("a rehearsal that wrote to the sandbox", target_fixture="first_rehearsal")
@when("the same rehearsal writes to the sandbox again", target_fixture="second_rehearsal")
def rehearsed(settings: Settings) -> Rehearsed:
    return rehearse(Sandbox.of(settings), settings.deadlines)


@then("both were given the same ids and the same invoice number")
def same_numbers(first_rehearsal: Rehearsed, second_rehearsal: Rehearsed) -> None:
    assert second_rehearsal == first_rehearsal
