"""The report for a security reviewer: one page that stands alone, on a screen and on paper."""

from __future__ import annotations

from importlib import resources
from itertools import groupby
from typing import TYPE_CHECKING

from harness.integrity.groups import GROUPS
from harness.integrity.report.cells import below, chain, code, listed, marked, shown, table
from harness.reports.html import Html, element, joined, page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.cluster.trespass import Write
    from harness.integrity.attacks.attempts import Attempt
    from harness.integrity.finding import Guarantee
    from harness.integrity.report.model import Report

_TITLE = "Prod integrity"
_STYLE = resources.files(__package__).joinpath("page.css").read_text(encoding="utf-8")
_HEAD_OF_ATTEMPTS = ("Attempt", "As", "Expected", "Got", "Verdict", "Statement")
_VERDICTS = {
    "holds": ("holds", "as expected"),
    "open": ("fails", "NOT as expected"),
    "no limit stated": ("unproven", "no limit stated"),
}


def as_page(report: Report) -> str:
    """The report as one HTML page, without script and without anything from elsewhere."""
    sections = [(title, body) for title, body in _sections(report) if body]
    return page(
        f"{_TITLE}: {report.verdict}",
        _STYLE,
        element("header", *_header(report, [title for title, _ in sections])),
        element("main", *(_section(title, content) for title, content in sections)),
    )


def _header(report: Report, sections: list[str]) -> Iterator[Html]:
    yield element("h1", _TITLE)
    headline = f"{report.verdict.capitalize()}: {report.summary}"
    yield element("p", headline, class_=f"verdict {report.verdict}")
    facts = (
        joined((element("dt", name), element("dd", shown(fact)))) for name, fact in _facts(report)
    )
    yield element("dl", *facts)
    links = (element("li", element("a", title, href=f"#{_anchor(title)}")) for title in sections)
    yield element("nav", element("ul", *links), aria_label="Contents")


def _section(title: str, content: Html) -> Html:
    heading = element("h2", title, id=_anchor(title))
    return element("section", heading, content, aria_labelledby=_anchor(title))


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    target = report.target
    yield "Prod", target.prod
    yield "Sandbox", target.sandbox
    yield "Server", f"PostgreSQL {target.server_version}"
    yield "Databases looked into", ", ".join(target.databases)
    yield "Made", report.made
    yield "Took", ", ".join(f"{part} {seconds:.1f} s" for part, seconds in report.seconds.items())


def _sections(report: Report) -> Iterator[tuple[str, Html]]:
    yield "Guarantees", _guarantees(report)
    yield "Findings", _findings(report)
    yield "Unproven", _unproven(report)
    yield "Approved", _approved(report)
    yield "Scenarios", _scenarios(report) if report.scenarios else Html()
    yield "Identities", _identities(report)
    yield "Attempts", _attempts(report)
    yield "Kubernetes", _cluster(report)
    yield "Vault", _vault(report)
    yield "Availability", _availability(report)
    yield "Not looked at", listed(report.not_looked_at)


def _guarantees(report: Report) -> Html:
    rows = ((each.title, _held(each), each.proof, each.evidence) for each in report.guarantees)
    head = ("Guarantee", "Verdict", "How it is proven", "Evidence, or why it is not provable")
    return table("What is guaranteed, and how far it is proven here", head, rows)


def _held(guarantee: Guarantee) -> Html:
    kinds = {
        "holds": "holds",
        "not proven": "unproven",
        "not applicable": "unproven",
        "broken": "fails",
    }
    return marked(kinds[guarantee.verdict], guarantee.verdict)


def _findings(report: Report) -> Html:
    rows = (
        (below(each.what, code(each.id)), _group(each.group), chain(each.chain),
            code(each.closes))
        for each in report.findings
    )  # fmt: skip
    head = ("What could be done", "Group", "The way there", "What closes it")
    return table("Paths to prod that are open and not approved", head, rows)


def _unproven(report: Report) -> Html:
    rows = (
        (below(each.what, code(each.id)), _group(each.group), each.why) for each in report.unproven
    )
    head = ("What should be proven", "Group", "Why it is not provable here")
    return table("What could not be proven here and is not approved", head, rows)


def _group(number: int) -> str:
    return f"{number}, {GROUPS[number]}"


def _approved(report: Report) -> Html:
    rows = (
        (below(each.what, code(each.id)), each.reason, each.approved, each.expires)
        for each in report.approvals
    )
    head = ("What was found, or not proven", "Reason", "Approved", "Expires")
    lists = (
        ("Expired: what they named is open", report.expired),
        ("No longer needed: they name nothing that was found", report.stale),
    )
    return joined(
        (
            table("What somebody has accepted, and until when", head, rows),
            *(
                joined((element("h3", title), listed(map(code, names))))
                for title, names in lists
                if names
            ),
        )
    )


def _scenarios(report: Report) -> Html:
    rows = ((each.name, each.outcome, each.proof or "none") for each in report.scenarios)
    return table("The scenarios of the gate", ("Scenario", "Outcome", "How it is proven"), rows)


def _identities(report: Report) -> Html:
    rows = ((code(each.name), each.plane, each.what) for each in report.identities)
    return table("Whose reach was looked at", ("Identity", "Plane", "What it is"), rows)


def _attempts(report: Report) -> Html:
    if report.attempts is None:
        return element("p", "No attempts were made: only the catalogues were asked.")
    tables = (
        table(f"Group {group}: {GROUPS[group]}", _HEAD_OF_ATTEMPTS, map(_attempt, same))
        for group, same in groupby(_alike(report.attempts.made), key=lambda each: each[0].group)
    )
    return joined((element("p", shown(report.attempts.twin)), *tables))


def _alike(made: Iterable[Attempt]) -> list[list[Attempt]]:
    """The attempts by group and name; those that ended alike, whoever made them, are one."""
    found: dict[tuple[str, ...], list[Attempt]] = {}
    for each in made:
        alike = (each.name, each.statement, each.expected, each.got, each.verdict)
        found.setdefault(alike, []).append(each)
    return sorted(found.values(), key=lambda same: (same[0].group, same[0].name))


def _attempt(same: list[Attempt]) -> tuple[str, ...]:
    first = same[0]
    kind, word = _VERDICTS[first.verdict]
    identities = below(*(each.identity for each in same))
    verdict = marked(kind, word)
    return first.name, identities, first.expected, first.got, verdict, code(first.statement)


def _cluster(report: Report) -> Html:
    plane = report.cluster
    if plane is None:
        return element("p", "No cluster is configured: this plane was not looked at.")
    asked = (
        f"{plane.questions} access reviews of {plane.user}, and its rules, in"
        f" {', '.join(plane.namespaces)} and in the whole cluster."
    )
    rows = ((each.name, each.harm, _outcome(each), each.told) for each in plane.writes)
    caption = "Writes on the sandbox's Application that must be denied, rehearsed with dryRun=All"
    head = ("It would change", "Harm", "Outcome", "What the API server said")
    return joined((element("p", shown(asked)), table(caption, head, rows)))


def _vault(report: Report) -> Html:
    plane = report.vault
    if plane is None:
        return element("p", "No Vault is configured: this plane was not looked at.")
    asked = f"{plane.address} was asked what {', '.join(plane.policies)} would allow on each of:"
    return joined((element("p", shown(asked)), listed(map(code, plane.paths))))


def _outcome(write: Write) -> Html:
    return marked("holds" if write.prevented else "unproven", write.outcome)


def _availability(report: Report) -> Html:
    bounds = (
        (each.what, each.bound, each.holds_because or marked("unproven", "nothing does"))
        for each in report.bounds
    )
    recommended = (
        (each.name, each.found, each.recommended, code(each.statement), each.why)
        for each in report.recommendations
    )
    head = ("What", "Now", "Recommended", "Statement", "Why, and how far it holds")
    caption = "How much of what prod needs as well the sandbox could take"
    return joined(
        (
            table(caption, ("What", "At most", "What keeps it there"), bounds),
            table("Recommendations; they fail nothing", head, recommended),
        )
    )
