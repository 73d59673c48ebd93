"""Interrupts: the first signal unwinds, the next ones wait until everything is put back."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from harness.lifecycle.interrupts import Interrupts

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _nobody_around() -> Iterator[None]:
    """No block of pytest's own around those of the tests."""
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    for each in before:
        signal.signal(each, signal.default_int_handler)
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


def unwind(interrupts: Interrupts, put_back: list[str], number: int) -> None:
    with interrupts:
        try:
            signal.raise_signal(number)
        finally:
            signal.raise_signal(number)
            put_back.append("everything")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_unwinds_and_the_second_waits(number: signal.Signals) -> None:
    put_back: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        unwind(Interrupts(), put_back, number)
    assert put_back == ["everything"]


def put_right(interrupts: Interrupts, put_back: list[str]) -> None:
    with interrupts, interrupts.held_off():
        try:
            with interrupts.let_through():
                raise LookupError
        finally:
            signal.raise_signal(signal.SIGINT)
            put_back.append("everything")


def test_a_signal_while_an_error_is_put_right_waits_and_the_error_stays() -> None:
    put_back: list[str] = []
    with pytest.raises(LookupError):
        put_right(Interrupts(), put_back)
    assert put_back == ["everything"]


def go_on(interrupts: Interrupts, done: list[str]) -> None:
    with interrupts:
        with interrupts.held_off():
            signal.raise_signal(signal.SIGTERM)
            done.append("everything")
        done.append("the rest")


def test_a_signal_that_waited_takes_effect_once_everything_is_put_back() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        go_on(Interrupts(), done)
    assert done == ["everything"]


def work(interrupts: Interrupts, done: list[str]) -> None:
    with interrupts, interrupts.held_off():
        try:
            signal.raise_signal(signal.SIGINT)
            done.append("acquired")
            with interrupts.let_through():
                done.append("worked")
        finally:
            signal.raise_signal(signal.SIGINT)
            done.append("put back")


def test_a_signal_is_let_through_to_the_work_and_to_nothing_else() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        work(Interrupts(), done)
    assert done == ["acquired", "put back"]


def test_handlers_are_given_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with Interrupts():
        assert signal.getsignal(signal.SIGTERM) is not before[1]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def watch_over(done: list[str]) -> None:
    with Interrupts() as outer:
        try:
            put_right(Interrupts(), done)
        except LookupError:
            done.append("told of the error")
        with outer.let_through():
            done.append("gone on")


def test_a_signal_that_an_error_has_outrun_interrupts_whoever_goes_on() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        watch_over(done)
    assert done == ["everything", "told of the error"]
