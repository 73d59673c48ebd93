"""The catalogue of attempts is complete and well-formed, whichever entry was added last."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from harness.integrity.attacks import names
from harness.integrity.attacks.catalogue import NO_EFFECT, REFUSED, Attack, catalogue

ATTACKS = catalogue()
SQLSTATE = re.compile(r"[0-9A-Z]{5}")
KNOWN = set(re.findall(r"`(\w+)`", names.__doc__ or ""))


def test_every_group_is_attempted_and_eighty_attempts_are_the_least() -> None:
    groups = Counter(attack.group for attack in ATTACKS)
    assert set(groups) == set(range(1, 15))
    assert sum(groups.values()) >= 200


def test_no_two_attempts_have_one_name() -> None:
    assert [name for name, times in Counter(a.name for a in ATTACKS).items() if times > 1] == []


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_entry_is_well_formed(attack: Attack) -> None:
    assert attack.expect
    assert all(SQLSTATE.fullmatch(word) or word in {REFUSED, NO_EFFECT} for word in attack.expect)
    assert attack.needs <= KNOWN
    assert not attack.statement.endswith(";")
    # Several statements are one transaction to the server, which some may not be in.
    assert not (attack.alone and ";" in attack.statement)
    # Whoever may connect to prod must still be refused.
    if attack.database == "prod" and attack.name != "connect to prod":
        assert set(attack.expect) - {REFUSED}
