"""Prod: asked, never attempted; and what a run has left there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import given, then

from harness.integrity.questions import databases, starts_read_only
from harness.lifecycle.compare import prod_now, strangers_now
from harness.postgres.difference import differences
from harness.sides import Prod, Sandbox

if TYPE_CHECKING:
    from harness.lifecycle.refresh import Refreshed
    from harness.postgres.fingerprint import Fingerprint
    from harness.settings import Settings


@given("prod as it is now", target_fixture="prod_before")
def prod_as_it_is(settings: Settings) -> Fingerprint:
    return prod_now(settings)


@given("the databases of the server as they are now", target_fixture="databases_before")
def databases_as_they_are(settings: Settings) -> list[tuple[int, str]]:
    return databases(Sandbox.of(settings), settings)


@then("prod is exactly as it was")
def prod_unchanged(settings: Settings, prod_before: Fingerprint) -> None:
    assert list(map(str, differences(prod_before, prod_now(settings), grants=True))) == []


@then("every session of the harness on prod starts read-only")
def sessions_read_only(settings: Settings) -> None:
    assert starts_read_only(Prod.of(settings), settings)


@then("the run's sessions on prod were looked at, and had written nothing")
def sessions_wrote_nothing(copied: Refreshed) -> None:
    # A sample with a write in it would have failed the refresh.
    assert copied.watched.samples > 0


@then("none of them locked more than a reader does")
def locked_as_readers(copied: Refreshed) -> None:
    assert copied.watched.locks == ("AccessShareLock",)


@then("none of them is left")
def none_left(copied: Refreshed) -> None:
    assert copied.watched.left_behind == 0


@then("the databases of the server are as they were")
def databases_unchanged(settings: Settings, databases_before: list[tuple[int, str]]) -> None:
    assert databases(Sandbox.of(settings), settings) == databases_before


@then("the restore has loaded everything as the sandbox's owner role")
def loaded_as_owner(settings: Settings) -> None:
    assert strangers_now(settings) == []
