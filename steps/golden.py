"""The golden copy: taken, damaged, gone back to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import given, parsers, then, when

from harness.golden.store import DUMP
from harness.lifecycle.checkpoint import checkpoint
from harness.lifecycle.compare import differences_from_golden
from harness.lifecycle.refresh import ensure_same_as_prod
from harness.lifecycle.reset import reset
from harness.lifecycle.status import status
from harness.progress import Silent
from steps.attempt import Attempt

if TYPE_CHECKING:
    from pathlib import Path

    from harness.lifecycle.checkpoint import Checkpointed
    from harness.lifecycle.reset import ResetDone
    from harness.settings import Settings


@given("an empty golden store", target_fixture="settings")
def empty_store(settings: Settings, tmp_path: Path) -> Settings:
    return settings.with_golden(directory=tmp_path / "golden")


@given("an empty golden store that keeps no shadows", target_fixture="settings")
def without_shadows(settings: Settings, tmp_path: Path) -> Settings:
    return settings.with_golden(directory=tmp_path / "golden", shadow=False)


@given(
    parsers.parse("an empty golden store that keeps {generations:d} copies"),
    target_fixture="settings",
)
def keeps(settings: Settings, tmp_path: Path, generations: int) -> Settings:
    return settings.with_golden(directory=tmp_path / "golden", generations=generations)


@given("a golden copy of the sandbox", target_fixture="golden")
def take_golden(settings: Settings) -> Checkpointed:
    return checkpoint(settings, Silent())


@given("a golden copy of a sandbox that is the same as prod", target_fixture="golden")
def take_golden_of_copy(settings: Settings) -> Checkpointed:
    ensure_same_as_prod(settings, Silent())
    return checkpoint(settings, Silent())


@given("damage to the golden copy")
def damage(golden: Checkpointed) -> None:
    with (golden.folder / DUMP).open("r+b") as dump:
        dump.seek(-1, 2)
        dump.write(b"!")


@when("the sandbox is reset", target_fixture="done")
def reset_sandbox(settings: Settings) -> ResetDone:
    return reset(settings, Silent())


@when("a reset is attempted", target_fixture="attempt")
def attempt_reset(settings: Settings) -> Attempt:
    return Attempt.of(lambda: reset(settings, Silent()))


@when("a checkpoint is attempted", target_fixture="attempt")
def attempt_checkpoint(settings: Settings) -> Attempt:
    return Attempt.of(lambda: checkpoint(settings, Silent()))


@when(parsers.parse("{count:d} checkpoints are taken"), target_fixture="taken")
def take_several(settings: Settings, count: int) -> list[str]:
    return [checkpoint(settings, Silent()).generation for _ in range(count)]


@then(parsers.parse("the store holds the newest {count:d} golden copies"))
def holds_newest(settings: Settings, taken: list[str], count: int) -> None:
    assert status(settings, Silent()).golden == sorted(taken, reverse=True)[:count]


@then("the reset undid only what was changed")
def was_differential(done: ResetDone) -> None:
    assert (done.way, done.reason) == ("differential", None)


@then(parsers.parse('the golden copy was restored, because "{reason}"'))
def was_durable(done: ResetDone, reason: str) -> None:
    assert done.way == "durable"
    assert reason in (done.reason or "")


@then("the sandbox does not differ from the golden copy")
def equals_golden(settings: Settings) -> None:
    assert list(map(str, differences_from_golden(settings))) == []
