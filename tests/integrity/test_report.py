"""Reports: complete, readable, and no name in them is taken for anything but a name."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from typing import Literal

import pytest

from harness.cluster.trespass import Write
from harness.integrity.attacks.attempts import Attempt
from harness.integrity.attempted import Attempts
from harness.integrity.cluster_plane import ClusterPlane
from harness.integrity.finding import Finding, Guarantee, Unproven
from harness.integrity.reach.limits import Bound, Recommendation
from harness.integrity.report.model import (
    Approval,
    Identity,
    Report,
    Scenario,
    Target,
)
from harness.integrity.report.page import as_page
from harness.integrity.report.plain import as_json
from harness.integrity.report.text import as_text

HOSTILE = '<script>alert("1")</script>\x1b[31m\u202e&\'"'
SHOWN_IN_PAGE = "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;␛[31m⟨U+202E⟩&amp;&#x27;"
SHOWN_IN_TEXT = '<script>alert("1")</script>␛[31m⟨U+202E⟩&\'"'


def attempt(
    name: str,
    group: int,
    statement: str,
    expected: str,
    got: str,
    verdict: Literal["holds", "open", "no limit stated"] = "holds",
    who: str = "v-sbx-abc",
) -> Attempt:
    return Attempt(name, group, who, who, statement, expected, got, verdict, "closes")


FINDING = Finding(
    id="postgresql/2/v-sbx-abc/owner of erp",
    plane="postgresql",
    group=2,
    what="v-sbx-abc could drop prod",
    chain=("v-sbx-abc", "member of ops", "owner of erp"),
    closes="REVOKE ops FROM sbx;",
)
UNPROVEN = Unproven(
    id="kubernetes/15/admission policy",
    plane="kubernetes",
    group=15,
    what="that the harness may change nothing but the pause",
    why="none is enforced",
)
GREEN = Report(
    made="2026-11-24T12:00:00Z",
    target=Target("v-erp@db:5432/erp", "v-sbx@db:5432/erp-sandbox", "18.6", ("erp", "erp-sandbox")),
    guarantees=(
        Guarantee(
            "prod cannot be dropped", "proven by attempt on a twin", "9 attempts", holds=True
        ),
        Guarantee(
            "admission policy",
            "not provable here",
            "none is enforced",
            holds=False,
            against=("kubernetes/15/admission policy",),
        ),
    ),
    findings=(),
    unproven=(),
    approvals=(
        Approval(
            UNPROVEN.id, "kubernetes", 15, UNPROVEN.what, "a stand-in", "2026-11-01", "2027-11-01"
        ),
    ),
    expired=(),
    stale=(),
    identities=(Identity("postgresql", "v-sbx-abc", "leased login of the sandbox"),),
    attempts=Attempts(
        "a twin of PostgreSQL 18.6",
        (
            attempt("drop prod", 1, "DROP DATABASE erp", "42501", "42501"),
            attempt("drop prod", 1, "DROP DATABASE erp", "42501", "42501", who="any login"),
            attempt("fill slots", 14, "-", "bounded effect", "all", "no limit stated"),
        ),
    ),
    bounds=(Bound("connection slots", "97 of 97", None),),
    recommendations=(
        Recommendation("lock_timeout", "none", "10s", "ALTER DATABASE x SET y = '10s';", "so"),
    ),
    cluster=ClusterPlane(
        user="system:serviceaccount:erp-sandbox:sandbox-lifecycle",
        namespaces=("erp", "argocd"),
        questions=760,
        writes=(Write("source", "it deploys from another place", "accepted", "it would"),),
        rights=(),
        changes=(),
        incomplete=(),
        unenforced=(),
    ),
    not_looked_at=("pg_hba.conf",),
    seconds={"catalogues": 0.5, "twin": 3.0},
    scenarios=(Scenario("Prod cannot be dropped", "passed", "proven by attempt on a twin"),),
)
RED = replace(
    GREEN,
    guarantees=(Guarantee("prod cannot be dropped", "proven by catalogue", "1 path", holds=False),),
    findings=(FINDING,),
    unproven=(UNPROVEN,),
    approvals=(),
    attempts=None,
    cluster=None,
    scenarios=(),
)
EVIL = replace(
    GREEN,
    target=Target(HOSTILE, HOSTILE, HOSTILE, (HOSTILE,)),
    guarantees=(Guarantee(HOSTILE, "proven by catalogue", HOSTILE, holds=True),),
    findings=(Finding(HOSTILE, "postgresql", 1, HOSTILE, (HOSTILE, HOSTILE), HOSTILE),),
    unproven=(Unproven(HOSTILE, "postgresql", 1, HOSTILE, HOSTILE),),
    approvals=(Approval(HOSTILE, "postgresql", 1, HOSTILE, HOSTILE, "2026-11-01", "2027-11-01"),),
    expired=(HOSTILE,),
    stale=(HOSTILE,),
    identities=(Identity("postgresql", HOSTILE, HOSTILE),),
    attempts=Attempts(
        HOSTILE, (attempt(HOSTILE, 1, HOSTILE, HOSTILE, HOSTILE, "open", who=HOSTILE),)
    ),
    bounds=(Bound(HOSTILE, HOSTILE, HOSTILE),),
    recommendations=(Recommendation(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
    cluster=ClusterPlane(
        HOSTILE, (HOSTILE,), 1, (Write(HOSTILE, HOSTILE, "accepted", HOSTILE),), (), (), (), ()
    ),
    not_looked_at=(HOSTILE,),
    scenarios=(Scenario(HOSTILE, HOSTILE, HOSTILE),),
)
REPORTS = pytest.mark.parametrize("report", [GREEN, RED, EVIL], ids=["green", "red", "evil"])


class Page(HTMLParser):
    """Reads a page strictly: every element that opens must close, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@REPORTS
def test_the_page_is_whole_and_stands_alone(report: Report) -> None:
    page = Page(as_page(report))
    names = {name for name, _ in page.elements}
    assert names.isdisjoint({"script", "link", "img", "iframe", "object", "form", "base"})
    for _, attributes in page.elements:
        assert "src" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")
    style = as_page(report).partition("<style>")[2].partition("</style>")[0]
    allowed = b64encode(sha256(style.encode()).digest()).decode()
    (policy,) = (each["content"] for each in page.of("meta") if "http-equiv" in each)
    assert policy is not None
    assert policy.endswith(f"style-src 'sha256-{allowed}'")
    assert "url(" not in as_page(report)
    assert "@import" not in as_page(report)


@REPORTS
def test_the_page_can_be_read_aloud(report: Report) -> None:
    page = Page(as_page(report))
    assert page.of("html") == [{"lang": "en"}]
    assert len(page.of("h1")) == 1
    assert len(page.of("main")) == 1
    assert len(page.of("caption")) == len(page.of("table")) > 3
    assert {attributes.get("scope") for attributes in page.of("th")} == {"col", "row"}
    anchors = {attributes["id"] for attributes in page.of("h2")}
    links = {(attributes["href"] or "").removeprefix("#") for attributes in page.of("a")}
    assert links == anchors
    assert {attributes["aria-labelledby"] for attributes in page.of("section")} == anchors


def test_the_page_says_all_in_words_and_on_paper_too() -> None:
    page = as_page(RED)
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
    for said in (
        "Red: 0 of 1 guarantees hold, 1 finding, 1 unproven, 0 approved",
        "broken",
        "member of ops",
        "REVOKE ops FROM sbx;",
        "2, memberships",
        "none is enforced",
        "No attempts were made",
        "No cluster is configured",
        "pg_hba.conf",
        "nothing does",
    ):
        assert said in page
    green = as_page(GREEN)
    for said in (
        "not proven",
        "a stand-in",
        "2027-11-01",
        "Group 14: availability",
        "DROP DATABASE",
        "760 access reviews",
        "as expected",
        "accepted",
        "no limit stated",
    ):
        assert said in green
    # Who made the same attempt with the same end stands in one row.
    assert green.count("DROP DATABASE erp") == 1


def test_every_hostile_name_is_shown_and_none_is_obeyed() -> None:
    page, text = as_page(EVIL), as_text(EVIL)
    assert "<script" not in page
    assert page.count(SHOWN_IN_PAGE) > 25
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e]", page + text)
    assert text.count(SHOWN_IN_TEXT) > 15
    told = json.loads(as_json(EVIL))
    assert told["findings"][0]["id"] == HOSTILE
    assert "\x1b" not in as_json(EVIL)


def test_the_json_has_a_form_that_stays() -> None:
    told = json.loads(as_json(RED))
    assert told["schema"] == "sandbox-lifecycle/audit/1"
    assert (told["verdict"], told["attempts"], told["cluster"]) == ("red", None, None)
    assert list(told) == [
        "schema",
        "verdict",
        "summary",
        "made",
        "target",
        "guarantees",
        "findings",
        "unproven",
        "approvals",
        "expired",
        "stale",
        "identities",
        "attempts",
        "bounds",
        "recommendations",
        "cluster",
        "not_looked_at",
        "seconds",
        "scenarios",
        "vault",
    ]
    assert told["findings"] == [
        {
            "id": "postgresql/2/v-sbx-abc/owner of erp",
            "plane": "postgresql",
            "group": 2,
            "what": "v-sbx-abc could drop prod",
            "chain": ["v-sbx-abc", "member of ops", "owner of erp"],
            "closes": "REVOKE ops FROM sbx;",
        }
    ]
    assert json.loads(as_json(GREEN))["attempts"]["made"][0] == {
        "name": "drop prod",
        "group": 1,
        "identity": "v-sbx-abc",
        "login": "v-sbx-abc",
        "statement": "DROP DATABASE erp",
        "expected": "42501",
        "got": "42501",
        "verdict": "holds",
        "closes": "closes",
    }


def test_the_text_tells_what_is_wrong_in_full_and_what_is_right_in_numbers() -> None:
    red, green = as_text(RED), as_text(GREEN)
    assert red.startswith("audit      red: 0 of 1 guarantees hold")
    assert "broken          prod cannot be dropped" in red
    assert "chain: v-sbx-abc → member of ops → owner of erp" in red
    assert "closes it: REVOKE ops FROM sbx;" in red
    assert "not provable here: none is enforced" in red
    assert green.startswith("audit      green: 1 of 2 guarantees hold")
    assert " 1  ownership: 2 made, 0 not as expected" in green
    assert "DROP DATABASE" not in green
    assert "a stand-in (approved 2026-11-01, until 2027-11-01)" in green


def test_an_attempt_that_succeeds_is_told_with_its_statement() -> None:
    bad = attempt("drop prod", 1, "DROP DATABASE erp", "42501", "done", "open")
    text = as_text(replace(GREEN, attempts=Attempts("a twin", (bad,))))
    assert "1 attempt on a twin, 1 not as expected" in text
    assert "drop prod as v-sbx-abc: expected 42501, got done" in text
    assert "DROP DATABASE erp" in text


def test_what_is_to_be_typed_is_not_broken() -> None:
    long = "REVOKE " + ", ".join(f"role_{number}" for number in range(40)) + " FROM sbx;"
    text = as_text(replace(RED, findings=(replace(FINDING, closes=long),)))
    assert f"closes it: {long}\n" in text


def test_approvals_that_hold_no_longer_or_name_nothing_are_told() -> None:
    report = replace(RED, expired=("postgresql/5/old",), stale=("postgresql/6/gone",))
    for told in (as_text(report), as_page(report)):
        assert "postgresql/5/old" in told
        assert "postgresql/6/gone" in told
    assert "expired: postgresql/5/old" in as_text(report)
    assert "no longer needed: postgresql/6/gone" in as_text(report)


def test_a_finding_or_something_unproven_makes_it_red() -> None:
    assert GREEN.is_green
    assert not replace(GREEN, findings=(FINDING,)).is_green
    assert not replace(GREEN, unproven=(UNPROVEN,)).is_green
