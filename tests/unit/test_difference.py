"""Two fingerprints: every difference is found, and named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.postgres.difference import differences
from harness.postgres.fingerprint import Fingerprint, Position, Rows

BASE = Fingerprint(
    rows={"llx_facture": Rows(3, "42"), "llx_societe": Rows(0, "0")},
    sequences={"llx_facture_rowid_seq": Position(7, is_called=True)},
    objects={
        "table": {"llx_facture": "r p d", "llx_societe": "r p d"},
        "index": {"idx_facture_fk_soc": "CREATE INDEX …"},
        "grant": {"relation llx_facture to metabase_ro": "SELECT"},
    },
)


def changed(**parts: Any) -> Fingerprint:
    return Fingerprint(
        rows={**BASE.rows, **parts.get("rows", {})},
        sequences={**BASE.sequences, **parts.get("sequences", {})},
        objects={**BASE.objects, **parts.get("objects", {})},
    )


def test_the_same_has_no_difference() -> None:
    assert differences(BASE, changed(), grants=True) == []


@pytest.mark.parametrize(
    ("found", "named"),
    [
        (
            changed(rows={"llx_facture": Rows(2, "42")}),
            "rows llx_facture: expected 3 rows, found 2",
        ),
        (
            changed(rows={"llx_facture": Rows(3, "43")}),
            "rows llx_facture: expected 3 rows with hash",
        ),
        (
            changed(objects={"index": {}}),
            "index idx_facture_fk_soc: expected CREATE INDEX …, found",
        ),
        (changed(objects={"index": {"more": "x"} | BASE.objects["index"]}), "expected absent"),
        (changed(objects={"trigger": {"t on llx_facture": "…"}}), "trigger t on llx_facture"),
        (
            changed(sequences={"llx_facture_rowid_seq": Position(7, is_called=False)}),
            "sequence value llx_facture_rowid_seq: expected 7 (called), found 7 (not called)",
        ),
        (changed(objects={"grant": {}}), "grant relation llx_facture to metabase_ro"),
    ],
)
def test_a_difference_is_named(found: Fingerprint, named: str) -> None:
    (only,) = differences(BASE, found, grants=True)
    assert named in str(only)


def test_grants_are_each_sides_own() -> None:
    assert differences(BASE, changed(objects={"grant": {}}), grants=False) == []


def test_a_missing_table_comes_before_what_is_missing_with_it() -> None:
    bare = Fingerprint(rows={}, sequences={}, objects={})
    assert [item.kind for item in differences(BASE, bare, grants=True)][:2] == ["table", "table"]


def test_a_long_definition_is_shown_where_it_differs() -> None:
    long = "CREATE FUNCTION " + "x" * 5000
    one = changed(objects={"function": {"f()": long + " RETURN 1"}})
    other = changed(objects={"function": {"f()": long + " RETURN 2"}})
    (only,) = differences(one, other, grants=True)
    assert only.expected != only.found
    assert len(str(only)) < 1000


positions = st.builds(Position, st.integers(1, 50), st.booleans())


@given(positions, positions)
def test_a_sequence_that_did_not_move_must_stand_exactly_there(
    one: Position, other: Position
) -> None:
    assert one.allows(other) == (one == other)


@given(st.integers(1, 50), st.integers(0, 20), st.integers(-5, 30))
def test_a_sequence_that_moved_may_stand_anywhere_between(start: int, moved: int, at: int) -> None:
    fingerprint = changed(sequences={"s": Position(start, is_called=True)})
    later = fingerprint.moved_to({"s": Position(start + moved, is_called=True)})
    copy = Position(start + at, is_called=True)
    assert later.sequences["s"].allows(copy) == (0 <= at <= moved)
