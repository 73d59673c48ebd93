"""`python -m tests.stage kills`: kills one after the other, a line for each, and a table."""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests import phases
from tests.stage import cluster, in_cluster, platform
from tests.stage.kills.ground import Ground
from tests.stage.kills.kinds import KINDS
from tests.stage.kills.trial import Kill, tried
from tests.stage.platform import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.stage.kills.trial import Outcome
    from tests.stage.stage import Stage

TELLING = (
    Kill("pod deleted", phases.RESTORE),
    Kill("API server away for 30 s", phases.GONE, dies=True),
    Kill("PostgreSQL restarted", phases.RESTORE),
)
"""Half a content; an application that is away, and nobody to ask; and no database to mend."""
_HEADER = ("kind", "phase", "exit", "content", "repaired", "restoring", "verdict")


def every() -> list[Kill]:
    """Each kind at each of its phases, and each that the run survives also with its death."""
    alone = [Kill(kind.name, phase) for kind in KINDS.values() for phase in kind.phases]
    dying = [
        Kill(kind.name, phase, dies=True)
        for kind in KINDS.values()
        if kind.may_die
        for phase in kind.phases
    ]
    return alone + dying


def drawn(number: int, seed: int) -> list[Kill]:
    """So many of them by chance, each kind as likely as any other."""
    chance = random.Random(seed)  # noqa: S311  the same again from the same seed
    kinds = list(KINDS.values())
    found = []
    for _ in range(number):
        kind = chance.choice(kinds)
        dies = kind.may_die and chance.random() < 0.5
        found.append(Kill(kind.name, chance.choice(kind.phases), dies))
    return found


@contextmanager
def guarded(stage: Stage) -> Iterator[Ground]:
    """A sandbox that a watchdog watches over, with a golden copy that prod is unlike."""
    there = platform.find(stage.directory)
    assert there is not None, "the stage is bare: python -m tests.stage up"
    ground = Ground.prepare(stage, there)
    with in_cluster.watchdog(stage, NAMES):
        yield ground


@contextmanager
def standing(directory: Path) -> Iterator[Stage]:
    """The stage that is up; where none is, one for the length of the block."""
    if (found := cluster.find()) is not None:
        yield found
        return
    with platform.running(directory) as stage:
        yield stage


def in_a_row(ground: Ground, kills: Sequence[Kill], tell: Callable[[str], None]) -> list[Outcome]:
    """Let them happen one after the other, and tell of each."""
    outcomes = []
    for number, kill in enumerate(kills, 1):
        began = time.monotonic()
        outcome = tried(ground, kill)
        took = time.monotonic() - began
        outcomes.append(outcome)
        tell(f"{number:>3} of {len(kills)}  {_line(outcome)}  [{took:.0f} s in all]")
        if outcome.complaints:
            tell(f"    the command said: {outcome.error.strip()}")
    return outcomes


def table(outcomes: Sequence[Outcome]) -> str:
    """All of them."""
    rows = [_HEADER, *map(_row, outcomes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
    aligned = (zip(row, widths, strict=True) for row in rows)
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in cells) for cells in aligned]
    slowest = max((outcome.seconds for outcome in outcomes), default=0)
    bad = sum(bool(outcome.complaints) for outcome in outcomes)
    summary = f"{len(outcomes)} kills, {bad} failed; the slowest repair took {slowest:.1f} s"
    return "\n".join([*(line.rstrip() for line in lines), summary])


def _row(outcome: Outcome) -> tuple[str, ...]:
    return (
        str(outcome.kill),
        outcome.phase,
        str(outcome.code),
        f"{outcome.before} -> {outcome.content}",
        f"{outcome.seconds:.1f} s",
        f"{outcome.restoring:.1f} s",
        outcome.verdict,
    )


def _line(outcome: Outcome) -> str:
    return "  ".join(_row(outcome))
