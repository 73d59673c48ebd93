"""How far a scenario's guarantee is proven, where whoever reads the outcome can see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.integrity.report.model import Scenario

if TYPE_CHECKING:
    from harness.integrity.report.model import Report

_PROOF = "proof"
_GATE = "integrity"


def expect_proven(report: Report, title: str, scenario: pytest.Item) -> None:
    """Note how a guarantee is proven, and fail unless it is.

    What is not provable here is never taken for a pass: it fails, or is skipped where the approved
    list names all of it.
    """
    found = report.guarantee(title)
    not_provable = found.verdict == "not proven"
    told = f"{found.proof}: {found.evidence}" if not_provable else found.proof
    # As record_property does; that one warns of a form of JUnit's XML which takes it all the same.
    scenario.user_properties.append((_PROOF, told))
    if found.verdict == "not applicable":
        pytest.skip(f"not applicable here: {found.evidence}")
    if not_provable and (accepted := report.approvals_for(found)):
        until = min(each.expires for each in accepted)
        pytest.skip(f"not provable here: {found.evidence} (accepted until {until})")
    if not found.holds:
        names = "\n".join(found.against)
        pytest.fail(f"{found.title}: {found.verdict}: {found.evidence}\n{names}", pytrace=False)


class Outcomes:
    """A plugin that shows how a guarantee is proven, and collects how the gate's scenarios end."""

    def __init__(self) -> None:
        self._found: dict[str, Scenario] = {}

    def pytest_report_teststatus(
        self, report: pytest.TestReport | pytest.CollectReport
    ) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
        """Show under `-v` how a guarantee that holds is proven."""
        proof = dict(getattr(report, "user_properties", ())).get(_PROOF)
        if proof is not None and report.when == "call" and report.passed:
            return "passed", ".", (f"PASSED ({proof})", {"green": True})
        return None  # what is skipped says why by itself

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how one ends; a setup or a teardown that fails counts, too."""
        if _GATE not in report.keywords or (report.when != "call" and report.passed):
            return
        name = report.nodeid.partition("::")[2]
        proof = str(dict(report.user_properties).get(_PROOF, ""))
        self._found[name] = Scenario(name, report.outcome, proof)

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """In the order in which they ended."""
        return tuple(self._found.values())
