"""What became of each scenario on the local target and on the live one, side by side."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OUTCOMES = {"error": "failed", "failure": "failed", "skipped": "skipped"}
_NONE = "not run"
_PASSED = "passed"


@dataclass(frozen=True, slots=True)
class Told:
    """What a run tells of one scenario.

    Args:
        outcome: passed, failed, skipped, or not run.
        seconds: How long it took.
        reason: Why it was skipped.
    """

    outcome: str = _NONE
    seconds: float = 0.0
    reason: str = ""

    def __str__(self) -> str:
        if self.outcome in {_NONE, "skipped"}:
            return self.outcome
        return f"{self.outcome} {self.seconds:.1f} s"


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Two runs of the same features.

    Args:
        runs: What each tells, by feature and scenario; in the order local, live.
    """

    runs: tuple[dict[tuple[str, str], Told], dict[tuple[str, str], Told]]

    @classmethod
    def of(cls, local: Path, live: Path) -> SideBySide:
        """Read what `pytest --junitxml` has written.

        Raises:
            ConfigurationError: A file is none of pytest's.
        """
        return cls((_read(local), _read(live)))

    @property
    def is_green(self) -> bool:
        """Whether every scenario was collected in both, and failed in neither.

        What is not provable on a target is skipped there if the approved list allows that, so it
        is for the run to say so.
        """
        found = {told.outcome for _, pair in self._rows() for told in pair}
        return bool(found) and found.isdisjoint({"failed", _NONE})

    def __str__(self) -> str:
        rows = list(self._rows())
        width = max((len(name) for (_, name), _ in rows), default=0)
        lines, feature = [f"{'':<{width + 2}}  {'local':<15}  live"], ""
        reasons: dict[str, int] = {}
        for (where, name), pair in rows:
            if where != feature:
                feature = where
                lines.append(where)
            cells = [_cell(told, reasons) for told in pair]
            lines.append(f"  {name:<{width}}  {cells[0]:<15}  {cells[1]}".rstrip())
        totals = [_total(run) for run in self.runs]
        lines.append(f"{'':<{width + 2}}  {totals[0]}; {totals[1]}")
        return "\n".join([*lines, *(f"[{number}] {told}" for told, number in reasons.items())])

    def _rows(self) -> Iterator[tuple[tuple[str, str], tuple[Told, Told]]]:
        local, live = self.runs
        for key in sorted({**local, **live}, key=lambda each: each[0]):
            yield key, (local.get(key, Told()), live.get(key, Told()))


def _cell(told: Told, reasons: dict[str, int]) -> str:
    if not told.reason:
        return str(told)
    return f"{told} [{reasons.setdefault(told.reason, len(reasons) + 1)}]"


def _total(run: dict[tuple[str, str], Told]) -> str:
    counts = Counter(told.outcome for told in run.values())
    seconds = sum(told.seconds for told in run.values())
    return (
        ", ".join(f"{count} {outcome}" for outcome, count in counts.items()) + f" ({seconds:.0f} s)"
    )


def _read(path: Path) -> dict[tuple[str, str], Told]:
    try:
        cases = list(ET.parse(path).getroot().iter("testcase"))  # noqa: S314  pytest wrote it
    except (OSError, ET.ParseError) as error:
        raise ConfigurationError(
            f"{path} tells of no run",
            found=str(error),
            expected="what `pytest features/ --junitxml=FILE` writes",
            remedy="run the features on that target first",
        ) from error
    return {(_feature(case), case.get("name", "")): _told(case) for case in cases}


def _feature(case: ET.Element) -> str:
    """The path of its file, of which pytest makes a name with dots."""
    name = case.get("classname", "").removesuffix(".feature")
    return f"{name.replace('.', '/')}.feature"


def _told(case: ET.Element) -> Told:
    for child in case:
        if child.tag in _OUTCOMES:
            reason = child.get("message", "") if child.tag == "skipped" else ""
            return Told(_OUTCOMES[child.tag], float(case.get("time", 0)), reason)
    return Told(_PASSED, float(case.get("time", 0)))
