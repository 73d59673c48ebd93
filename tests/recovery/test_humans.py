"""What people do meanwhile is respected and told; a journal that cannot be true is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.deadlines import eventually
from harness.manifests import JOURNAL_ANNOTATION
from tests.faults.evidence import fails

from .place import POLICY, REFRESH, RESET, SOON, Place, journal_of
from .test_deaths import DUMP, GONE, PAUSE, REARM, RESTORE, VERIFY

if TYPE_CHECKING:
    from collections.abc import Callable

    from .watching import Watcher

PAUSED = {**POLICY, "automated": {"enabled": False, "prune": True, "selfHeal": True}}
POLICIES = {
    "paused by hand": PAUSED,
    "absent automated": {"syncOptions": ["Validate=false"]},
    "empty automated": {"automated": {}},
    "empty": {},
    "absent": ...,
    "enabled": {"automated": {"enabled": True, "selfHeal": True}},
    "no prune": {"automated": {"prune": False, "selfHeal": True, "allowEmpty": False}},
}


def told(place: Place) -> str:
    return "\n".join(place.recover().told)


def killed(place: Place, phase: str = GONE) -> None:
    assert place.run(REFRESH, edge="begin", phase=phase).code == -9


def places(place: Place) -> list[Callable[[str], None]]:
    """What writes a journal into the Lease, and into the Application."""

    def writer(patching: Callable[[Any], None]) -> Callable[[str], None]:
        return lambda text: patching({"metadata": {"annotations": {JOURNAL_ANNOTATION: text}}})

    return [writer(place.change_lease), writer(place.change_application)]


def tampered(text: str | None, change: Callable[[dict[str, Any]], object]) -> str:
    assert text is not None
    journal = json.loads(text)
    change(journal)
    return json.dumps(journal)


@pytest.mark.parametrize("phase", [GONE, RESTORE])
def test_self_heal_that_was_re_armed_by_hand_stays_so(place: Place, phase: str) -> None:
    killed(place, phase)
    place.set_policy(POLICY)
    place.await_ready()
    if phase == RESTORE:
        # It cannot be kept away while its content is put back.
        fails(5, place.recover, "re-armed self-heal", "sandbox-lifecycle reset")
        assert place.outstanding() == []
        assert place.run(RESET).code == 0
    else:
        place.recover()
    assert place.outstanding() == []
    assert place.content() == "complete"


def test_a_prune_that_was_changed_by_hand_stays_so(place: Place) -> None:
    killed(place)
    place.set_policy({**POLICY, "automated": {"enabled": False, "prune": False, "selfHeal": True}})
    assert "somebody has changed parts of the sync policy" in told(place)
    changed = {**POLICY, "automated": {"prune": False, "selfHeal": True}}
    assert place.outstanding(policy=changed) == []


def test_an_application_that_was_started_by_hand_is_left_running(place: Place) -> None:
    killed(place)
    place.scale(1)
    assert told(place) == ""
    assert place.outstanding() == []


def test_an_application_started_by_hand_on_half_a_content_gets_the_golden_one(
    place: Place,
) -> None:
    killed(place, RESTORE)
    place.scale(1)
    place.await_ready()
    place.recover()
    assert place.outstanding() == []
    assert place.is_golden()


def test_another_number_of_replicas_is_left_and_told(place: Place) -> None:
    killed(place)
    place.scale(2)
    assert "scaled the application meanwhile" in told(place)
    # Self-heal is what puts the number right that is in git.
    eventually(lambda: _must_be_good(place), SOON)


def _must_be_good(place: Place) -> None:
    assert place.outstanding() == []


def test_a_deleted_lease_is_named_and_the_applications_journal_is_enough(place: Place) -> None:
    killed(place)
    place.delete_lease()
    fails(2, place.recover, "Lease", "kubectl apply -f -", "nothing has been changed")
    place.make_lease()
    assert place.recover().dead_run is not None
    assert place.outstanding() == []


def test_a_lease_deleted_under_a_run_ends_it_and_recover_puts_all_back(place: Place) -> None:
    with place.held(REFRESH, DUMP) as run:
        place.delete_lease()
        place.make_lease()
        ended = place.go_on(run)
    assert ended.code == 5, ended
    assert "sandbox-lifecycle recover" in ended.error
    assert place.content() == "complete"
    place.recover()
    assert place.outstanding() == []


@pytest.mark.parametrize("phase", [PAUSE, GONE, REARM])
def test_an_application_that_was_made_anew_is_left_as_it_is(place: Place, phase: str) -> None:
    killed(place, phase)
    place.remake_application()
    assert "the Application was made anew" in told(place)
    place.await_ready()
    assert place.outstanding() == []


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
@pytest.mark.parametrize("ending", ["whole", "killed"])
def test_every_policy_comes_back_as_it_was(place: Place, policy: Any, ending: str) -> None:
    place.set_policy(policy)
    if ending == "whole":
        assert place.run(RESET).code == 0
    else:
        killed(place)
        place.recover()
    # Argo CD takes an empty one away, sooner or later.
    assert place.policy() in ((policy, ...) if policy == {} else (policy,))
    assert [found for found in place.outstanding() if "syncPolicy" not in found] == []


def test_a_pause_by_hand_is_told_to_nobody_and_never_re_armed(
    place: Place, watcher: Watcher
) -> None:
    place.set_policy(PAUSED)
    watcher.begin()
    killed(place, VERIFY)
    place.recover()
    assert place.policy() == PAUSED
    assert watcher.automated_on() == []


@pytest.mark.parametrize("where", [0, 1], ids=["Lease", "Application"])
@pytest.mark.parametrize(
    "change",
    [
        lambda journal: journal["workload"].update(replicas=5),
        lambda journal: journal.update(run="00000000"),
        lambda journal: journal.update(verb="rm -rf"),
        lambda journal: journal.update(command="rm -rf"),
        lambda journal: journal.update(version=2),
        lambda journal: journal["application"].update(policy="{"),
        lambda journal: journal.pop("golden"),
    ],
    ids=["replicas", "run", "verb", "field", "version", "policy", "golden"],
)
def test_a_journal_that_was_changed_in_one_place_is_refused(
    place: Place, where: int, change: Callable[[dict[str, Any]], object]
) -> None:
    killed(place)
    write = places(place)[where]
    write(tampered(journal_of(place.lease()), change))
    refused(place)


def refused(place: Place) -> None:
    """Neither recover nor a run does anything with this journal."""
    before = place.standing()
    fails(5, place.recover, "journal", "nothing has been done")
    ended = place.run(REFRESH)
    assert ended.code == 5, ended
    assert "nothing has been done" in ended.error
    assert place.standing() == before


def test_two_journals_that_differ_are_refused(place: Place) -> None:
    killed(place)
    to_lease, to_application = places(place)
    text = journal_of(place.lease())
    to_lease(tampered(text, lambda journal: journal.update(run="00000000")))
    to_application(tampered(text, lambda journal: journal.update(run="11111111")))
    refused(place)


@pytest.mark.parametrize(
    "change",
    [
        lambda journal: journal.update(database_oid=journal["database_oid"] + 1),
        lambda journal: journal.update(system_identifier=journal["system_identifier"] + 1),
        lambda journal: journal["application"].update(uid="0-0"),
    ],
    ids=["database", "server", "application"],
)
def test_a_journal_of_something_else_is_refused(
    place: Place, change: Callable[[dict[str, Any]], object]
) -> None:
    killed(place)
    text = tampered(journal_of(place.lease()), change)
    for write in places(place):
        write(text)
    refused(place)


@pytest.mark.parametrize("verb", [REFRESH, RESET, "checkpoint", "recover"])
def test_a_second_run_is_refused_and_changes_nothing(place: Place, verb: str) -> None:
    with place.held(REFRESH, DUMP) as run:
        before = place.standing()
        ended = place.run(verb)
        assert ended.code == 3, ended
        assert place.standing() == before
        found = ended.told["error"]["found"]
        identity = place.lease()["spec"]["holderIdentity"]
        assert f"held by run {identity.partition('/')[0]}, pid {run.pid} on" in found
        assert ", since 20" in found
        assert ", until 20" in found
        assert place.go_on(run).code == 0
    assert place.outstanding() == []


@pytest.mark.parametrize("phase", [DUMP, VERIFY])
def test_an_application_that_comes_back_ends_the_run(
    place: Place, watcher: Watcher, phase: str
) -> None:
    with place.held(REFRESH, phase) as run:
        place.set_policy(POLICY)
        place.await_ready()
        ended = place.go_on(run)
    if phase == DUMP:
        assert ended.code == 1, ended
        assert place.content() == "complete"
    else:
        assert ended.code == 5, ended
        assert "sandbox-lifecycle reset" in ended.error
        assert place.content() == "incomplete"
    assert "somebody else has scaled" in ended.error
    assert place.outstanding() == []
    assert place.run(RESET).code == 0
    assert place.outstanding() == []
    assert place.is_golden()
    assert watcher.off_without_a_journal() == []
