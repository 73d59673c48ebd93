"""What an audit has found, whoever is to read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.reports.words import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.integrity.attempted import Attempts
    from harness.integrity.cluster_plane import ClusterPlane
    from harness.integrity.finding import Finding, Guarantee, Plane, Unproven
    from harness.integrity.reach.limits import Bound, Recommendation
    from harness.integrity.vault_plane import VaultPlane


@dataclass(frozen=True, slots=True)
class Target:
    """What was looked at.

    Args:
        prod: Prod, as the harness logs in to it.
        sandbox: The sandbox, likewise.
        server_version: The server's version.
        databases: The databases that were looked into.
    """

    prod: str
    sandbox: str
    server_version: str
    databases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody whose reach was looked at.

    Args:
        plane: Where it is known.
        name: Its name.
        what: What it is.
    """

    plane: Plane
    name: str
    what: str


@dataclass(frozen=True, slots=True)
class Approval:
    """A finding, or something unproven, that somebody has accepted.

    Args:
        id: Its exact name.
        plane: Which plane it is in.
        group: Which of the fifteen groups it belongs to.
        what: What was found, or not proven.
        reason: Why it is accepted.
        approved: Since when, as a date.
        expires: Until when.
    """

    id: str
    plane: Plane
    group: int
    what: str
    reason: str
    approved: str
    expires: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario of the gate, where the report comes from `pytest features/`.

    Args:
        name: Its name.
        outcome: How it ended.
        proof: How its guarantee is proven, if it is about one.
    """

    name: str
    outcome: str
    proof: str


@dataclass(frozen=True, slots=True)
class Report:
    """An audit's outcome.

    Args:
        made: When, in ISO 8601, UTC.
        target: What was looked at.
        guarantees: How far each guarantee is proven.
        findings: Paths to prod that are open, without those that are approved.
        unproven: What could not be proven, without what is approved.
        approvals: What is approved and was found.
        expired: Names of approvals that hold no longer; what they named is open.
        stale: Names of approvals that name nothing found, and can go.
        identities: Whose reach was looked at.
        attempts: What was attempted on a twin; None where nothing was.
        bounds: How much of what prod needs as well the sandbox could use up.
        recommendations: What would protect prod better.
        cluster: What the Kubernetes plane said; None without a cluster.
        not_looked_at: What the audit does not cover.
        seconds: How long each part took.
        scenarios: The scenarios of the gate; none where only the audit was run.
        vault: What the Vault plane said; None where the settings name no Vault.
    """

    made: str
    target: Target
    guarantees: tuple[Guarantee, ...]
    findings: tuple[Finding, ...]
    unproven: tuple[Unproven, ...]
    approvals: tuple[Approval, ...]
    expired: tuple[str, ...]
    stale: tuple[str, ...]
    identities: tuple[Identity, ...]
    attempts: Attempts | None
    bounds: tuple[Bound, ...]
    recommendations: tuple[Recommendation, ...]
    cluster: ClusterPlane | None
    not_looked_at: tuple[str, ...]
    seconds: Mapping[str, float]
    scenarios: tuple[Scenario, ...] = ()
    vault: VaultPlane | None = None

    @property
    def is_green(self) -> bool:
        """Whether nothing was found, and nothing is unproven, that nobody has approved."""
        return not (self.findings or self.unproven)

    @property
    def verdict(self) -> Literal["green", "red"]:
        """The same in a word."""
        return "green" if self.is_green else "red"

    def guarantee(self, title: str) -> Guarantee:
        """The guarantee of that title."""
        return next(each for each in self.guarantees if each.title == title)

    def approvals_for(self, guarantee: Guarantee) -> tuple[Approval, ...]:
        """What is approved of that which speaks against a guarantee; empty unless all of it is."""
        approved = {each.id: each for each in self.approvals}
        if not approved.keys() >= set(guarantee.against):
            return ()
        return tuple(approved[name] for name in guarantee.against)

    @property
    def summary(self) -> str:
        """The verdict in a sentence."""
        judged = [each for each in self.guarantees if each.verdict != "not applicable"]
        held = sum(each.holds for each in judged)
        parts = [f"{held} of {len(judged)} guarantees hold"]
        if len(judged) < len(self.guarantees):
            parts.append(f"{len(self.guarantees) - len(judged)} not applicable")
        parts.append(counted(len(self.findings), "finding"))
        parts.append(f"{len(self.unproven)} unproven")
        parts.append(f"{len(self.approvals)} approved")
        if self.attempts is not None:
            done, bad = len(self.attempts.made), len(self.attempts.successes)
            parts.append(f"{counted(done, 'attempt')} on a twin, {bad} not as expected")
        return ", ".join(parts)
