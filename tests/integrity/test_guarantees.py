"""Guarantees: broken by what leads to their opposite, and never passed for want of proof."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import pytest

from harness.cluster.trespass import Write
from harness.integrity.attacks.attempts import Attempt
from harness.integrity.attempted import Attempts
from harness.integrity.cluster_plane import ClusterPlane
from harness.integrity.finding import Finding, Unproven
from harness.integrity.guarantees import (
    LOCKS,
    LOGINS,
    NO_DATABASE,
    ONLY_SANDBOX,
    POLICY,
    READ_ONLY,
    RUNNER,
    SHARED,
    TITLES,
    UNDROPPABLE,
    Evidence,
    guarantees,
)
from harness.integrity.reach.limits import Bound
from harness.integrity.vault_plane import VaultPlane

if TYPE_CHECKING:
    from harness.integrity.finding import Guarantee

RIGHT = Finding("kubernetes/15/may create pods in erp", "kubernetes", 15, "x", ("u",), "c")
CHANGE = Finding("kubernetes/15/may change source of erp", "kubernetes", 15, "x", ("u",), "c")
PLANE = ClusterPlane(
    user="system:serviceaccount:erp-sandbox:sandbox-lifecycle",
    namespaces=("erp",),
    questions=724,
    writes=(Write("source", "harm", "denied", "told"),),
    rights=(),
    changes=(),
    incomplete=(),
    unenforced=(),
)
LOGIN = Finding("vault/15/postgres/creds/erp", "vault", 15, "may lease it", ("u",), "c")
VAULT = VaultPlane(
    address="https://vault.example:8200",
    policies=("sandbox-lifecycle",),
    paths=("postgres/creds/erp", "postgres/creds/provider"),
    findings=(),
    unproven=(),
)
SOUND = Evidence(
    reader="v-erp",
    read_only="only by default_transaction_read_only",
    identities=4,
    findings=(),
    gaps=(),
    accepted=(),
    attempts=None,
    bounds=(
        Bound("locks on prod's objects", "none", "CONNECT is closed"),
        Bound("connection slots", "20 of 97", "a limit"),
    ),
    cluster=PLANE,
    vault=VAULT,
)


def path(group: int, who: str = "v-sbx") -> Finding:
    return Finding(f"postgresql/{group}/{who}/x", "postgresql", group, "could", (who, "x"), "c")


def gap(group: int) -> Unproven:
    return Unproven(f"postgresql/{group}/gap", "postgresql", group, "what", f"why {group}")


def judged(evidence: Evidence) -> dict[str, Guarantee]:
    return {each.title: each for each in guarantees(evidence)}


def failing(evidence: Evidence) -> set[str]:
    return {title for title, each in judged(evidence).items() if not each.holds}


def test_each_guarantee_is_judged_once() -> None:
    assert tuple(each.title for each in guarantees(SOUND)) == TITLES


def test_where_nothing_is_open_all_hold_by_catalogue() -> None:
    assert failing(SOUND) == set()
    assert {each.proof for each in guarantees(SOUND)} == {"proven by catalogue"}


@pytest.mark.parametrize(
    ("group", "broken"),
    [
        (1, {ONLY_SANDBOX, NO_DATABASE, UNDROPPABLE}),
        (2, {ONLY_SANDBOX, NO_DATABASE, UNDROPPABLE}),
        (3, {ONLY_SANDBOX, NO_DATABASE, UNDROPPABLE}),
        (6, {ONLY_SANDBOX}),
        (8, {ONLY_SANDBOX, NO_DATABASE, UNDROPPABLE}),
        (12, {ONLY_SANDBOX}),
        (14, {LOCKS, SHARED}),
    ],
)
def test_a_path_breaks_what_it_leads_to(group: int, broken: set[str]) -> None:
    found = path(group)
    assert failing(replace(SOUND, findings=(found,))) == broken
    one = judged(replace(SOUND, findings=(found,)))[next(iter(broken))]
    assert (one.verdict, one.against) == ("broken", (found.id,))


def test_what_the_reader_of_prod_could_write_breaks_its_own_guarantee_alone() -> None:
    assert failing(replace(SOUND, findings=(path(3, "v-erp"),))) == {READ_ONLY}


def test_it_is_said_whether_the_reader_is_kept_by_construction_or_by_a_setting() -> None:
    assert "only by default_transaction_read_only" in judged(SOUND)[READ_ONLY].evidence
    built = replace(SOUND, read_only="by construction")
    assert "v-erp is read-only by construction" in judged(built)[READ_ONLY].evidence


def test_what_could_not_be_looked_into_is_not_proven() -> None:
    found = judged(replace(SOUND, gaps=(gap(8),)))
    for title in (ONLY_SANDBOX, NO_DATABASE, UNDROPPABLE):
        assert found[title].verdict == "not proven"
        assert (found[title].proof, found[title].evidence) == ("not provable here", "why 8")
        assert found[title].against == ("postgresql/8/gap",)
    blind = judged(replace(SOUND, gaps=(gap(8),), read_only=None))
    assert blind[READ_ONLY].verdict == "not proven"


def test_where_prod_is_open_its_locks_are_not_kept() -> None:
    open_door = Unproven("postgresql/14/locks on prod's objects", "postgresql", 14, "what", "why")
    assert failing(replace(SOUND, gaps=(open_door,))) == {LOCKS, SHARED}


def test_what_nothing_bounds_is_not_proven() -> None:
    assert failing(replace(SOUND, gaps=(gap(14),))) == {SHARED}


def made(
    group: int,
    verdict: Literal["holds", "open", "no limit stated"] = "holds",
    who: str = "v-sbx",
    name: str = "attack",
) -> Attempt:
    return Attempt(name, group, who, who, "statement", "42501", "42501", verdict, "closes")


def test_what_was_attempted_is_proven_by_that() -> None:
    every = tuple(made(group) for group in range(1, 15))
    attempts = Attempts("a twin", (*every, *every, made(6, who="v-erp")))
    found = judged(replace(SOUND, attempts=attempts))
    for title in (ONLY_SANDBOX, NO_DATABASE, UNDROPPABLE, LOCKS, SHARED, READ_ONLY):
        assert found[title].proof == "proven by attempt on a twin"
    assert found[ONLY_SANDBOX].evidence.startswith("26 attempts as 1 identity ended as they must")
    assert found[READ_ONLY].evidence.startswith("1 attempt as 1 identity ended as it must")
    assert found[RUNNER].proof == found[POLICY].proof == "proven by catalogue"


def test_an_attempt_that_succeeds_breaks_what_it_was_about() -> None:
    by_reader = made(6, "open", who="v-erp", name="insert while dumping")
    finding = Finding("attempt: insert while dumping", "postgresql", 6, "could", ("x",), "c")
    evidence = replace(SOUND, attempts=Attempts("a twin", (by_reader,)), findings=(finding,))
    assert failing(evidence) == {READ_ONLY}
    by_sandbox = replace(by_reader, identity="v-sbx", login="v-sbx")
    assert failing(replace(evidence, attempts=Attempts("a twin", (by_sandbox,)))) == {ONLY_SANDBOX}


def test_locks_are_proven_apart_from_what_nothing_bounds() -> None:
    attempts = Attempts("a twin", (made(14), made(14, "no limit stated", name="fill")))
    found = judged(replace(SOUND, attempts=attempts, gaps=(gap(14),)))
    assert found[LOCKS].evidence.startswith("1 attempt as 1 identity ended as it must; CONNECT")
    assert found[SHARED].verdict == "not proven"


def test_what_is_accepted_is_told_beside_what_holds() -> None:
    accepted = (path(5), RIGHT)
    found = judged(replace(SOUND, accepted=accepted))
    assert "but for what is accepted: postgresql/5/v-sbx/x" in found[ONLY_SANDBOX].evidence
    assert "but for what is accepted" not in found[LOCKS].evidence
    assert f"but for what is accepted: {RIGHT.id}" in found[RUNNER].evidence


def test_without_a_cluster_its_guarantees_are_not_provable() -> None:
    found = judged(replace(SOUND, cluster=None))
    for title in (RUNNER, POLICY):
        assert (found[title].verdict, found[title].proof) == ("not proven", "not provable here")
        assert found[title].against == ("kubernetes/15/cluster",)


def test_a_right_breaks_one_guarantee_of_the_cluster_and_a_change_the_other() -> None:
    plane = replace(PLANE, rights=(RIGHT,), changes=(CHANGE,))
    both = replace(SOUND, cluster=plane, findings=(RIGHT, CHANGE))
    assert failing(both) == {RUNNER, POLICY}
    assert failing(replace(both, findings=(RIGHT,))) == {RUNNER}
    assert failing(replace(both, findings=(CHANGE,))) == {POLICY}
    assert failing(replace(both, findings=())) == set()


def test_an_incomplete_list_and_a_missing_policy_are_not_proven_though_accepted() -> None:
    plane = replace(PLANE, incomplete=(gap(15),), unenforced=(gap(15),))
    found = judged(replace(SOUND, cluster=plane))
    assert found[RUNNER].verdict == found[POLICY].verdict == "not proven"


def test_a_login_that_could_be_leased_breaks_one_guarantee() -> None:
    vault = replace(VAULT, findings=(LOGIN,))
    assert failing(replace(SOUND, vault=vault, findings=(LOGIN,))) == {LOGINS}
    assert failing(replace(SOUND, vault=vault)) == set()
    accepted = judged(replace(SOUND, vault=vault, accepted=(LOGIN,)))
    assert f"but for what is accepted: {LOGIN.id}" in accepted[LOGINS].evidence


def test_what_vault_would_not_say_is_not_proven() -> None:
    found = judged(replace(SOUND, vault=replace(VAULT, unproven=(gap(15),))))[LOGINS]
    assert (found.verdict, found.against) == ("not proven", (gap(15).id,))


def test_without_a_vault_nothing_is_proven_and_nothing_fails() -> None:
    found = judged(replace(SOUND, vault=None))[LOGINS]
    assert (found.verdict, found.proof) == ("not applicable", "not applicable")
    assert not found.holds
    assert found.against == ()
