"""Deadlines: waiting ends when the thing is there, or with the reason why it is not."""

from __future__ import annotations

import pytest

from harness.deadlines import Deadline, Deadlines, eventually

SOON = Deadline(0.2, "a test")


def test_waiting_ends_as_soon_as_the_thing_is_there() -> None:
    answers = iter([None, None, "here"])

    def probe() -> str:
        answer = next(answers)
        if answer is None:
            raise LookupError("not yet")
        return answer

    assert eventually(probe, SOON, every=0.01) == "here"


def test_the_last_error_says_why_it_never_came() -> None:
    tries = 0

    def probe() -> None:
        nonlocal tries
        tries += 1
        raise LookupError(f"try {tries}")

    with pytest.raises(LookupError) as caught:
        eventually(probe, SOON, every=0.01)
    assert tries > 1
    assert str(caught.value) == f"try {tries}"


def test_an_error_that_does_not_mean_not_yet_ends_the_wait() -> None:
    tries = 0

    def probe() -> None:
        nonlocal tries
        tries += 1
        raise (LookupError if tries == 1 else ZeroDivisionError)

    with pytest.raises(ZeroDivisionError):
        eventually(probe, SOON, every=0.01, on=LookupError)
    assert tries == 2


def test_an_interrupt_is_not_waited_out() -> None:
    def probe() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        eventually(probe, SOON)


def test_the_table_is_stretched_as_a_whole() -> None:
    table, stretched = Deadlines(), Deadlines().scaled(3)
    for name in table.__dataclass_fields__:
        before, after = getattr(table, name), getattr(stretched, name)
        assert after.seconds == before.seconds * 3
        assert after.reason == before.reason != ""
