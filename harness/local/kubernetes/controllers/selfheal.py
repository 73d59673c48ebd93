"""When Argo CD syncs of its own accord: the decision of its `autoSync`, without doing anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.local.kubernetes.controllers.comparison import Comparison
    from harness.local.kubernetes.resources import Obj

_FIRST_BACKOFF = 2.0
_FACTOR = 3
_LONGEST_BACKOFF = 300.0
_COOLDOWN = 330.0
_RETRIES = 5


@dataclass(frozen=True, slots=True)
class Decision:
    """What a pass does about the difference that it found.

    Args:
        operation: The sync to request, or None.
        again_in: Seconds until self-heal may try again, where it has to wait.
        error: The condition to show, where it will not try again.
    """

    operation: Obj | None = None
    again_in: float | None = None
    error: str | None = None


def is_automated(application: Obj) -> bool:
    """Whether the Application syncs by itself."""
    automated = (application["spec"].get("syncPolicy") or {}).get("automated")
    return automated is not None and automated.get("enabled") is not False


def decide(application: Obj, comparison: Comparison, seconds_since_sync: float) -> Decision:
    """Decide as `autoSync` of Argo CD 3 does.

    Args:
        application: The object as the pass read it.
        comparison: What the pass found.
        seconds_since_sync: How long ago the last operation ended.
    """
    free = is_automated(application) and not application.get("operation")
    if not free or not comparison.out_of_sync:
        return Decision()
    policy = application["spec"]["syncPolicy"]
    last = application.get("status", {}).get("operationState") or {}
    if last.get("syncResult", {}).get("revision") != comparison.revision:
        return Decision(sync_operation(policy, comparison.revision))
    if last["phase"] != "Succeeded":
        why = f"Failed last sync attempt to {comparison.revision}: {last.get('message', '')}"
        return Decision(error=why)
    return _heal(policy, last, comparison.revision, seconds_since_sync)


def _heal(policy: Obj, last: Obj, revision: str, seconds_since_sync: float) -> Decision:
    """Decide about a difference at a revision that was synced already."""
    if not policy["automated"].get("selfHeal"):
        return Decision()
    attempts = 0
    if seconds_since_sync < _COOLDOWN:
        attempts = last["operation"].get("sync", {}).get("selfHealAttemptsCount", 0)
    remaining = backoff(attempts) - seconds_since_sync
    if remaining > 0:
        return Decision(again_in=remaining)
    return Decision(sync_operation(policy, revision, attempts + 1))


def backoff(attempts: int) -> float:
    """Seconds from the last sync to the next self-heal: 0, 2, 6, 18, 54, 162, 300."""
    if attempts == 0:
        return 0.0
    return min(_FIRST_BACKOFF * float(_FACTOR ** (attempts - 1)), _LONGEST_BACKOFF)


def sync_operation(policy: Obj, revision: str, attempts: int = 0) -> Obj:
    """The operation that asks for a sync."""
    sync: Obj = {"revision": revision, "prune": policy["automated"].get("prune", False)}
    if attempts:
        sync["selfHealAttemptsCount"] = attempts
    return {
        "initiatedBy": {"automated": True},
        "retry": policy.get("retry") or {"limit": _RETRIES},
        "sync": sync,
    }
