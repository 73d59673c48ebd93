"""What came of attempting, on a twin, everything that must fail."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.integrity.attacks.attempts import as_findings, as_unproven, attempt_all
from harness.integrity.finding import Finding, Unproven
from harness.integrity.groups import AVAILABILITY
from harness.integrity.reach.limits import LOCK_TABLE, SLOTS, TEMPORARY_FILES
from harness.integrity.twin.server import twin_of

if TYPE_CHECKING:
    from harness.integrity.attacks.attempts import Attempt
    from harness.postgres.connection import Run
    from harness.progress import Progress
    from harness.settings import Settings


_BOUNDS = {
    "attempt: take every connection slot": SLOTS,
    "attempt: fill the shared lock table": LOCK_TABLE,
    "attempt: fill the disk with temporary files": TEMPORARY_FILES,
}


@dataclass(frozen=True, slots=True)
class Attempts:
    """What was attempted.

    Args:
        twin: The server that the twin is.
        made: Every attempt.
    """

    twin: str
    made: tuple[Attempt, ...]

    @property
    def successes(self) -> tuple[Attempt, ...]:
        """Those that did not end as they have to."""
        return tuple(each for each in self.made if each.verdict == "open")


@dataclass(frozen=True, slots=True)
class Attempted:
    """What came of the attempts.

    Args:
        attempts: What was attempted; None where nothing was.
        findings: What succeeded, as findings.
        unproven: What could not be attempted, or had an effect that nothing bounds.
    """

    attempts: Attempts | None
    findings: tuple[Finding, ...] = ()
    unproven: tuple[Unproven, ...] = ()


NOTHING_ATTEMPTED = Attempted(None)


def attempt_on_a_twin(settings: Settings, run: Run, progress: Progress) -> Attempted:
    """Build a twin of the target, make every attempt on it, and remove it.

    Args:
        settings: The target, whose roles and schema are asked for.
        run: The run that the sessions belong to.
        progress: Is told of every part.

    Raises:
        FailedError: The target could not be dumped, or the twin's server did not start.
        RefusedError: The target's logins are not what they should be.
    """
    with twin_of(settings, run, progress) as twin:
        if isinstance(twin, Unproven):
            return Attempted(None, unproven=(twin,))
        made = attempt_all(twin, settings.deadlines, progress)
        return Attempted(
            Attempts(f"a twin: {twin.description}", made),
            tuple(as_findings(made)),
            (*twin.left_out, *map(_named_as_its_bound, as_unproven(made))),
        )


def _named_as_its_bound(unproven: Unproven) -> Unproven:
    """What nothing bounds has one name, whether an attempt or the catalogues tell of it."""
    bound = _BOUNDS.get(unproven.id)
    return replace(unproven, id=f"postgresql/{AVAILABILITY}/{bound}") if bound else unproven
