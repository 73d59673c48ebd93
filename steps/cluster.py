"""The cluster: how the application stands, and what others do to it meanwhile."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from pytest_bdd import given, then, when

from harness.cluster import client
from harness.deadlines import eventually
from harness.dolibarr.question import expect_company
from harness.dolibarr.rehearsal import rename_company
from harness.errors import RefusedError
from harness.lifecycle.refresh import refresh_from_prod
from harness.postgres.connection import Run
from harness.postgres.fence import writers
from harness.progress import Silent
from harness.sides import Sandbox
from steps.attempt import Attempt
from steps.meanwhile import Meanwhile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.cluster.policy import SyncPolicy
    from harness.lifecycle.refresh import Refreshed
    from harness.settings import Settings
    from steps.people import Person

_RENAMED = "Renamed in a rehearsal"

# Phases, by the title under which the engine tells of them.
_TOLD_TO_END = "wait until the application is gone"
_DUMP = "dump prod and take its fingerprint"
_REPLACING = ("wipe the sandbox", "restore", "verify")


@dataclass(frozen=True, slots=True)
class Standing:
    """How the application stands, and what is written down about a run.

    Args:
        policy: The sync policy of its Application.
        replicas: How many pods are asked for.
        ready: How many are Ready.
        holder: Who holds the Lease.
        journals: The journal in the Lease, and the one on the Application.
    """

    policy: SyncPolicy
    replicas: int
    ready: int
    holder: str | None
    journals: tuple[str | None, str | None]

    @classmethod
    def of(cls, settings: Settings) -> Standing:
        """Look at it."""
        if settings.cluster is None:
            pytest.skip("nobody runs an application on this target: no [cluster] in its settings")
        with client.connect(settings.cluster, settings.deadlines) as cluster:
            application, workload = cluster.application.read(), cluster.workload.read()
            lease = cluster.lease.read()
        return cls(
            policy=application.policy,
            replicas=workload.replicas,
            ready=workload.ready,
            holder=lease.identity,
            journals=(lease.journal, application.journal),
        )


@dataclass(frozen=True, slots=True)
class Second:
    """A run that was attempted beside another one.

    Args:
        attempt: What came of it.
        before: How the application stood before it.
        after: How it stood afterwards.
    """

    attempt: Attempt
    before: Standing
    after: Standing


@given("the application as it runs now", target_fixture="before")
def as_it_runs(settings: Settings) -> Standing:
    def ready() -> Standing:
        found = Standing.of(settings)
        assert found.ready == found.replicas, found
        return found

    # What was done in another scenario may have cost it a probe or two.
    return eventually(ready, settings.deadlines.pods_ready, every=0.5)


@then("the application runs as before, with self-heal exactly as it was")
def runs_as_before(settings: Settings, before: Standing) -> None:
    assert Standing.of(settings) == before


@then("nobody holds the Lease, and no journal is left")
def nothing_outstanding(settings: Settings) -> None:
    found = Standing.of(settings)
    assert (found.holder, *found.journals) == (None, None, None)


@given("somebody who has paused self-heal", target_fixture="as_left")
def paused(settings: Settings, person: Person) -> Standing:
    person.pause()
    return Standing.of(settings)


@given("somebody who has re-armed self-heal, without pruning", target_fixture="as_left")
def rearmed(settings: Settings, person: Person) -> Standing:
    person.rearm_without_pruning()
    return Standing.of(settings)


@given("somebody who has tampered with its journal", target_fixture="as_left")
def tampered(settings: Settings, person: Person) -> Standing:
    person.tamper()
    return Standing.of(settings)


@when("the journal is mended")
def mended(person: Person) -> None:
    person.mend()


@then("self-heal is exactly as that person left it")
def policy_as_left(settings: Settings, as_left: Standing) -> None:
    assert Standing.of(settings).policy == as_left.policy


@then("the cluster is as that person left it")
def all_as_left(settings: Settings, as_left: Standing) -> None:
    assert Standing.of(settings) == as_left


@when(
    "a second refresh is attempted while the first has stopped the application",
    target_fixture="second",
)
def second_refresh(settings: Settings) -> Second:
    found: list[Second] = []

    def attempt(_title: str) -> None:
        before = Standing.of(settings)
        second = Attempt.of(lambda: refresh_from_prod(settings, Silent()))
        found.append(Second(second, before, Standing.of(settings)))

    refresh_from_prod(settings, Meanwhile({_DUMP}, attempt))
    return found[0]


@then("the second is refused, and says who holds the Lease, since when, and until when")
def second_refused(second: Second) -> None:
    assert isinstance(second.attempt.error, RefusedError), second.attempt.error
    says = r"held by run \w+, pid \d+ on \S+, since [-\d]+ [:\d]+Z, until [-\d]+ [:\d]+Z"
    assert re.search(says, str(second.attempt.error)), second.attempt.error


@then("the second has changed nothing")
def second_changed_nothing(second: Second) -> None:
    assert second.before.replicas == 0
    assert second.after == second.before


@given("an application that hangs, with its session open")
def hangs(person: Person) -> None:
    person.hang_up_pods()


@when("the sandbox is refreshed from prod, and looked at meanwhile", target_fixture="connected_at")
def refresh_looking(settings: Settings) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}

    def look(title: str) -> None:
        found[title] = writers(Sandbox.of(settings), Run(), settings.deadlines)

    watch = Meanwhile({_TOLD_TO_END, *_REPLACING}, look)
    refresh_from_prod(settings, watch)
    watch.assert_all_began()
    return found


@then("the application was connected when it had been told to end")
def was_connected(connected_at: Mapping[str, list[str]]) -> None:
    assert connected_at[_TOLD_TO_END] != []


@then("nobody was connected while the content was replaced")
def nobody_connected(connected_at: Mapping[str, list[str]]) -> None:
    assert {title: connected_at[title] for title in _REPLACING if connected_at[title]} == {}


@given("a rehearsal that has renamed the company")
def renamed(settings: Settings) -> None:
    rename_company(Sandbox.of(settings), _RENAMED, settings.deadlines)


@given("an application that answers with the new name")
def answers_renamed(settings: Settings) -> None:
    expect_company(_url(settings), _RENAMED, settings.deadlines)


@then("the application answers with the name of prod's company")
def answers_company(settings: Settings, copied: Refreshed) -> None:
    assert copied.company != _RENAMED
    expect_company(_url(settings), copied.company, settings.deadlines)


def _url(settings: Settings) -> str:
    if settings.cluster is None or settings.cluster.application_url is None:
        pytest.skip("nobody says where the application answers: no cluster.application_url")
    return settings.cluster.application_url
