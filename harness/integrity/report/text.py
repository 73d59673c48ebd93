"""The report for a terminal: what is wrong in full, and what is right in numbers."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING

from harness.integrity.groups import GROUPS
from harness.reports.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.integrity.attempted import Attempts
    from harness.integrity.report.model import Report

_WIDTH = 100
_TYPED = "  closes it: "
"""What somebody will copy: left in one line."""


def as_text(report: Report) -> str:
    """The report as lines."""
    return "\n".join(map(visible, _lines(report))) + "\n"


def _lines(report: Report) -> Iterator[str]:
    target = report.target
    yield f"audit      {report.verdict}: {report.summary}"
    yield f"prod       {target.prod}"
    yield f"sandbox    {target.sandbox}"
    yield f"server     PostgreSQL {target.server_version}"
    yield f"made       {report.made}, in {sum(report.seconds.values()):.1f} s"
    yield from _headed("guarantees", _guarantees(report))
    yield from _headed("findings", _findings(report))
    yield from _headed("unproven", _unproven(report))
    yield from _headed("approved", _approvals(report))
    yield from _headed("scenarios", _scenarios(report))
    if report.attempts is not None:
        yield from _headed("attempts on a twin", _attempts(report.attempts))
    yield from _headed("rehearsed on the sandbox's Application", _writes(report))
    yield from _headed("availability", _availability(report))
    yield from _headed("not looked at", (f"- {each}" for each in report.not_looked_at))


def _headed(title: str, lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield ""
        yield title
        for line in map(visible, found):
            if line.startswith(_TYPED):
                yield f"  {line}"
                continue
            yield from textwrap.wrap(
                line,
                _WIDTH,
                initial_indent="  ",
                subsequent_indent="      ",
                break_long_words=False,
                break_on_hyphens=False,
            )


def _guarantees(report: Report) -> Iterator[str]:
    for each in report.guarantees:
        yield f"{each.verdict:14}  {each.title}: {each.proof}: {each.evidence}"


def _findings(report: Report) -> Iterator[str]:
    for each in report.findings:
        yield f"{each.id}"
        yield f"  {each.what}"
        yield f"  chain: {' → '.join(each.chain)}"
        yield f"{_TYPED}{each.closes}"


def _unproven(report: Report) -> Iterator[str]:
    for each in report.unproven:
        yield f"{each.id}"
        yield f"  {each.what}"
        yield f"  not provable here: {each.why}"


def _approvals(report: Report) -> Iterator[str]:
    for each in report.approvals:
        yield f"{each.id}"
        yield f"  {each.reason} (approved {each.approved}, until {each.expires})"
    for name in report.expired:
        yield f"expired: {name}"
    for name in report.stale:
        yield f"no longer needed: {name}"


def _scenarios(report: Report) -> Iterator[str]:
    for each in report.scenarios:
        yield f"{each.outcome}  {each.name}{f': {each.proof}' if each.proof else ''}"


def _attempts(attempts: Attempts) -> Iterator[str]:
    yield attempts.twin
    made = Counter(each.group for each in attempts.made)
    bad = Counter(each.group for each in attempts.successes)
    for group in sorted(made):
        yield f"{group:>2}  {GROUPS[group]}: {made[group]} made, {bad[group]} not as expected"
    for each in attempts.successes:
        yield f"{each.name} as {each.identity}: expected {each.expected}, got {each.got}"
        yield f"  {each.statement}"


def _writes(report: Report) -> Iterator[str]:
    for each in report.cluster.writes if report.cluster else ():
        yield f"{each.outcome}  {each.name}: {each.harm}"


def _availability(report: Report) -> Iterator[str]:
    for bound in report.bounds:
        yield f"{bound.what}: {bound.bound} ({bound.holds_because or 'nothing keeps it there'})"
    for each in report.recommendations:
        yield f"recommended: {each.name} {each.recommended} (now {each.found}): {each.statement}"
