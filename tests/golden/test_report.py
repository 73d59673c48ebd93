"""What a rehearsal changed, told: everything is in it, and no content acts on its reader."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ConfigurationError
from harness.golden.changes import Changes, RowChange, SequenceChange, TableChanges
from harness.golden.report import rendered
from harness.golden.report.text import lines, summary
from harness.golden.report.words import shown
from harness.reports.form import Form
from harness.reports.visible import visible
from tests.golden.made_up import HOSTILE, SALE, deleted, inserted, table, updated

# What PostgreSQL can store, and not only what people type.
_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
_values = st.none() | _texts | st.sampled_from(HOSTILE)
_rows = st.builds(
    RowChange,
    kind=st.sampled_from(["inserted", "updated", "deleted"]),
    key=st.dictionaries(_texts, _values, max_size=2),
    before=st.dictionaries(_texts, _values, max_size=3),
    after=st.dictionaries(_texts, _values, max_size=3),
)
_tables = st.builds(
    TableChanges,
    table=_texts,
    inserted=st.integers(3, 10**9),
    updated=st.integers(0, 10**9),
    deleted=st.integers(0, 10**9),
    rows=st.lists(_rows, max_size=3).map(tuple),
)
_positions = st.none() | st.tuples(st.integers(-(2**63), 2**63 - 1), st.booleans())
_changes = st.builds(
    Changes,
    generation=_texts,
    tables=st.lists(_tables, max_size=3).map(tuple),
    sequences=st.lists(
        st.builds(SequenceChange, sequence=_texts, before=_positions, after=_positions), max_size=2
    ).map(tuple),
    objects=st.lists(_texts, max_size=2).map(tuple),
    uncounted=st.dictionaries(_texts, _texts, max_size=2),
    listed=st.integers(0, 1000),
)


def page_of(changes: Changes) -> ET.Element:
    """The page, read by a parser that takes no unclosed, misplaced or unknown thing."""
    return ET.fromstring(rendered(changes, Form.html))  # noqa: S314  made here


def words_of(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def read_back(text: str) -> Changes:
    """The changes that a program finds in the JSON."""
    told = json.loads(text)

    def position(at: dict[str, Any] | None) -> tuple[int, bool] | None:
        return None if at is None else (at["last_value"], at["is_called"])

    return Changes(
        generation=told["generation"],
        tables=tuple(
            TableChanges(**{**item, "rows": tuple(RowChange(**row) for row in item["rows"])})
            for item in told["tables"]
        ),
        sequences=tuple(
            SequenceChange(item["sequence"], position(item["before"]), position(item["after"]))
            for item in told["sequences"]
        ),
        objects=tuple(told["objects"]),
        uncounted=told["uncounted"],
        listed=told["listed"],
    )


def test_on_a_terminal_a_change_reads_as_what_became_of_it() -> None:
    first, _, rest = rendered(SALE, Form.text).partition("\n\n")
    assert first == (
        "since golden copy 20260102T030405.000006Z-0123abcd:"
        " 2 tables: 1,202 inserted, 1 updated, 1 deleted;"
        " 2 sequences moved; 1 object changed; 1 table not compared"
    )
    assert (
        rest
        == """\
llx_facture  1,201 inserted, 1 updated, 1 deleted
  ~ rowid 12
      paye  0 → 1
      note  (null) → late
  + rowid 13
      ref  FA2601-0001
      and 2 columns with (null)
  - rowid 7
      ref  FA2512-0002
  and 1,200 more rows

llx_société  1 inserted
  + rowid 5
      nom  Rehearsal Ltd

sequences
  llx_facture_rowid_seq  12 → 13
  llx_new_seq            not there → 1 (not called)

objects
  index idx_facture: expected CREATE INDEX, found missing

not compared
  llx_odd: its columns are others now
"""
    )


def test_nothing_is_told_as_nothing() -> None:
    nothing = Changes("20260102T030405.000006Z-0123abcd")
    assert rendered(nothing, Form.text).endswith(": nothing changed\n")
    assert "nothing changed" in words_of(page_of(nothing))
    told = json.loads(rendered(nothing, Form.json))
    assert (told["nothing"], told["totals"]["inserted"]) == (True, 0)


def test_a_summary_has_one_line_a_table() -> None:
    assert summary(SALE)[1:] == [
        ("  llx_facture", "1,201 inserted, 1 updated, 1 deleted"),
        ("  llx_société", "1 inserted"),
    ]


def test_a_row_of_a_table_without_a_key_is_told_once() -> None:
    values: dict[str, str | None] = {"fk_user": "1", "param": "MAIN_NOTE", "value": None}
    row = RowChange("inserted", values, {}, values)
    told = rendered(Changes("g", (table("llx_user_param", row),), listed=1), Form.text)
    assert (
        "  + a row\n      fk_user  1\n      param    MAIN_NOTE\n      and 1 column with (null)\n"
        in told
    )


def test_a_long_value_is_cut_to_where_it_changed_and_says_how_long_it_is() -> None:
    before, after = "x" * 30_000 + "old" + "y" * 30_000, "x" * 30_000 + "new" + "y" * 30_000
    told = [
        line.text
        for line in lines(
            Changes("g", (table("t", updated("1", {"note": before}, {"note": after})),), listed=1)
        )
    ]
    (line,) = [text for text in told if "note" in text]
    assert re.fullmatch(
        r" +note  …x{20}oldy+… \(60,003 characters\) → …x{20}newy+… \(60,003 characters\)", line
    )


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "(null)"),
        ("(null)", '"(null)"'),
        ("", '""'),
        (" a", '" a"'),
        ("a\nb\t\x1b[1m", "a␊b␉␛[1m"),
        ("a\x85\u202eb", "a⟨U+0085⟩⟨U+202E⟩b"),
        ("é 🧾 שלום", "é 🧾 שלום"),
        ("abcdefghijkl", "abcdefghij… (12 characters)"),
    ],
)
def test_a_value_is_told_so_that_it_is_taken_for_no_other(value: str | None, told: str) -> None:
    assert shown(value, width=10) == told


@given(_changes)
def test_json_holds_everything_in_ascii(changes: Changes) -> None:
    text = rendered(changes, Form.json)
    assert text.isascii()
    assert read_back(text) == changes


@given(_changes)
def test_no_content_breaks_out_of_the_page(changes: Changes) -> None:
    page = page_of(changes)
    names = {element.tag for element in page.iter()}
    assert names.isdisjoint({"script", "img", "link", "iframe", "object", "base", "form"})
    attributes = {name for element in page.iter() for name in element.attrib}
    assert attributes <= {
        "aria-label", "charset", "class", "content", "href", "http-equiv", "id", "lang", "name",
        "scope",
    }  # fmt: skip
    ids = [element.get("id") for element in page.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    links = [element.get("href", "") for element in page.iter("a")]
    assert [link for link in links if link.removeprefix("#") not in ids] == []


@given(_changes)
def test_no_content_acts_on_a_terminal(changes: Changes) -> None:
    for line in lines(changes):
        assert visible(line.text) == line.text
        assert "\x1b" not in line.text


def test_the_page_says_what_every_other_form_says() -> None:
    page = page_of(SALE)
    headings = [words_of(heading) for heading in page.iter("h2")]
    assert headings == [
        "llx_facture", "llx_société", "2 sequences moved", "1 object changed",
        "1 table not compared",
    ]  # fmt: skip
    contents = [words_of(row) for row in page.find(".//nav").iter("tr")]  # type: ignore[union-attr]
    assert contents == [
        "tableinsertedupdateddeleted",
        "llx_facture1,20111",
        "llx_société100",
    ]
    rows = [words_of(row) for row in page.iter("tr")]
    assert "paye01" in rows
    assert "note(null)late" in rows
    assert "(null)note_public, ref_ext" in rows
    assert "llx_new_seqnot there1 (not called)" in rows
    assert "and 1,200 more rows" in words_of(page)


def test_old_and_new_are_told_apart_without_colour() -> None:
    row = page_of(SALE).find(".//section//tbody/tr")
    assert row is not None
    assert [[child.tag for child in cell] for cell in row.findall("td")] == [["del"], ["ins"]]
    style = words_of(page_of(SALE).find(".//style"))  # type: ignore[arg-type]
    assert re.search(r"del \{[^}]*line-through", style)
    assert re.search(r"ins \{[^}]*underline", style)


def test_a_long_value_is_whole_on_the_page() -> None:
    long = "a" * 22_000 + "\n" + "b" * 22_000
    page = page_of(Changes("g", (table("t", inserted(rowid="1", note=long)),), listed=1))
    (whole,) = page.iter("pre")
    assert (whole.text or "").replace("␊", "") == long
    (cut,) = page.iter("summary")
    assert len(words_of(cut)) < 500
    assert words_of(cut).endswith("(44,001 characters)")


def test_the_page_needs_nothing_and_lets_nothing_run() -> None:
    text = rendered(
        Changes("g", (table("t", *(deleted(rowid="1", v=value) for value in HOSTILE)),), listed=99),
        Form.html,
    )
    assert "http:" not in text
    assert "https:" not in text
    assert "url(" not in text
    assert "@import" not in text
    (policy,) = [
        element.get("content", "")
        for element in ET.fromstring(text).iter("meta")  # noqa: S314  made here
        if element.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    seen: list[str] = []
    reader = HTMLParser()
    reader.handle_starttag = lambda tag, _attributes: seen.append(tag)  # type: ignore[method-assign]
    reader.feed(text)
    assert "script" not in seen
    assert "img" not in seen


@pytest.mark.parametrize(
    ("name", "form"),
    [("a.json", Form.json), ("a.HTML", Form.html), ("a.txt", Form.text), ("a", Form.text)],
)
def test_the_name_of_a_file_chooses_the_form(name: str, form: Form) -> None:
    assert Form.of(Path(name)) is form


def test_a_name_that_chooses_no_form_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"\.pdf"):
        Form.of(Path("a.pdf"))
