"""Pausing and re-arming: what was there comes back exactly, and what others did meanwhile stays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.cluster.errors import ChangedMeanwhileError, LostError
from harness.cluster.policy import ABSENT, SyncPolicy, pausing, restoring
from harness.deadlines import eventually
from harness.local.kubernetes.patches import json_patch, merge_patch
from harness.manifests import JOURNAL_ANNOTATION
from tests.local.cluster.world import HEALING, SOON, World

if TYPE_CHECKING:
    from harness.cluster.application import Application
    from harness.cluster.appstate import Paused, Rearmed
    from harness.cluster.held import Held

OPTIONS = {"syncOptions": ["CreateNamespace=true"], "retry": {"limit": 2}}
POLICIES: list[Any] = [
    ...,
    {},
    OPTIONS,
    {"automated": {}},
    {"automated": {"enabled": True}},
    {"automated": {"enabled": True, "prune": True, "selfHeal": True}},
    {"automated": {"enabled": False}},
    {"automated": {"enabled": False, "prune": False, "selfHeal": True}, **OPTIONS},
    {"automated": {"prune": False}},
    HEALING,
    HEALING | OPTIONS,
]


def pause(app: Application, held: Held, journal: str = "journal") -> tuple[SyncPolicy, str, Paused]:
    before = app.read()
    return before.policy, before.uid, app.pause(journal, before.policy, held=held)


def there_and_back(world: World, policy: Any) -> tuple[Paused, Rearmed]:
    world.make_application(policy)
    with world.working() as (cluster, held):
        original, uid, paused = pause(cluster.application, held)
        assert not cluster.application.read().policy.automated_on
        assert cluster.application.read().journal == "journal"
        rearmed = cluster.application.rearm(original, uid=uid, held=held)
    assert JOURNAL_ANNOTATION not in world.get(world.app)["metadata"].get("annotations", {})
    assert same(world.policy(), policy)
    return paused, rearmed


def same(found: Any, policy: Any) -> bool:
    """To the letter; but Argo CD takes an empty one away, sooner or later."""
    return found == policy or (policy == {} and found is ...)


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_every_sync_policy_comes_back_as_it_was(world: World, policy: Any) -> None:
    paused, rearmed = there_and_back(world, policy)
    on = SyncPolicy.of({"spec": {} if policy is ... else {"syncPolicy": policy}}).automated_on
    assert paused.how == ("disabled" if on else "unneeded")
    assert rearmed.outcome == ("restored" if on else "unneeded")


@pytest.mark.parametrize(
    ("policy", "stored"),
    [
        (None, ...),
        ({"automated": None}, {}),
        ({"automated": {"enabled": None, "prune": None}}, {"automated": {}}),
    ],
    ids=str,
)
def test_a_null_is_stored_as_nothing_and_comes_back_as_nothing(
    world: World, policy: Any, stored: Any
) -> None:
    world.make_application(policy)
    assert same(world.policy(), stored)
    with world.working() as (cluster, held):
        original, uid, _ = pause(cluster.application, held)
        cluster.application.rearm(original, uid=uid, held=held)
    assert same(world.policy(), stored)


@pytest.mark.parametrize("policy", [HEALING | OPTIONS, {"automated": {}}, {}, ...], ids=str)
def test_where_enabled_is_dropped_the_pause_removes_automated_and_it_comes_back(
    old_world: World, policy: Any
) -> None:
    paused, _ = there_and_back(old_world, policy)
    on = policy is not ... and "automated" in policy
    assert paused.how == ("removed" if on else "unneeded")


names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6)
json_values = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
switches = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("enabled", "prune", "selfHeal", "allowEmpty"), st.booleans())
)
policies = st.builds(
    lambda rest, automated: rest | automated,
    st.dictionaries(names.filter(lambda name: name != "automated"), json_values, max_size=4),
    st.fixed_dictionaries({}, optional={"automated": switches}),
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(policy=policies)
def test_a_sync_policy_of_any_content_comes_back_byte_for_byte(world: World, policy: Any) -> None:
    try:
        there_and_back(world, policy)
    finally:
        world.delete(world.app)


anything = st.none() | json_values | policies | policies.map(lambda policy: policy | {"x": None})


@given(policy=anything, drops_enabled=st.booleans())
def test_nulls_and_nonsense_come_back_too_where_a_server_keeps_them(
    policy: Any, *, drops_enabled: bool
) -> None:
    before = {"spec": {"syncPolicy": policy}}
    original = SyncPolicy.of(before)
    patch = {"spec": pausing(original, drops_enabled=drops_enabled)}
    paused = merge_patch(before, patch)
    assert not SyncPolicy.of(paused).automated_on
    undo = restoring(SyncPolicy.of(paused), original, drops_enabled=drops_enabled)
    assert json.dumps(json_patch(paused, undo), sort_keys=True) == json.dumps(
        before, sort_keys=True
    )


@pytest.mark.parametrize("policy", [None, {}, {"automated": None, "syncOptions": []}], ids=str)
def test_one_that_says_nothing_is_the_same_as_none(policy: Any) -> None:
    state = SyncPolicy.of({"spec": {"syncPolicy": policy}})
    assert not state.automated_on
    assert state == ABSENT
    assert hash(state) == hash(ABSENT)
    assert json.loads(str(state.text)) == policy


@pytest.mark.parametrize("policy", [{"automated": {}}, OPTIONS, "x", [], 0], ids=str)
def test_one_that_says_little_is_not_the_same_as_none(policy: Any) -> None:
    assert SyncPolicy.of({"spec": {"syncPolicy": policy}}) != ABSENT


def test_a_human_s_empty_policy_may_be_taken_away_between_two_looks(world: World) -> None:
    world.make_application({})
    eventually(lambda: _must_be(world, ...), SOON)
    with world.working() as (cluster, held):
        read_before = SyncPolicy.of({"spec": {"syncPolicy": {}}})
        uid = cluster.application.read().uid
        assert cluster.application.pause("journal", read_before, held=held).how == "unneeded"
        assert cluster.application.rearm(read_before, uid=uid, held=held).outcome == "unneeded"


def _must_be(world: World, policy: Any) -> None:
    assert world.policy() == policy


def test_the_pause_the_journal_and_the_wish_for_a_pass_are_one_write(world: World) -> None:
    before = int(world.make_application()["metadata"]["resourceVersion"])
    world.stand_in.order("git", reachable=False)  # so that Argo CD leaves the annotation
    with world.working() as (cluster, held):
        _, _, paused = pause(cluster.application, held)
    assert int(paused.state.resource_version) > before
    assert (paused.state.journal, paused.state.refreshing) == ("journal", True)
    assert not paused.state.policy.automated_on


def test_a_paused_application_is_not_healed_and_a_rearmed_one_is(world: World) -> None:
    manifests = {world.settings.namespace: [world.manifest()]}
    world.stand_in.order("git", manifests=manifests)
    world.make_deployment()
    world.make_application()
    with world.working() as (cluster, held):
        original, uid, _ = pause(cluster.application, held)
        cluster.application.wait_until_seen()
        cluster.workload.scale(0, expected=1, held=held)
        cluster.workload.wait_gone()
        assert cluster.workload.read().replicas == 0
        cluster.application.rearm(original, uid=uid, held=held)
        eventually(lambda: cluster.workload.wait_ready(1), SOON)


def test_a_pause_is_refused_once_somebody_has_changed_the_policy(world: World) -> None:
    world.make_application()
    with world.working() as (cluster, held):
        original = cluster.application.read().policy
        world.patch(world.app, {"spec": {"syncPolicy": {"automated": {"prune": False}}}})
        with pytest.raises(ChangedMeanwhileError, match="not as this run has found it"):
            cluster.application.pause("journal", original, held=held)
    assert world.policy() == {"automated": {"prune": False, "selfHeal": True}}


def test_a_pause_does_not_replace_the_journal_of_another_run(world: World) -> None:
    world.make_application(annotations={JOURNAL_ANNOTATION: "another's"})
    with world.working() as (cluster, held):
        with pytest.raises(ChangedMeanwhileError, match="recover"):
            pause(cluster.application, held)
        assert cluster.application.read().journal == "another's"


def meddle(world: World, patch: Any) -> tuple[Any, Rearmed]:
    """Pause, let somebody else patch the Application, and re-arm."""
    world.make_application(HEALING | OPTIONS)
    with world.working() as (cluster, held):
        original, uid, _ = pause(cluster.application, held)
        world.patch(world.app, patch)
        theirs = world.policy()
        rearmed = cluster.application.rearm(original, uid=uid, held=held)
        assert cluster.application.read().journal is None
    return theirs, rearmed


AUTOMATED = "/spec/syncPolicy/automated"


@pytest.mark.parametrize(
    ("patch", "outcome"),
    [
        ([{"op": "remove", "path": f"{AUTOMATED}/enabled"}], "unneeded"),
        ([{"op": "replace", "path": f"{AUTOMATED}/enabled", "value": True}], "left"),
        ([{"op": "replace", "path": AUTOMATED, "value": {"selfHeal": True}}], "left"),
        ([{"op": "remove", "path": AUTOMATED}], "left"),
        ([{"op": "remove", "path": "/spec/syncPolicy"}], "left"),
    ],
    ids=["re-armed", "enabled by hand", "changed", "paused in the old way", "policy removed"],
)
def test_a_human_who_was_faster_has_the_last_word(
    world: World, patch: list[Any], outcome: str
) -> None:
    theirs, rearmed = meddle(world, patch)
    assert rearmed.outcome == outcome
    assert world.policy() == theirs


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        (
            {"spec": {"syncPolicy": {"syncOptions": ["Prune=false"]}}},
            HEALING | OPTIONS | {"syncOptions": ["Prune=false"]},
        ),
        (
            {"spec": {"syncPolicy": {"automated": {"allowEmpty": True}}}},
            OPTIONS | {"automated": {"prune": True, "selfHeal": True, "allowEmpty": True}},
        ),
    ],
    ids=["beside automated", "inside automated"],
)
def test_what_a_human_changed_without_touching_the_pause_stays_and_is_told(
    world: World, patch: Any, expected: Any
) -> None:
    _, rearmed = meddle(world, patch)
    assert rearmed.outcome == "partly"
    assert world.policy() == expected


def test_what_argo_cd_itself_leaves_out_comes_back(world: World) -> None:
    original = {"automated": {"prune": False, "selfHeal": True}}
    world.make_application(original)
    with world.working() as (cluster, held):
        before, uid, _ = pause(cluster.application, held)
        world.patch(world.app, [{"op": "remove", "path": f"{AUTOMATED}/prune"}])
        assert cluster.application.rearm(before, uid=uid, held=held).outcome == "restored"
    assert world.policy() == original


def test_an_application_that_was_paused_before_is_never_armed(world: World) -> None:
    paused = {"automated": {"enabled": False, "selfHeal": True}}
    world.make_application(paused)
    with world.working() as (cluster, held):
        original, uid, result = pause(cluster.application, held)
        assert result.how == "unneeded"
        assert cluster.application.rearm(original, uid=uid, held=held).outcome == "unneeded"
    assert world.policy() == paused


def test_re_arming_never_switches_off_what_a_human_has_switched_on(world: World) -> None:
    world.make_application({"automated": {"enabled": False}})
    with world.working() as (cluster, held):
        original, uid, _ = pause(cluster.application, held)
        world.patch(world.app, {"spec": {"syncPolicy": {"automated": {"enabled": True}}}})
        assert cluster.application.rearm(original, uid=uid, held=held).outcome == "left"
    assert world.policy() == {"automated": {"enabled": True}}


def test_an_application_that_was_made_anew_is_none_of_ours(world: World) -> None:
    world.make_application()
    with world.working() as (cluster, held):
        original, uid, _ = pause(cluster.application, held)
        world.delete(world.app)
        world.make_application({"automated": {"enabled": False}})
        assert cluster.application.rearm(original, uid=uid, held=held).outcome == "another"
    assert world.policy() == {"automated": {"enabled": False}}


def test_re_arming_twice_changes_nothing(world: World) -> None:
    world.make_application()
    with world.working() as (cluster, held):
        original, uid, _ = pause(cluster.application, held)
        cluster.application.rearm(original, uid=uid, held=held)
        before = cluster.application.read()
        assert cluster.application.rearm(original, uid=uid, held=held).outcome == "unneeded"
        after = cluster.application.read()
        # Argo CD itself may have written meanwhile, so no resourceVersion is compared.
        assert (after.policy, after.journal) == (before.policy, before.journal) == (original, None)


def test_nothing_is_written_without_the_lease(world: World) -> None:
    world.make_application()
    with world.losing() as (cluster, held):
        original, uid, _ = pause(cluster.application, held)
        paused = world.policy()
        world.patch(world.lease, {"spec": {"holderIdentity": "somebody"}})
        with pytest.raises(LostError, match="held by somebody"):
            cluster.application.rearm(original, uid=uid, held=held)
        assert world.policy() == paused
        world.delete(world.app)
        world.make_application()
        with pytest.raises(LostError, match="held by somebody"):
            cluster.application.pause("journal", original, held=held)
        assert world.policy() == HEALING
