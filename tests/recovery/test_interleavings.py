"""Runs, deaths, people and Argo CD in any order: what must always be true is, after every step.

More of it: RECOVERY_EXAMPLES=200 pytest tests/recovery/test_interleavings.py
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from harness.postgres.connection import Run
from harness.postgres.fence import holder
from harness.sides import Sandbox

from .place import CHECKPOINT, POLICY, RECOVER, REFRESH, RESET, SOON, Place
from .test_deaths import BEFORE, KILLED, REFRESHING, SIGNALLED
from .test_humans import PAUSED

if TYPE_CHECKING:
    from .watching import Watcher

EXAMPLES = os.environ.get("RECOVERY_EXAMPLES")
"""Others at each run; where nothing is said, the same few always."""
VERBS = st.sampled_from([REFRESH, RESET, CHECKPOINT, RECOVER])
DEATHS = st.sampled_from([*KILLED, *SIGNALLED])
PLACES = st.sampled_from(REFRESHING)


class Interleavings(RuleBasedStateMachine):
    """What is known of the sandbox is little: whether somebody has paused it by hand."""

    place: Place
    watcher: Watcher

    def __init__(self) -> None:
        super().__init__()
        self.place.mend()
        self.watcher.begin()
        self.paused_by_hand = False
        self.good = True

    @rule(verb=VERBS, death=DEATHS, where=PLACES)
    def a_run_dies(self, verb: str, death: str, where: tuple[str, str]) -> None:
        edge, phase = where
        ended = self.place.run(verb, death=death, edge=edge, phase=phase)
        # Where it does not come to that phase it ends by itself, well or refused.
        assert ended.code in {-9, 0, 3, 4, 5}, ended
        self.good = ended.code in {0, 4}

    @rule(verb=VERBS)
    def a_run_ends(self, verb: str) -> None:
        ended = self.place.run(verb)
        assert ended.code in {0, 3, 5}, ended
        self.good = ended.code == 0

    @rule(first=st.sampled_from([REFRESH, RESET]), second=VERBS, phase=st.sampled_from(BEFORE[1:]))
    def two_runs_meet(self, first: str, second: str, phase: str) -> None:
        self.good = False
        process = self.place.start(first, death="SIGSTOP", edge="begin", phase=phase)
        if process.stands_still(SOON):
            refused = self.place.run(second)
            assert refused.code == 3, refused
            assert "another run is working on the sandbox" in refused.error
            ended = self.place.go_on(process)
            assert ended.code == 0, ended
            self.good = True

    @rule()
    def somebody_recovers(self) -> None:
        ended = self.place.run(RECOVER)
        assert ended.code in {0, 5}, ended
        assert ended.code == 0 or "sandbox-lifecycle" in ended.error
        self.good = ended.code == 0

    @rule()
    def somebody_re_arms(self) -> None:
        self.place.set_policy(POLICY)
        self.paused_by_hand = False

    @rule()
    def somebody_pauses(self) -> None:
        self.paused_by_hand = True
        self.place.set_policy(PAUSED)

    @rule(replicas=st.sampled_from([0, 1]))
    def somebody_scales(self, replicas: int) -> None:
        self.place.scale(replicas)

    @rule()
    def somebody_deletes_the_lease(self) -> None:
        self.place.delete_lease()
        self.place.make_lease()

    @precondition(lambda self: self.place.content() == "complete")
    @rule()
    def somebody_works(self) -> None:
        self.place.write_traffic()

    @invariant()
    def prod_is_unchanged(self) -> None:
        self.place.assert_prod_unchanged()

    @invariant()
    def self_heal_is_off_only_with_a_journal(self) -> None:
        if not self.paused_by_hand:
            assert self.watcher.off_without_a_journal() == []
        self.watcher.begin()

    @invariant()
    def nobody_is_left_who_writes(self) -> None:
        target = self.place.settings
        assert holder(Sandbox.of(target), Run(), target.deadlines) is None

    @invariant()
    def nothing_is_outstanding_after_a_good_end(self) -> None:
        if self.good:
            assert self.place.journals() == [None, None]
            assert not self.place.lease()["spec"].get("holderIdentity")

    def teardown(self) -> None:
        """Whatever has happened: one reset makes a good sandbox."""
        ended = self.place.run(RESET)
        assert ended.code == 0, ended
        assert self.place.content() == "complete"
        assert self.place.journals() == [None, None]


@pytest.fixture
def machine(place: Place, watcher: Watcher) -> type[Interleavings]:
    """The rules, on this platform."""
    attributes: dict[str, Any] = {"place": place, "watcher": watcher}
    return type("Here", (Interleavings,), attributes)


def test_what_must_be_true_is_true_in_any_order(machine: type[Interleavings]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=int(EXAMPLES or 10),
            stateful_step_count=6,
            derandomize=EXAMPLES is None,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
