"""Interrupts: the first signal unwinds, the next ones wait until everything is put back."""

from __future__ import annotations

import signal

import pytest

from harness.lifecycle.interrupts import Interrupts


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
    with interrupts:
        try:
            raise LookupError
        finally:
            with interrupts.held_off():
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
        done.append("the rest")


def test_a_signal_that_waited_takes_effect_at_the_end() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        go_on(Interrupts(), done)
    assert done == ["the rest"]


def test_handlers_are_given_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with Interrupts():
        assert signal.getsignal(signal.SIGTERM) is not before[1]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
