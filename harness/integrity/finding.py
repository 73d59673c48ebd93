"""What an audit says: what is open, what cannot be proven here, and how far each guarantee holds.

The paths by which a role could reach another database are in fifteen groups, numbered as in the
documentation of the audit. A finding's `id` is the same in every run, so an approved list can name
it exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Plane = Literal["postgresql", "kubernetes", "vault"]
Proof = Literal[
    "proven by attempt on a twin", "proven by catalogue", "not provable here", "not applicable"
]


@dataclass(frozen=True, slots=True)
class Finding:
    """A path to prod that is open.

    Args:
        id: Its exact name, the same in every run.
        plane: Which plane it is in.
        group: Which of the fifteen groups it belongs to.
        what: What could be done with it, in one sentence.
        chain: The steps that lead there, such as `v-sbx-abc`, `member of ops`, `owner of erp`.
        closes: The statement or the change that closes it.
    """

    id: str
    plane: Plane
    group: int
    what: str
    chain: tuple[str, ...]
    closes: str


@dataclass(frozen=True, slots=True)
class Unproven:
    """Something that cannot be proven on the present target; it fails the gate unless approved.

    Args:
        id: Its exact name, the same in every run.
        plane: Which plane it is in.
        group: Which of the fifteen groups it belongs to.
        what: What should have been proven.
        why: Why it could not be.
    """

    id: str
    plane: Plane
    group: int
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Guarantee:
    """One guarantee, and how far it is proven here.

    Args:
        title: What is guaranteed, such as `prod cannot be dropped`.
        proof: How it is proven.
        evidence: What was asked or attempted, in one sentence; or why it is not provable.
        holds: Whether it holds.
        against: Names of the findings that speak against it, or of what is unproven.
    """

    title: str
    proof: Proof
    evidence: str
    holds: bool
    against: tuple[str, ...] = ()

    @property
    def verdict(self) -> Literal["holds", "broken", "not proven", "not applicable"]:
        """The same in a word: what nobody could prove is neither kept nor broken."""
        if self.holds:
            return "holds"
        if self.proof == "not applicable":
            return "not applicable"
        return "not proven" if self.proof == "not provable here" else "broken"
