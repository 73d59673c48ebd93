"""An Application's sync policy: is it on, how is it paused, how does it become what it was.

It is kept as text, since it must come back byte for byte, whatever it was: on or off, with fields
that this version of the harness has never heard of. One that says nothing is the exception: Argo CD
takes an empty one away whenever it looks, so null and `{}` are the same as none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from harness.cluster.resources import Obj

_AUTOMATED = "/spec/syncPolicy/automated"


@dataclass(frozen=True, slots=True)
class SyncPolicy:
    """`spec.syncPolicy` as it stood.

    Args:
        text: Its JSON with sorted keys, or None where there was none.
    """

    text: str | None

    @classmethod
    def of(cls, application: Obj) -> Self:
        """The policy of an Application."""
        spec = application["spec"]
        if "syncPolicy" not in spec:
            return cls(None)
        return cls(json.dumps(spec["syncPolicy"], sort_keys=True, ensure_ascii=False))

    @property
    def value(self) -> Any:
        """What it is; None where it is null, and where there is none."""
        return None if self.text is None else json.loads(self.text)

    @property
    def automated(self) -> Obj | None:
        """`automated`; None where it is null, and where there is none."""
        value = self.value
        automated = value.get("automated") if isinstance(value, dict) else None
        return automated if isinstance(automated, dict) else None

    @property
    def automated_on(self) -> bool:
        """Whether Argo CD syncs by itself: `enabled` counts only where it is false."""
        automated = self.automated
        return automated is not None and automated.get("enabled") is not False

    @property
    def says_nothing(self) -> bool:
        """Whether Argo CD takes it for none, and takes it away."""
        value = self.value
        if isinstance(value, dict):
            return all(each is None or each == [] for each in value.values())
        return value is None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SyncPolicy):
            return NotImplemented
        return self.text == other.text or (self.says_nothing and other.says_nothing)

    def __hash__(self) -> int:
        return hash(None if self.says_nothing else self.text)

    def __str__(self) -> str:
        return "no syncPolicy" if self.text is None else f"syncPolicy {self.text}"


ABSENT = SyncPolicy(None)
"""An Application that says nothing about syncing."""


def pausing(policy: SyncPolicy, *, drops_enabled: bool) -> Obj:
    """The merge patch of the spec that pauses; empty where there is nothing to pause."""
    if not policy.automated_on:
        return {}
    automated = None if drops_enabled else {"enabled": False}
    return {"syncPolicy": {"automated": automated}}


def restoring(found: SyncPolicy, original: SyncPolicy, *, drops_enabled: bool) -> list[Obj]:
    """The JSON patch that undoes `pausing`, and nothing that somebody else has done meanwhile.

    It only ever switches automation on, and only where it was on: empty where it was off already,
    where it is on again, and where `automated` was removed by somebody else.

    Args:
        found: The policy as it is now.
        original: The policy as it was before the pause.
        drops_enabled: Whether a pause removes `automated`, since `enabled` is not known.
    """
    was, is_now = original.automated, found.automated
    if was is None or not original.automated_on or found.automated_on:
        return []
    if is_now is None:
        return _putting_back(found, was) if drops_enabled else []
    if _settled(is_now) == _settled(was):
        return [{"op": "add", "path": _AUTOMATED, "value": was}]
    # Somebody has changed it, and left our pause in it.
    if "enabled" in was:
        return [{"op": "add", "path": f"{_AUTOMATED}/enabled", "value": was["enabled"]}]
    return [{"op": "remove", "path": f"{_AUTOMATED}/enabled"}]


def _putting_back(found: SyncPolicy, automated: Obj) -> list[Obj]:
    if isinstance(found.value, dict):
        return [{"op": "add", "path": _AUTOMATED, "value": automated}]
    return [{"op": "add", "path": "/spec/syncPolicy", "value": {"automated": automated}}]


def _settled(automated: Obj) -> Obj:
    """What it says besides `enabled`: Argo CD itself leaves out what is false when it writes."""
    return {
        field: value
        for field, value in automated.items()
        if field != "enabled" and value is not False and value is not None
    }
