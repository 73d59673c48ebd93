"""The audit: made once for all scenarios, and how far it proves each guarantee."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pytest_bdd import parsers, then, when

from harness.lifecycle.audit import audit
from harness.progress import Silent
from steps.proof import expect_proven

if TYPE_CHECKING:
    from harness.integrity.report.model import Report
    from harness.settings import Settings


@when("the target is audited", target_fixture="report")
def audited(audit_report: Report) -> Report:
    return audit_report


@when("the target is audited anew, by questions alone", target_fixture="report")
def asked_anew(settings: Settings) -> Report:
    return audit(settings, Silent(), attempts=False)


@then(parsers.parse("it is proven that {guarantee}"))
def proven(report: Report, guarantee: str, request: pytest.FixtureRequest) -> None:
    expect_proven(report, guarantee, request.node)


@then("no path to prod is open")
def nothing_open(report: Report) -> None:
    assert [(each.id, each.closes) for each in report.findings] == []


@then("nothing is unproven")
def nothing_unproven(report: Report) -> None:
    assert [(each.id, each.why) for each in report.unproven] == []


@then("every attempt on the twin ended as it must")
def attempts_failed(report: Report) -> None:
    if report.attempts is None:
        pytest.skip("not provable here: there is no server to build a twin with")
    assert report.attempts.made
    assert list(report.attempts.successes) == []
