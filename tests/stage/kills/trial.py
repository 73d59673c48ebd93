"""One kill from its beginning to the verdict: what was repaired, by whom, and how fast."""

from __future__ import annotations

import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.deadlines import Deadline, eventually
from harness.errors import LifecycleError
from tests.phases import PHASES, VERIFY, WIPE
from tests.stage.kills import logs
from tests.stage.kills.kinds import KINDS
from tests.stage.kills.runner import refreshing
from tests.stage.kills.standing import Standing
from tests.stage.platform import NAMES

if TYPE_CHECKING:
    from tests.stage.kills.ground import Ground
    from tests.stage.kills.runner import Runner

PROMISED = 90.0
"""Seconds in which all is repaired, from when it can be, and without what restoring takes."""
_LONGEST = Deadline(PROMISED + 60, "the promise, and a minute of restoring; 2 s are usual")


@dataclass(frozen=True, slots=True)
class Kill:
    """What is to happen.

    Args:
        kind: Name of the kind.
        phase: The phase of the refresh in which it happens.
        dies: Whether the run is killed at that moment, too.
    """

    kind: str
    phase: str
    dies: bool = False

    def __str__(self) -> str:
        return f"{self.kind}{', run killed' if self.dies else ''}"


@dataclass(slots=True)
class Outcome:
    """What came of it.

    Args:
        kill: What happened.
        phase: The phase that the run was in.
        code: The exit code of the command.
        before: What the content was.
        content: What it is.
        seconds: From when all could be repaired to when it was, restoring left out.
        restoring: How long putting content back took.
        complaints: What is not as it must be; empty where all is well.
        error: What the command said.
    """

    kill: Kill
    phase: str = ""
    code: int | None = None
    before: str = ""
    content: str = ""
    seconds: float = 0.0
    restoring: float = 0.0
    complaints: list[str] = field(default_factory=list)
    error: str = ""

    @property
    def verdict(self) -> str:
        """In a word, or by what is wrong."""
        return "; ".join(self.complaints) or "ok"


def tried(ground: Ground, kill: Kill) -> Outcome:
    """Let it happen, wait until all is repaired, and look."""
    outcome = Outcome(kill)
    try:
        _try(ground, kill, outcome)
    except (AssertionError, LifecycleError) as error:
        outcome.complaints.append(f"it could not be tried to its end: {error}")
    return outcome


def _try(ground: Ground, kill: Kill, outcome: Outcome) -> None:
    outcome.before = ground.content()
    before = Standing.of(ground)
    watchdog = len(_watchdog(ground))
    mark = ""
    with refreshing(ground) as run:
        run.await_phase(kill.phase)
        mark = _strike(ground, run, kill)
        outcome.phase = next(each for each in reversed(run.phases()) if each in PHASES)
        back = time.time()
        repaired, free = _repaired(ground, before, run, outcome)
        outcome.restoring = logs.restoring(_watchdog(ground)[watchdog:])
        outcome.seconds = max(0.0, repaired - max(back, free) - outcome.restoring)
        _judge(ground, outcome, mark, run.phases())


def _strike(ground: Ground, run: Runner, kill: Kill) -> str:
    """What the content was marked as when the run died; empty where it did not, or nobody knows."""
    kind = KINDS[kill.kind]
    if kill.dies:
        KINDS["process killed"].strike(ground, run)
    mark = ground.mark() if kill.dies else ""
    kind.strike(ground, run)
    return ground.mark() if kind.kills else mark


def _repaired(
    ground: Ground, before: Standing, run: Runner, outcome: Outcome
) -> tuple[float, float]:
    """When all was as before, and when the Lease that the run had left could be taken."""
    dead: list[str] = []
    free = 0.0

    def must() -> float:
        nonlocal free
        now = time.time()
        found = Standing.of(ground)
        # The first holder that is seen is the run; whoever comes next repairs what it has left.
        if found.holder is not None and found.holder in (dead or [found.holder]):
            dead[:] = [found.holder]
            free = found.free or 0.0
        left = found.outstanding(before)
        assert run.client.poll() is not None, "the command goes on"
        assert not left, "; ".join(left)
        return now

    try:
        repaired = eventually(must, _LONGEST, every=0.2, on=Exception)
    except AssertionError as error:
        outcome.complaints.append(str(error))
        repaired = time.time()
    with suppress(subprocess.TimeoutExpired):
        outcome.code, outcome.error = run.end()
    return repaired, free


def _judge(ground: Ground, outcome: Outcome, mark: str, phases: list[str]) -> None:
    outcome.content = ground.content()
    allowed = _allowed(outcome, mark, phases)
    if outcome.content not in allowed:
        wanted = " or ".join(sorted(allowed))
        outcome.complaints.append(f"the content is {outcome.content}, not {wanted}")
    if outcome.seconds > PROMISED:
        outcome.complaints.append(f"repaired only after {outcome.seconds:.0f} s")
    if KINDS[outcome.kill.kind].kills and outcome.code == 0:
        outcome.complaints.append("the run was not killed at all")
    outcome.complaints += ground.prod_changes()


def _allowed(outcome: Outcome, mark: str, phases: list[str]) -> set[str]:
    """What the content may be now."""
    if outcome.code == 0:
        return {"prod"}
    if mark == "incomplete":
        return {"golden"}
    if mark == "complete":
        where = PHASES.index(outcome.phase)
        if where <= PHASES.index(WIPE):
            return {outcome.before}
        return {"prod"} if where >= PHASES.index(VERIFY) else {"golden"}
    return {outcome.before} if WIPE not in phases else {"golden", "prod"}


def _watchdog(ground: Ground) -> list[logs.Line]:
    folders = ground.pod_folders(f"{NAMES.service_account}-watchdog")
    newest = max(folders, key=lambda path: path.stat().st_mtime, default=None)
    return [] if newest is None else logs.lines(newest)
