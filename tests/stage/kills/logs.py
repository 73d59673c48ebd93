"""What pods of the stage have printed, read where the kubelet writes it: no API is needed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tests.phases import ALONE, RESTORING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Args:
        when: When it was printed, in seconds since the epoch.
        text: What it says.
    """

    when: float
    text: str


def lines(folder: Path) -> list[Line]:
    """All lines of a pod's container, over its restarts."""
    logs = sorted((folder / "harness").glob("*.log"), key=lambda path: int(path.stem))
    return [line for log in logs for line in parsed(log.read_text(encoding="utf-8"))]


def parsed(content: str) -> list[Line]:
    """The whole lines of a log as the kubelet writes it; of one cut in two, both parts."""
    whole = [line.split(" ", 3) for line in content.splitlines(keepends=True)]
    return [
        Line(datetime.fromisoformat(when).timestamp(), text.removesuffix("\n"))
        for when, _, _, text in whole
        if text.endswith("\n")
    ]


def restoring(told: list[Line]) -> float:
    """How many seconds a recovery spent on putting content back, by when its phases began."""
    spent, since = 0.0, None
    for line in told:
        if since is not None and line.text not in RESTORING | {ALONE}:
            spent, since = spent + line.when - since, None
        if since is None and line.text in RESTORING:
            since = line.when
    return spent
