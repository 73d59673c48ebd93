"""What stands on the stage, as the administrators of cluster and database see it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg

from harness.cluster.policy import SyncPolicy
from harness.manifests import JOURNAL_ANNOTATION
from harness.sides import Prod, Sandbox
from tests.stage.repository import newest

if TYPE_CHECKING:
    from tests.stage.kills.ground import Ground

_SESSIONS = """
SELECT coalesce(application_name, '') || ' of ' || usename FROM pg_stat_activity
WHERE usename = ANY (%s) AND pid <> pg_backend_pid()
"""
_LOCKS = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """All that a run may leave.

    Args:
        policy: The Application's sync policy, automated or not.
        state: Whether it is Synced and Healthy.
        behind: Whether Argo CD has not come to git's newest commit yet.
        journals: The journals, wherever there is one.
        holder: Who holds the Lease.
        free: When the Lease may be taken, in seconds since the epoch, by its holder's last sign.
        replicas: How many the application is to have, and how many are Ready.
        names: Secrets and Jobs of the sandbox's namespace.
        sessions: Sessions of the harness's own logins.
        locks: How many advisory locks somebody holds.
        mark: What the content is marked as.
    """

    policy: SyncPolicy
    state: tuple[str, str]
    behind: bool
    journals: tuple[str, ...]
    holder: str | None
    free: float | None
    replicas: tuple[int, int]
    names: frozenset[str]
    sessions: tuple[str, ...]
    locks: int
    mark: str

    @classmethod
    def of(cls, ground: Ground) -> Standing:
        """As it is now."""
        application = ground.application()
        kinds = "secrets,jobs.batch,leases.coordination.k8s.io,deployments.apps"
        found = json.loads(ground.kubectl("get", kinds, "--output=json"))["items"]
        lease = _one(found, "Lease", ground.cluster.lease)
        deployment = _one(found, "Deployment", ground.cluster.deployment)
        status, spec = application.get("status", {}), lease.get("spec") or {}
        journals = (_journal(each) for each in (lease, application))
        sessions, locks = _in_database(ground)
        return cls(
            policy=SyncPolicy.of(application),
            state=(status["sync"]["status"], status["health"]["status"]),
            behind=status["sync"].get("revision") != newest(ground.stage.repository),
            journals=tuple(filter(None, journals)),
            holder=spec.get("holderIdentity") or None,
            free=_free(spec),
            replicas=(deployment["spec"]["replicas"], deployment["status"].get("readyReplicas", 0)),
            names=frozenset(
                f"{each['kind']} {each['metadata']['name']}"
                for each in found
                if each["kind"] in {"Secret", "Job"}
            ),
            sessions=tuple(sessions),
            locks=locks,
            mark=ground.mark(),
        )

    def outstanding(self, before: Standing) -> list[str]:
        """What is not as it was before."""
        told = [f"a journal: {each}" for each in self.journals]
        told += [f"held by {self.holder}"] if self.holder else []
        if self.policy != before.policy:
            told.append(f"sync policy {self.policy}, before {before.policy}")
        told += [f"left: {each}" for each in sorted(self.names - before.names)]
        told += [f"gone: {each}" for each in sorted(before.names - self.names)]
        told += [f"a session: {each}" for each in self.sessions]
        if self.replicas != before.replicas:
            told.append(f"replicas and Ready {self.replicas}, before {before.replicas}")
        if self.locks > before.locks:
            told.append(f"{self.locks} advisory locks, before {before.locks}")
        if self.mark != "complete":
            told.append(f"content marked {self.mark}")
        if self.behind:
            told.append("Argo CD has not come to git's newest commit")
        if self.state != before.state:
            told.append(f"the Application is {' and '.join(self.state)}")
        return told


def _one(found: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    (wanted,) = [each for each in found if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return wanted


def _journal(obj: dict[str, Any]) -> str | None:
    found: str | None = (obj["metadata"].get("annotations") or {}).get(JOURNAL_ANNOTATION)
    return found


def _free(spec: dict[str, Any]) -> float | None:
    if spec.get("holderIdentity") is None:
        return None
    renewed = datetime.fromisoformat(spec["renewTime"]).timestamp()
    return renewed + float(spec["leaseDurationSeconds"])


def _in_database(ground: Ground) -> tuple[list[str], int]:
    settings = ground.settings
    logins = [Prod.of(settings).login.user, Sandbox.of(settings).login.user]
    with psycopg.connect(ground.platform.state["superuser"], autocommit=True) as session:
        sessions = [name for (name,) in session.execute(_SESSIONS, (logins,))]
        counted = session.execute(_LOCKS).fetchone()
    return sessions, counted[0] if counted else 0
