"""What stands in a Lease: who holds it, for how long, since when, and what has to be undone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from harness.cluster.holder import Holder
from harness.manifests import JOURNAL_ANNOTATION

if TYPE_CHECKING:
    from harness.cluster.resources import Obj

# Six digits always: without a fraction the server does not take a time of a Lease.
_MICRO_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True, slots=True)
class LeaseState:
    """A Lease as it was read.

    Args:
        uid: Its identity; one that was deleted and made anew has another.
        identity: Who holds it, as it stands there; None if nobody does.
        token: The fencing token: how often it has changed hands.
        journal: What has to be undone; None if nothing has.
        since: When it was taken, by the holder's clock.
        renewed: When it was last renewed, by the holder's clock.
        seconds: How long it lasts after that.
    """

    uid: str
    identity: str | None
    token: int
    journal: str | None
    since: datetime | None
    renewed: datetime | None
    seconds: int | None

    @classmethod
    def of(cls, found: Obj) -> Self:
        """Read it from the object."""
        spec = found.get("spec") or {}
        return cls(
            uid=found["metadata"]["uid"],
            identity=spec.get("holderIdentity") or None,
            token=spec.get("leaseTransitions") or 0,
            journal=(found["metadata"].get("annotations") or {}).get(JOURNAL_ANNOTATION),
            since=_moment(spec.get("acquireTime")),
            renewed=_moment(spec.get("renewTime")),
            seconds=spec.get("leaseDurationSeconds"),
        )

    @property
    def holder(self) -> Holder | None:
        """The process that holds it, where it is one of this harness's."""
        return None if self.identity is None else Holder.parse(self.identity)

    @property
    def until(self) -> datetime | None:
        """When it may be taken if it is not renewed, by the holder's clock; a hint, no verdict."""
        if self.renewed is None or self.seconds is None:
            return None
        return self.renewed + timedelta(seconds=self.seconds)

    @property
    def sign_of_life(self) -> tuple[str | None, int, datetime | None]:
        """What changes when the holder renews, or another takes over."""
        return self.identity, self.token, self.renewed

    def __str__(self) -> str:
        if self.identity is None:
            return "held by nobody"
        holder = self.holder
        who = f"run {holder.run}, pid {holder.pid} on {holder.host}" if holder else self.identity
        return f"held by {who}, since {_told(self.since)}, until {_told(self.until)} at least"


def granted(identity: str, *, seconds: int, token: int, journal: str | None) -> Obj:
    """The merge patch that gives the Lease to a new holder."""
    now = _now()
    return {
        "metadata": {"annotations": {JOURNAL_ANNOTATION: journal}},
        "spec": {
            "holderIdentity": identity,
            "leaseDurationSeconds": seconds,
            "leaseTransitions": token,
            "acquireTime": now,
            "renewTime": now,
        },
    }


def renewed() -> Obj:
    """The merge patch that shows a sign of life."""
    return {"spec": {"renewTime": _now()}}


def journalled(journal: str | None) -> Obj:
    """The merge patch that replaces the journal, or removes it."""
    return {"metadata": {"annotations": {JOURNAL_ANNOTATION: journal}}}


def given_up() -> Obj:
    """The merge patch that leaves the Lease to whoever comes; the token stays."""
    fields = ("holderIdentity", "leaseDurationSeconds", "acquireTime", "renewTime")
    return {"spec": dict.fromkeys(fields)}


def _now() -> str:
    return datetime.now(UTC).strftime(_MICRO_TIME)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _told(moment: datetime | None) -> str:
    return "an unknown time" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
