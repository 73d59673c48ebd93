"""The rehearsal: somebody writes to the sandbox in the agent's place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import given, then, when

from harness.dolibarr.rehearsal import (
    count_open_invoices,
    give_out_key,
    rehearse,
    switch_off_country,
    switch_on_module,
)
from harness.sides import Sandbox

if TYPE_CHECKING:
    from harness.dolibarr.rehearsal import Rehearsed
    from harness.settings import Settings


@given("a rehearsal that wrote to the sandbox", target_fixture="first_rehearsal")
@when("the same rehearsal writes to the sandbox again", target_fixture="second_rehearsal")
def rehearsed(settings: Settings) -> Rehearsed:
    return rehearse(Sandbox.of(settings), settings.deadlines)


@given("a rehearsal that only read")
def only_read(settings: Settings) -> None:
    count_open_invoices(Sandbox.of(settings), settings.deadlines)


@given("a rehearsal that switched a country off")
def switched_off(settings: Settings) -> None:
    switch_off_country(Sandbox.of(settings), settings.deadlines)


@given("a rehearsal that switched a module on")
def switched_on(settings: Settings) -> None:
    switch_on_module(Sandbox.of(settings), settings.deadlines)


@given("a rehearsal that was rolled back")
def rolled_back(settings: Settings) -> None:
    switch_off_country(Sandbox.of(settings), settings.deadlines, keep=False)


@given("a rehearsal that gave out a key", target_fixture="secret")
def gave_out_key(settings: Settings) -> str:
    return give_out_key(Sandbox.of(settings), settings.deadlines)


@then("both were given the same ids and the same invoice number")
def same_numbers(first_rehearsal: Rehearsed, second_rehearsal: Rehearsed) -> None:
    assert second_rehearsal == first_rehearsal
