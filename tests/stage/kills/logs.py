"""What pods of the stage have printed, read where the kubelet writes it: no API is needed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tests.stage.kills.phases import RESTORING, WITHIN_RESTORING

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
    found = []
    for log in sorted((folder / "harness").glob("*.log"), key=lambda path: int(path.stem)):
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            when, _, kind, text = line.split(" ", 3)
            assert kind == "F", "lines this long are cut in two"
            found.append(Line(datetime.fromisoformat(when).timestamp(), text))
    return found


def restoring(told: list[Line]) -> float:
    """How many seconds a recovery spent on putting content back, by when its phases began."""
    spent, since = 0.0, None
    for line in told:
        if since is not None and line.text not in WITHIN_RESTORING:
            spent, since = spent + line.when - since, None
        if line.text == RESTORING:
            since = line.when
    return spent
