"""Every guarantee about prod, and how far what was asked and attempted proves it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.integrity.cluster_plane import no_cluster
from harness.integrity.finding import Guarantee
from harness.integrity.groups import AVAILABILITY
from harness.integrity.reach.limits import PRODS_LOCKS
from harness.reports.words import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from harness.integrity.attacks.attempts import Attempt
    from harness.integrity.attempted import Attempts
    from harness.integrity.cluster_plane import ClusterPlane
    from harness.integrity.finding import Finding, Plane, Unproven
    from harness.integrity.reach.limits import Bound
    from harness.integrity.vault_plane import VaultPlane

READ_ONLY = "prod is read-only during a refresh"
ONLY_SANDBOX = "the restore can only write the sandbox"
NO_DATABASE = "no database is dropped or created"
UNDROPPABLE = "prod cannot be dropped"
LOCKS = "the sandbox cannot take prod's locks"
SHARED = "what the sandbox can take of slots, lock table and disk is bounded"
RUNNER = "the harness cannot touch prod's namespace, nor its Application"
POLICY = "the harness may change nothing of the sandbox's Application but the pause"
LOGINS = "the harness can lease no login but its own"

TITLES = (READ_ONLY, ONLY_SANDBOX, NO_DATABASE, UNDROPPABLE, LOCKS, SHARED, RUNNER, POLICY, LOGINS)

# The groups whose paths lead to a guarantee's opposite; those that give further rights lead to all.
_RIGHTS = frozenset(range(1, 14))
_DATABASES = _RIGHTS - {6, 7, 12}
_OF_AVAILABILITY = frozenset({AVAILABILITY})
_TOLD = 3


@dataclass(frozen=True, slots=True)
class Evidence:
    """What guarantees are judged by.

    Args:
        reader: The login that reads prod for a dump.
        read_only: What keeps it from writing, in a few words; None where nobody could say.
        identities: How many identities of the sandbox were looked at.
        findings: What is open.
        gaps: What the catalogues could not tell, approved or not.
        accepted: What was found and is approved.
        attempts: What was attempted on a twin, if anything was.
        bounds: How much of what prod needs as well the sandbox could take.
        cluster: What the Kubernetes plane said, if there is a cluster.
        vault: What the Vault plane said, if logins come from there.
    """

    reader: str
    read_only: str | None
    identities: int
    findings: tuple[Finding, ...]
    gaps: tuple[Unproven, ...]
    accepted: tuple[Finding, ...]
    attempts: Attempts | None
    bounds: tuple[Bound, ...]
    cluster: ClusterPlane | None
    vault: VaultPlane | None = None

    def attempted(self, those: Collection[int], *, by_reader: bool = False) -> list[Attempt]:
        """The attempts of some groups: the sandbox's, or those of the login that reads prod."""
        made = self.attempts.made if self.attempts else ()
        return [
            each
            for each in made
            if each.group in those and (each.login == self.reader) is by_reader
        ]

    def open_paths(self, those: Collection[int], *, by_reader: bool = False) -> list[Finding]:
        """The open paths in PostgreSQL of some groups, likewise."""
        readers = {f"attempt: {each.name}" for each in self.attempted(those, by_reader=True)}
        return [
            each
            for each in self.findings
            if each.plane == "postgresql"
            and each.group in those
            and (each.chain[0] == self.reader or each.id in readers) is by_reader
        ]

    def untold(self, those: Collection[int]) -> list[Unproven]:
        """What the catalogues could not tell of some groups."""
        return [each for each in self.gaps if each.group in those]

    def still_open(self, found: Collection[Finding]) -> list[Finding]:
        """Those of them that nobody has approved."""
        return [each for each in found if each in self.findings]


def guarantees(evidence: Evidence) -> tuple[Guarantee, ...]:
    """Judge them all."""
    return (
        _reading(evidence),
        _by_closure(evidence, ONLY_SANDBOX, _RIGHTS),
        _by_closure(evidence, NO_DATABASE, _DATABASES),
        _by_closure(evidence, UNDROPPABLE, _DATABASES),
        _locks(evidence),
        _shared(evidence),
        _runner(evidence),
        _policy(evidence),
        _logins(evidence),
    )


def _reading(evidence: Evidence) -> Guarantee:
    if found := evidence.open_paths(_RIGHTS, by_reader=True):
        return _broken(READ_ONLY, found)
    if evidence.read_only is None:
        return _not_provable(READ_ONLY, evidence.untold(_RIGHTS))
    asked = (
        "a session of the harness on prod was asked, and starts read-only;"
        f" {evidence.reader} is read-only {evidence.read_only}"
    )
    made = evidence.attempted(range(1, 16), by_reader=True)
    return _proven(READ_ONLY, made, asked)


def _by_closure(evidence: Evidence, title: str, those: Collection[int]) -> Guarantee:
    if found := evidence.open_paths(those):
        return _broken(title, found)
    if gaps := evidence.untold(those):
        return _not_provable(title, gaps)
    asked = f"no path in the closure of all privileges of {evidence.identities} identities"
    but = _but(evidence, "postgresql", those)
    return _proven(title, evidence.attempted(those), asked + but)


def _locks(evidence: Evidence) -> Guarantee:
    if found := evidence.open_paths(_OF_AVAILABILITY):
        return _broken(LOCKS, found)
    if gaps := [each for each in evidence.untold(_OF_AVAILABILITY) if PRODS_LOCKS in each.id]:
        return _not_provable(LOCKS, gaps)
    made = [each for each in evidence.attempted(_OF_AVAILABILITY) if each.holds]
    kept = "; ".join(
        str(each.holds_because) for each in evidence.bounds if each.what == PRODS_LOCKS
    )
    return _proven(LOCKS, made, kept)


def _shared(evidence: Evidence) -> Guarantee:
    if found := evidence.open_paths(_OF_AVAILABILITY):
        return _broken(SHARED, found)
    if gaps := evidence.untold(_OF_AVAILABILITY):
        return _not_provable(SHARED, gaps)
    stated = "; ".join(f"{each.what}: {each.bound}" for each in evidence.bounds)
    return _proven(SHARED, evidence.attempted(_OF_AVAILABILITY), stated)


def _runner(evidence: Evidence) -> Guarantee:
    plane = evidence.cluster
    if plane is None:
        return _not_provable(RUNNER, [no_cluster()])
    if found := evidence.still_open(plane.rights):
        return _broken(RUNNER, found)
    if plane.incomplete:
        return _not_provable(RUNNER, plane.incomplete)
    asked = f"{plane.questions} access reviews and the rules of {plane.user} show no such right"
    but = _but(evidence, "kubernetes", {15})
    return Guarantee(RUNNER, "proven by catalogue", asked + but, holds=True)


def _policy(evidence: Evidence) -> Guarantee:
    plane = evidence.cluster
    if plane is None:
        return _not_provable(POLICY, [no_cluster()])
    if found := evidence.still_open(plane.changes):
        return _broken(POLICY, found)
    if plane.unenforced:
        return _not_provable(POLICY, plane.unenforced)
    denied = f"{len(plane.writes)} other writes were rehearsed with dryRun=All, and none would stay"
    return Guarantee(POLICY, "proven by catalogue", denied, holds=True)


def _logins(evidence: Evidence) -> Guarantee:
    plane = evidence.vault
    if plane is None:
        why = "the settings have no [vault]: nobody was asked who else may have a login"
        return Guarantee(LOGINS, "not applicable", why, holds=False)
    if found := evidence.still_open(plane.findings):
        return _broken(LOGINS, found)
    if plane.unproven:
        return _not_provable(LOGINS, plane.unproven)
    asked = f"Vault denies each of {len(plane.paths)} paths to {', '.join(plane.policies)}"
    but = _but(evidence, "vault", {15})
    return Guarantee(LOGINS, "proven by catalogue", asked + but, holds=True)


def _but(evidence: Evidence, plane: Plane, those: Collection[int]) -> str:
    named = [each.id for each in evidence.accepted if each.plane == plane and each.group in those]
    return f", but for what is accepted: {', '.join(named)}" if named else ""


def _broken(title: str, found: Sequence[Finding]) -> Guarantee:
    told = "; ".join(each.what for each in found[:_TOLD])
    more = f"; and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
    names = tuple(each.id for each in found)
    return Guarantee(title, "proven by catalogue", told + more, holds=False, against=names)


def _not_provable(title: str, gaps: Sequence[Unproven]) -> Guarantee:
    why = "; ".join(each.why for each in gaps)
    names = tuple(each.id for each in gaps)
    return Guarantee(title, "not provable here", why, holds=False, against=names)


def _proven(title: str, made: list[Attempt], asked: str) -> Guarantee:
    if not made:
        return Guarantee(title, "proven by catalogue", asked, holds=True)
    identities = len({each.identity for each in made})
    told = f"{counted(len(made), 'attempt')} as {counted(identities, 'identity', 'identities')}"
    ended = "ended as it must" if len(made) == 1 else "ended as they must"
    return Guarantee(title, "proven by attempt on a twin", f"{told} {ended}; {asked}", holds=True)
