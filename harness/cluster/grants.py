"""What was granted and must not be, told once for each thing and not once for each verb."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.cluster.harm import ANY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.cluster.harm import Harm
    from harness.cluster.rights import Right


@dataclass(frozen=True, slots=True)
class Grant:
    """Something that the harness could do, and must not be able to.

    Args:
        verbs: What may be done, in the order of the alphabet.
        right: To what; its verb is the first of them.
        why: What harm it could do.
    """

    verbs: tuple[str, ...]
    right: Right
    why: str

    def __str__(self) -> str:
        if _is_everything(self.right):
            where = f"in {self.right.namespace}" if self.right.namespace else "in the whole cluster"
            return f"may do everything {where}"
        return f"may {replace(self.right, verb=', '.join(self.verbs))}"


def grants(harms: Iterable[Harm]) -> list[Grant]:
    """One grant for each thing; in a namespace where everything may be done, that alone."""
    found = list(harms)
    everywhere = {harm.right.namespace for harm in found if _is_everything(harm.right)}
    told: dict[Right, list[Harm]] = {}
    for harm in found:
        if _is_everything(harm.right) or everywhere.isdisjoint({"", harm.right.namespace}):
            told.setdefault(replace(harm.right, verb=""), []).append(harm)
    return [_grant(same) for same in told.values()]


def _grant(same: list[Harm]) -> Grant:
    first = min(same, key=lambda harm: harm.right.verb)
    verbs = tuple(sorted(harm.right.verb for harm in same))
    return Grant(verbs, first.right, first.why)


def _is_everything(right: Right) -> bool:
    return (right.verb, right.group, right.resource, right.name) == (ANY, ANY, ANY, "")
