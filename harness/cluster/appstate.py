"""An Application as it was read, and how pausing and re-arming it went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

from harness.cluster.policy import SyncPolicy
from harness.manifests import JOURNAL_ANNOTATION, REFRESH_ANNOTATION

if TYPE_CHECKING:
    from harness.cluster.resources import Obj

Outcome = Literal["restored", "unneeded", "partly", "left", "another"]


@dataclass(frozen=True, slots=True)
class AppState:
    """An Application as it was read.

    Args:
        uid: Its identity; one that was deleted and made anew has another.
        resource_version: The write that it was read after.
        policy: Its sync policy, byte for byte.
        journal: The journal that it carries.
        refreshing: Whether a pass was asked for that has not taken place.
        operating: Whether a sync is asked for or under way.
        phase: How the last sync stands; None where there never was one.
        conditions: What Argo CD complains about.
    """

    uid: str
    resource_version: str
    policy: SyncPolicy
    journal: str | None
    refreshing: bool
    operating: bool
    phase: str | None
    conditions: tuple[str, ...]

    @classmethod
    def of(cls, found: Obj) -> Self:
        """Read it from the object."""
        metadata, status = found["metadata"], found.get("status") or {}
        annotations = metadata.get("annotations") or {}
        return cls(
            uid=metadata["uid"],
            resource_version=metadata["resourceVersion"],
            policy=SyncPolicy.of(found),
            journal=annotations.get(JOURNAL_ANNOTATION),
            refreshing=REFRESH_ANNOTATION in annotations,
            operating=bool(found.get("operation")),
            phase=(status.get("operationState") or {}).get("phase"),
            conditions=tuple(
                f"{each.get('type')}: {each.get('message')}"
                for each in status.get("conditions") or []
            ),
        )


@dataclass(frozen=True, slots=True)
class Paused:
    """How a pause went.

    Args:
        how: `disabled`: by `automated.enabled: false`; `removed`: without `automated`, since this
            Argo CD knows no `enabled`; `unneeded`: there was no automated sync to pause.
        state: The Application afterwards.
    """

    how: Literal["disabled", "removed", "unneeded"]
    state: AppState


@dataclass(frozen=True, slots=True)
class Rearmed:
    """How re-arming went; the journal is off the Application in every case but the last.

    Args:
        outcome: `restored`: the policy is the original again; `unneeded`: it was so already;
            `partly`: automation is on again, and somebody has changed other parts of the policy,
            which were left; `left`: somebody has changed the policy, and all of it was left;
            `another`: the Application was made anew, and nothing was written.
        found: The policy before.
        policy: The policy now.
    """

    outcome: Outcome
    found: SyncPolicy
    policy: SyncPolicy

    @classmethod
    def of(cls, first: AppState, written: AppState, original: SyncPolicy, uid: str) -> Self:
        """Tell it from the Application before and after.

        Args:
            first: As it was found.
            written: As it is now.
            original: The policy before the pause.
            uid: The Application that was paused.
        """
        return cls(_outcome(first, written, original, uid), first.policy, written.policy)


def _outcome(first: AppState, written: AppState, original: SyncPolicy, uid: str) -> Outcome:
    if first.uid != uid:
        return "another"
    if written.policy == original:
        return "unneeded" if first.policy == original else "restored"
    changed_by_us = written.policy.automated_on and not first.policy.automated_on
    return "partly" if changed_by_us else "left"
