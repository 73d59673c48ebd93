"""From answers to a report: the approved list laid over them, and each guarantee judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from harness.integrity.approved import judge
from harness.integrity.cluster_plane import no_cluster
from harness.integrity.finding import Finding, Unproven
from harness.integrity.groups import AVAILABILITY
from harness.integrity.guarantees import Evidence, guarantees
from harness.integrity.reach.dump import could_write
from harness.integrity.reach.limits import PRODS_LOCKS
from harness.integrity.report.model import Approval, Identity, Report, Target
from harness.sides import Prod, Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.integrity.approved import Entry, Verdict
    from harness.integrity.attempted import Attempted
    from harness.integrity.closure import Audited
    from harness.integrity.cluster_plane import ClusterPlane
    from harness.integrity.reach.limits import Bound
    from harness.integrity.vault_plane import VaultPlane
    from harness.settings import Settings

_NOT_LOOKED_AT = (
    "pg_hba.conf, the pooler and its list of users, and the network in between",
    "volumes, backups and the operating system of the database's server",
    "identities in the cluster besides the harness's own, the applications' accounts among them",
    "the git repository that Argo CD deploys from, and who may write to it",
    "whatever is granted after the moment of the audit",
)
_WITHOUT_VAULT = "the policies of whoever leases logins, and who may have one leased"
_WITH_VAULT = "who else may have a login leased: only the harness's own policies were asked about"
_NOT_ATTEMPTED = "whether what the catalogues deny is denied in fact: no attempt was made"


@dataclass(frozen=True, slots=True)
class Answers:
    """What everybody answered.

    Args:
        settings: The target.
        audited: What PostgreSQL's catalogues say.
        starts_read_only: Whether a session of the harness on prod starts read-only; None where it
            got none.
        cluster: What the API server says; None without a cluster.
        attempted: What came of the attempts.
        vault: What Vault says; None where the settings name none.
    """

    settings: Settings
    audited: Audited
    starts_read_only: bool | None
    cluster: ClusterPlane | None
    attempted: Attempted
    vault: VaultPlane | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that is open, approved or not."""
        of_cluster = self.cluster.findings if self.cluster else ()
        reader = Prod.of(self.settings).login.user
        writing = () if self.starts_read_only in {True, None} else (_may_write(reader),)
        through = could_write(Prod.of(self.settings), self.audited.dump_identity)
        of_vault = self.vault.findings if self.vault else ()
        return (
            *self.audited.findings,
            *writing,
            *through,
            *of_cluster,
            *of_vault,
            *self.attempted.findings,
        )

    @property
    def unproven(self) -> tuple[Unproven, ...]:
        """Everything that could not be proven, likewise."""
        of_cluster = self.cluster.unproven if self.cluster else (no_cluster(),)
        return (
            *self.audited.unproven,
            *of_cluster,
            *(self.vault.unproven if self.vault else ()),
            *self.attempted.unproven,
            *(_unbounded(each) for each in self.audited.bounds if self._is_open(each)),
        )

    def _is_open(self, bound: Bound) -> bool:
        # Where it was attempted, it is known how far the sandbox gets with what everybody shares.
        known = self.attempted.attempts is not None and bound.what != PRODS_LOCKS
        return bound.holds_because is None and not known


def report_of(answers: Answers, entries: Iterable[Entry], seconds: Mapping[str, float]) -> Report:
    """Make the report.

    Args:
        answers: What was answered.
        entries: The approved list.
        seconds: How long each part took.
    """
    verdict = judge(answers.findings, answers.unproven, entries)
    audited, attempts = answers.audited, answers.attempted.attempts
    return Report(
        made=datetime.now(tz=UTC).isoformat(timespec="seconds"),
        target=Target(
            prod=str(Prod.of(answers.settings).login),
            sandbox=str(Sandbox.of(answers.settings).login),
            server_version=audited.server_version,
            databases=audited.databases,
        ),
        guarantees=guarantees(_evidence(answers, verdict)),
        findings=verdict.findings,
        unproven=verdict.unproven,
        approvals=tuple(_approval(entry, covers) for entry, covers in verdict.accepted),
        expired=tuple(entry.id for entry in verdict.expired),
        stale=tuple(entry.id for entry in verdict.stale),
        identities=tuple(_identities(answers)),
        attempts=attempts,
        bounds=audited.bounds,
        recommendations=audited.recommendations,
        cluster=answers.cluster,
        not_looked_at=(
            *_NOT_LOOKED_AT,
            _WITH_VAULT if answers.vault else _WITHOUT_VAULT,
            *([] if attempts else [_NOT_ATTEMPTED]),
        ),
        seconds=dict(seconds),
        vault=answers.vault,
    )


def _evidence(answers: Answers, verdict: Verdict) -> Evidence:
    audited, reader = answers.audited, answers.audited.dump_identity
    return Evidence(
        reader=Prod.of(answers.settings).login.user,
        read_only=reader.read_only if reader else None,
        identities=len(audited.identities) - 1,
        findings=verdict.findings,
        gaps=(
            *audited.unproven,
            # Where there is no twin, the catalogues tell of everything else as well.
            *(each for each in answers.unproven if each.group == AVAILABILITY),
        ),
        accepted=tuple(item for _, item in verdict.accepted if isinstance(item, Finding)),
        attempts=answers.attempted.attempts,
        bounds=audited.bounds,
        cluster=answers.cluster,
        vault=answers.vault,
    )


def _may_write(reader: str) -> Finding:
    return Finding(
        id=f"postgresql/11/{reader}/default_transaction_read_only",
        plane="postgresql",
        group=11,
        what=f"a session of {reader} on prod starts read-write, though it asked for the contrary",
        chain=(reader, "default_transaction_read_only = on is not in force"),
        closes="look what stands between, and what ALTER ROLE or ALTER DATABASE … SET brings",
    )


def _unbounded(bound: Bound) -> Unproven:
    return Unproven(
        id=f"postgresql/{AVAILABILITY}/{bound.what}",
        plane="postgresql",
        group=AVAILABILITY,
        what=f"that the sandbox leaves prod its share of {bound.what}",
        why=f"no limit is stated: {bound.bound}",
    )


def _approval(entry: Entry, covers: Finding | Unproven) -> Approval:
    return Approval(
        id=entry.id,
        plane=covers.plane,
        group=covers.group,
        what=covers.what,
        reason=entry.reason,
        approved=entry.date.isoformat(),
        expires=entry.expires.isoformat(),
    )


def _identities(answers: Answers) -> Iterator[Identity]:
    for subject in answers.audited.identities:
        yield Identity("postgresql", subject.name, subject.what)
    if answers.cluster is not None:
        yield Identity("kubernetes", answers.cluster.user, "the harness's identity in the cluster")
    if answers.vault is not None:
        policies = ", ".join(answers.vault.policies)
        yield Identity("vault", policies, "the policies of the harness's identity in Vault")
