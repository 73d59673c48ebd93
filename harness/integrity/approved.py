"""The approved list: what a platform accepts, each exactly, for a reason and until a day.

A TOML file:

    [[accepted]]
    id = "postgresql/5/PUBLIC/CONNECT on database erp"
    reason = "monitoring logs in everywhere; rights in prod are granted to nobody"
    date = 2026-11-24
    expires = 2027-05-31
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from datetime import date as Day  # noqa: N812  a field of the file is called date
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from harness.integrity.finding import Finding, Unproven

# An id names one thing; these would make it look as if it named many.
_PATTERN = re.compile(r"[*?%]|\.\.\.|…|^\^|\$$")
_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Entry(BaseModel):
    """One thing that is accepted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: _Text = Field(description="The id that the audit prints, to the letter.")
    reason: _Text = Field(description="Why it is accepted.")
    date: Day = Field(description="The day on which somebody decided so.")
    expires: Day = Field(description="The last day on which that holds.")

    @field_validator("id")
    @classmethod
    def _names_one_thing(cls, value: str) -> str:
        if _PATTERN.search(value):
            raise ValueError("looks like a pattern; an entry names one thing, to the letter")
        return value

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.expires < self.date:
            raise ValueError(f"expires {self.expires}, before its date")
        return self


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    accepted: list[Entry] = []


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, with the list laid over it.

    Args:
        findings: Findings that are open.
        unproven: What is unproven and not accepted.
        accepted: Entries that cover something found, each with what it covers.
        expired: Entries past their last day; what they named is open.
        stale: Entries that name nothing found, and can go.
    """

    findings: tuple[Finding, ...]
    unproven: tuple[Unproven, ...]
    accepted: tuple[tuple[Entry, Finding | Unproven], ...]
    expired: tuple[Entry, ...]
    stale: tuple[Entry, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing is open."""
        return not self.findings and not self.unproven


def read_approved(path: Path | None, today: Day | None = None) -> tuple[Entry, ...]:
    """The entries of a list; none where there is no list.

    Args:
        path: The file.
        today: The day that entries may not be dated after. Default: today, in UTC.

    Raises:
        ConfigurationError: It cannot be read, or an entry is not what it must be; each is named.
    """
    if path is None:
        return ()
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _unusable(path, str(error)) from error
    try:
        entries = _File(**values).accepted
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
        raise _unusable(path, "; ".join(wrong)) from error
    day = today or _today()
    wrong = [f"{entry.id}: {entry.date} is yet to come" for entry in entries if entry.date > day]
    counted = Counter(entry.id for entry in entries)
    wrong += [f"{name}: {number} times" for name, number in counted.items() if number > 1]
    if wrong:
        raise _unusable(path, "; ".join(wrong))
    return tuple(entries)


def judge(
    findings: Iterable[Finding],
    unproven: Iterable[Unproven],
    entries: Iterable[Entry],
    today: Day | None = None,
) -> Verdict:
    """Lay the list over what was found.

    Args:
        findings: The findings of every plane.
        unproven: What is unproven, likewise: an entry that names none of them is stale.
        entries: The list.
        today: The day that counts. Default: today, in UTC.
    """
    day = today or _today()
    findings, unproven, entries = tuple(findings), tuple(unproven), tuple(entries)
    expired = tuple(entry for entry in entries if entry.expires < day)
    valid = {entry.id: entry for entry in entries if entry.expires >= day}
    everything: tuple[Finding | Unproven, ...] = (*findings, *unproven)
    found = {item.id for item in everything}
    return Verdict(
        findings=tuple(item for item in findings if item.id not in valid),
        unproven=tuple(item for item in unproven if item.id not in valid),
        accepted=tuple((valid[item.id], item) for item in everything if item.id in valid),
        expired=expired,
        stale=tuple(entry for entry in entries if entry.id not in found),
    )


def _unusable(path: Path, found: str) -> ConfigurationError:
    return ConfigurationError(
        f"the approved list {path} is not usable",
        found=found,
        expected="[[accepted]] entries with id, reason, date and expires, each id as the audit"
        " prints it",
        remedy="mend the entries named above; nothing was accepted",
    )


def _today() -> Day:
    return datetime.now(tz=UTC).date()
