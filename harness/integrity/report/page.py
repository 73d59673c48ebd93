"""The report for a security reviewer: one page that stands alone, on a screen and on paper."""

from __future__ import annotations

from importlib import resources
from itertools import groupby
from string import Template
from typing import TYPE_CHECKING

from harness.integrity.groups import GROUPS
from harness.integrity.report.cells import (
    Cell,
    Markup,
    chain,
    code,
    listed,
    marked,
    row,
    several,
    shown,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cluster.trespass import Write
    from harness.integrity.finding import Guarantee
    from harness.integrity.report.model import Attempt, Report

_TITLE = "Prod integrity"


def as_page(report: Report) -> str:
    """The report as one HTML page, without script and without anything from elsewhere."""
    sections = [(title, body) for title, body in _sections(report) if body]
    page = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    return Template(page).substitute(
        title=shown(_TITLE),
        verdict=report.verdict,
        headline=shown(f"{report.verdict.capitalize()}: {report.summary}"),
        facts="\n".join(f"<dt>{shown(k)}</dt><dd>{shown(v)}</dd>" for k, v in _facts(report)),
        contents="\n".join(
            f'<li><a href="#{_anchor(title)}">{shown(title)}</a></li>' for title, _ in sections
        ),
        sections="\n".join(
            f'<section aria-labelledby="{_anchor(title)}">\n'
            f'<h2 id="{_anchor(title)}">{shown(title)}</h2>\n{body}\n</section>'
            for title, body in sections
        ),
    )


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _facts(report: Report) -> Iterator[tuple[str, Cell]]:
    target = report.target
    yield "Prod", target.prod
    yield "Sandbox", target.sandbox
    yield "Server", f"PostgreSQL {target.server_version}"
    yield "Databases looked into", ", ".join(target.databases)
    yield "Made", report.made
    yield "Took", ", ".join(f"{part} {seconds:.1f} s" for part, seconds in report.seconds.items())


def _sections(report: Report) -> Iterator[tuple[str, str]]:
    yield "Guarantees", _guarantees(report)
    yield "Findings", _findings(report)
    yield "Unproven", _unproven(report)
    yield "Approved", _approved(report)
    yield "Scenarios", _scenarios(report) if report.scenarios else ""
    yield "Identities", _identities(report)
    yield "Attempts", _attempts(report)
    yield "Kubernetes", _cluster(report)
    yield "Availability", _availability(report)
    yield "Not looked at", listed(report.not_looked_at)


def _guarantees(report: Report) -> str:
    rows = (row(each.title, _held(each), each.proof, each.evidence) for each in report.guarantees)
    head = ("Guarantee", "Verdict", "How it is proven", "Evidence, or why it is not provable")
    return table("What is guaranteed, and how far it is proven here", head, rows)


def _held(guarantee: Guarantee) -> Markup:
    if guarantee.holds:
        return marked("holds", "holds")
    if guarantee.proof == "not provable here":
        return marked("unproven", "not proven")
    return marked("fails", "broken")


def _findings(report: Report) -> str:
    rows = (
        row(several(each.what, code(each.id)), _group(each.group), chain(each.chain),
            code(each.closes))
        for each in report.findings
    )  # fmt: skip
    head = ("What could be done", "Group", "The way there", "What closes it")
    return table("Paths to prod that are open and not approved", head, rows)


def _unproven(report: Report) -> str:
    rows = (
        row(several(each.what, code(each.id)), _group(each.group), each.why)
        for each in report.unproven
    )
    head = ("What should be proven", "Group", "Why it is not provable here")
    return table("What could not be proven here and is not approved", head, rows)


def _group(number: int) -> str:
    return f"{number}, {GROUPS[number]}"


def _approved(report: Report) -> str:
    rows = (
        row(several(each.what, code(each.id)), each.reason, each.approved, each.expires)
        for each in report.approvals
    )
    head = ("What was found, or not proven", "Reason", "Approved", "Expires")
    return table("What somebody has accepted, and until when", head, rows)


def _scenarios(report: Report) -> str:
    rows = (row(each.name, each.outcome, each.proof or "none") for each in report.scenarios)
    return table("The scenarios of the gate", ("Scenario", "Outcome", "How it is proven"), rows)


def _identities(report: Report) -> str:
    rows = (row(code(each.name), each.plane, each.what) for each in report.identities)
    return table("Whose reach was looked at", ("Identity", "Plane", "What it is"), rows)


def _attempts(report: Report) -> str:
    if report.attempts is None:
        return "<p>No attempts were made: only the catalogues were asked.</p>"

    head = ("Attempt", "As", "Expected", "Got", "Verdict", "Statement")
    made = sorted(report.attempts.made, key=lambda each: (each.group, each.name, each.identity))
    tables = [
        table(f"Group {group}: {GROUPS[group]}", head, map(_attempt, attempts))
        for group, attempts in groupby(made, key=lambda each: each.group)
    ]
    return "\n".join([f"<p>{shown(report.attempts.twin)}</p>", *tables])


def _attempt(each: Attempt) -> tuple[Cell, ...]:
    verdict = marked("holds", "as expected") if each.holds else marked("fails", "NOT as expected")
    statement = code(each.statement)
    return row(each.name, code(each.identity), each.expected, each.got, verdict, statement)


def _cluster(report: Report) -> str:
    plane = report.cluster
    if plane is None:
        return "<p>No cluster is configured: this plane was not looked at.</p>"
    asked = (
        f"{plane.questions} access reviews of {plane.user}, and its rules, in"
        f" {', '.join(plane.namespaces)} and in the whole cluster."
    )
    rows = (row(each.name, each.harm, _outcome(each), each.told) for each in plane.writes)
    caption = "Writes on the sandbox's Application that must be denied, rehearsed with dryRun=All"
    head = ("It would change", "Harm", "Outcome", "What the API server said")
    return f"<p>{shown(asked)}</p>\n{table(caption, head, rows)}"


def _outcome(write: Write) -> Markup:
    return marked("holds" if write.prevented else "unproven", write.outcome)


def _availability(report: Report) -> str:
    bounds = (
        row(each.what, each.bound, each.holds_because or marked("unproven", "nothing does"))
        for each in report.bounds
    )
    recommended = (
        row(each.name, each.found, each.recommended, code(each.statement), each.why)
        for each in report.recommendations
    )
    head = ("What", "Now", "Recommended", "Statement", "Why, and how far it holds")
    return "\n".join(
        [
            table(
                "How much of what prod needs as well the sandbox could take",
                ("What", "At most", "What keeps it there"),
                bounds,
            ),
            table("Recommendations; they fail nothing", head, recommended),
        ]
    )
