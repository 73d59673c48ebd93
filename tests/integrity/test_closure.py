"""The audit of the catalogues: green where all is well, red for each thing that is not."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from harness.integrity.approved import Entry, judge
from harness.integrity.closure import Audited, closure
from harness.postgres.connection import Run

from .mutations import MUTATIONS, Mutation
from .quickest import quickest

if TYPE_CHECKING:
    from harness.integrity.finding import Finding
    from harness.local.platform import LocalPlatform
    from harness.settings import Settings

    from .planting import Planter


def audit(settings: Settings) -> Audited:
    return closure(settings, Run())


def told(finding: Finding) -> str:
    return " → ".join(finding.chain)


def test_a_sound_platform_is_green_without_a_list_in_three_seconds(wide: LocalPlatform) -> None:
    found, seconds = quickest(lambda: audit(wide.settings))
    assert seconds < 3
    assert found.findings == ()
    assert found.unproven == ()
    assert found.databases == ("erp", "erp-sandbox", "postgres", "template1")


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_each_mutation_is_red_and_the_statement_told_closes_it(
    mutation: Mutation, planter: Planter, settings: Settings
) -> None:
    if planter.major < mutation.since:
        pytest.skip(f"PostgreSQL {planter.major} has no such thing")
    expected = planter.expected(mutation)
    with planter.planted(mutation):
        findings = audit(settings).findings
        hits = [finding for finding in findings if expected.search(told(finding))]
        assert [finding.group for finding in hits] == [mutation.group], [*map(told, findings)]
        if not mutation.no_statement:
            for finding in findings:
                planter.close(finding.closes)
            assert [told(finding) for finding in audit(settings).findings] == []


def test_what_is_accepted_is_accepted_until_it_is_more(
    planter: Planter, settings: Settings
) -> None:
    entry = Entry(
        id="postgresql/5/PUBLIC/CONNECT, TEMPORARY on database erp",
        reason="it is so",
        date=date(2026, 11, 24),
        expires=date(2999, 12, 31),
    )
    planter.run(["GRANT CONNECT, TEMPORARY ON DATABASE {prod} TO PUBLIC"], "{prod}")
    try:
        first, again = audit(settings), audit(settings)
        assert [item.id for item in first.findings] == [entry.id]
        assert first.findings == again.findings
        assert judge(first.findings, first.unproven, [entry]).holds
        # A way out of prod matters from here on, since the sandbox may have sessions there.
        planter.run(["CREATE EXTENSION dblink SCHEMA public"], "{prod}")
        planter.run(["GRANT CREATE ON DATABASE {prod} TO PUBLIC"], "{prod}")
        verdict = judge(audit(settings).findings, (), [entry])
    finally:
        planter.run(
            ["DROP EXTENSION IF EXISTS dblink", "REVOKE ALL ON DATABASE {prod} FROM PUBLIC"],
            "{prod}",
        )
    assert [item.id for item in verdict.findings] == [
        "postgresql/5/PUBLIC/CONNECT, CREATE, TEMPORARY on database erp",
        "postgresql/10/PUBLIC/EXECUTE on functions of extension dblink in erp",
    ]
    assert verdict.stale == (entry,)


def test_after_all_of_them_it_is_green_again(settings: Settings) -> None:
    assert audit(settings).findings == ()
