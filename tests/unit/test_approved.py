"""The approved list: exact, dated, reasoned; and what is left open under it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from harness.errors import ConfigurationError
from harness.integrity.approved import Entry, judge, read_approved
from harness.integrity.finding import Finding, Unproven

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2026, 11, 24)
ID = "postgresql/5/PUBLIC/CONNECT on database erp"
SOUND = f'[[accepted]]\nid = "{ID}"\nreason = "it is so"\ndate = 2026-11-01\nexpires = 2027-05-31\n'


def finding(name: str = ID) -> Finding:
    return Finding(name, "postgresql", 5, "PUBLIC could", ("PUBLIC", "CONNECT"), "REVOKE;")


def unproven(name: str) -> Unproven:
    return Unproven(name, "kubernetes", 15, "that it is so", "nobody may ask")


def entry(name: str = ID, expires: date = date(2027, 5, 31)) -> Entry:
    return Entry(id=name, reason="it is so", date=date(2026, 11, 1), expires=expires)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "approved.toml"


def test_no_list_accepts_nothing() -> None:
    assert read_approved(None) == ()
    assert judge([finding()], [unproven("x")], ()).holds is False


def test_a_sound_list_is_read(path: Path) -> None:
    path.write_text(SOUND)
    assert read_approved(path, TODAY) == (entry(),)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("accepted = 1", "accepted: Input should be a valid list"),
        ("[[acepted]]\nid = 'x'", "acepted: Extra inputs"),
        ("accepted = ['x']", "accepted.0: Input should be a valid dictionary"),
        ("[[accepted]", "Expected"),
        (SOUND.replace("reason = ", "why = "), "accepted.0.reason: Field required"),
        (SOUND.replace('"it is so"', '" "'), "accepted.0.reason: String should have at least 1"),
        (SOUND.replace(f'"{ID}"', '""'), "accepted.0.id: String should have at least 1"),
        (
            SOUND.replace("2027-05-31", '"2027-05-31"'),
            "accepted.0.expires: Input should be a valid",
        ),
        (SOUND.replace("2026-11-01", "2026-11-01T00:00:00"), "accepted.0.date"),
        (SOUND.replace('"it is so"', "5"), "accepted.0.reason: Input should be a valid string"),
        (SOUND.replace("2026-11-01", "2026-11-25"), "2026-11-25 is yet to come"),
        (SOUND.replace("2027-05-31", "2026-10-31"), "expires 2026-10-31, before its date"),
        (SOUND + SOUND, f"{ID}: 2 times"),
    ],
)
def test_what_is_not_sound_is_refused_and_named(path: Path, text: str, complaint: str) -> None:
    path.write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        read_approved(path, TODAY)
    assert complaint in str(raised.value)


@pytest.mark.parametrize("name", ["postgresql/*", "postgresql/5/%", "x?", "^x", "x$", "x...", "x…"])
def test_what_looks_like_a_pattern_is_refused(path: Path, name: str) -> None:
    path.write_text(SOUND.replace(ID, name))
    with pytest.raises(ConfigurationError, match="looks like a pattern"):
        read_approved(path, TODAY)


def test_a_list_that_is_not_there_is_refused(path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is not usable"):
        read_approved(path)


def test_an_entry_accepts_what_it_names_and_nothing_else() -> None:
    other = f"{ID}, TEMPORARY"
    verdict = judge([finding(), finding(other)], [], [entry()], TODAY)
    assert [item.id for item in verdict.findings] == [other]
    assert verdict.accepted == ((entry(), finding()),)
    assert not verdict.holds


def test_what_is_unproven_fails_unless_it_is_named() -> None:
    assert judge([], [unproven("x")], [entry("y")], TODAY).unproven == (unproven("x"),)
    verdict = judge([], [unproven("x")], [entry("x")], TODAY)
    assert verdict.holds
    assert verdict.accepted == ((entry("x"), unproven("x")),)


def test_an_entry_counts_on_its_last_day_and_is_told_afterwards() -> None:
    assert judge([finding()], [], [entry(expires=TODAY)], TODAY).holds
    late = entry(expires=date(2026, 11, 23))
    verdict = judge([finding()], [], [late], TODAY)
    assert verdict.findings == (finding(),)
    assert verdict.expired == (late,)
    assert verdict.stale == ()


def test_an_entry_that_names_nothing_is_told_and_fails_nothing() -> None:
    verdict = judge([], [], [entry()], TODAY)
    assert verdict.stale == (entry(),)
    assert verdict.holds
