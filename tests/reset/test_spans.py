"""What may be seen of a write depends on the resets between it and whoever looks."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from .spans import Register, Resets, Span


def resets(*spans: tuple[float, float]) -> Resets:
    """Resets that began and ended then."""
    made = Resets()
    for span in spans:
        with patch("time.monotonic", side_effect=span), made.one():
            pass
    return made


def seen(register: Register, made: Resets, began: float = 20, ended: float = 21) -> set[str]:
    """Which values may be read, in a request of that time."""
    written = register.written
    found = set()
    for value in ("golden", "written", "another"):
        again = Register(register.golden)
        if written is not None:
            again.write(*written)
        if again.explains(value, Span(began, ended), made):
            found.add(value)
    return found


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], {"written"}),
        ([(1, 9)], {"written"}),
        ([(1, 10.5)], {"written", "golden"}),
        ([(10.2, 10.8)], {"written", "golden"}),
        ([(10.5, 15)], {"written", "golden"}),
        ([(12, 15)], {"golden"}),
        ([(10.5, 15), (16, 17)], {"golden"}),
        ([(15, 20.5)], {"written", "golden"}),
        ([(20.5, 25)], {"written", "golden"}),
        ([(22, 25)], {"written"}),
    ],
)
def test_a_write_is_there_until_a_reset(
    spans: list[tuple[float, float]], expected: set[str]
) -> None:
    register = Register("golden")
    register.write("written", Span(10, 11))
    assert seen(register, resets(*spans)) == expected


def test_a_reset_that_goes_on_may_have_taken_effect() -> None:
    register = Register("golden")
    register.write("written", Span(10, 11))
    made = Resets()
    with patch("time.monotonic", side_effect=(12, 30)), made.one():
        assert seen(register, made) == {"written", "golden"}


def test_what_nobody_wrote_is_golden() -> None:
    assert seen(Register("golden"), resets((1, 2))) == {"golden"}


def test_what_was_seen_golden_once_does_not_come_back() -> None:
    register, made = Register("golden"), resets((10.5, 20.5))
    register.write("written", Span(10, 11))
    assert register.explains("golden", Span(15, 16), made)
    assert seen(register, made) == {"golden"}


def test_what_was_seen_written_late_was_not_undone_before() -> None:
    register, made = Register("golden"), resets((10.5, 15))
    register.write("written", Span(10, 11))
    assert register.explains("written", Span(16, 17), made)
    assert seen(register, made) == {"written"}
