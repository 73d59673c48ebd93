"""What a scenario expects of a rehearsal: exact numbers, and each difference is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.golden.changes import Changes, RowChange, SequenceChange, TableChanges
from harness.golden.ownership import tables_of_sequences
from harness.postgres.fingerprint import Fingerprint
from steps.expected_changes import Expected, has_inserted, the_row, wrong_values

HEADER = ["table", "inserted", "updated", "deleted"]
OWNERS = {"llx_facture_rowid_seq": "llx_facture"}
COUNTRY = RowChange(
    "updated", {"rowid": "1"}, {"active": "1", "note": None}, {"active": "0", "note": ""}
)
MEMBER = RowChange("deleted", {"fk_user": "3", "entity": "1"}, {"fk_user": "3", "entity": "1"}, {})
FOUND = Changes(
    "g",
    tables=(
        TableChanges("llx_c_country", 0, 1, 0, (COUNTRY,)),
        TableChanges(
            "llx_facture",
            3,
            0,
            0,
            tuple(
                RowChange(
                    "inserted", {"rowid": rowid}, {}, {"rowid": rowid, "ref": ref, "note": None}
                )
                for rowid, ref in (("12", "FA1"), ("13", "FA2"))
            ),
        ),
        TableChanges("llx_members", 0, 0, 1, (MEMBER,)),
    ),
    sequences=(SequenceChange("llx_facture_rowid_seq", (11, True), (14, True)),),
    listed=2,
)
EXACT = [
    HEADER,
    ["llx_facture", "3", "0", "0"],
    ["llx_c_country", "0", "1", "0"],
    ["llx_members", "0", "0", "1"],
]


def differences(datatable: list[list[str]], changes: Changes = FOUND) -> list[str]:
    return Expected.of(datatable).differences(changes, OWNERS)


def test_exactly_what_was_expected_is_no_difference() -> None:
    assert differences(EXACT) == []


@pytest.mark.parametrize(
    ("datatable", "told"),
    [
        (EXACT[:3], "llx_members: expected nothing; found 1 deleted"),
        (
            [*EXACT, ["llx_bank", "1", "0", "2"]],
            "llx_bank: expected 1 inserted, 2 deleted; found nothing",
        ),
        (
            [HEADER, ["llx_facture", "2", "0", "0"], *EXACT[2:]],
            "llx_facture: expected 2 inserted; found 3 inserted",
        ),
    ],
)
def test_every_other_number_is_one(datatable: list[list[str]], told: str) -> None:
    assert differences(datatable) == [told]


def test_a_sequence_may_move_only_where_rows_were_expected() -> None:
    moved = Changes("g", sequences=FOUND.sequences)
    assert differences([HEADER, ["llx_facture", "0", "0", "0"]], moved) == []
    (told,) = differences([HEADER], moved)
    assert told.startswith("sequence llx_facture_rowid_seq: 11, then 14, and no new row")
    updated = replace(moved, tables=(TableChanges("llx_facture", 0, 1, 0, ()),))
    assert len(differences([HEADER, ["llx_facture", "0", "1", "0"]], updated)) == 1
    strange = replace(moved, sequences=(SequenceChange("strange", (1, True), (2, True)),))
    assert len(differences([HEADER, ["llx_facture", "0", "0", "0"]], strange)) == 1


def test_another_object_and_what_was_not_compared_are_differences() -> None:
    found = replace(FOUND, objects=("index i: gone",), uncounted={"llx_odd": "altered"})
    assert differences(EXACT, found) == ["index i: gone", "llx_odd: not compared, altered"]


@pytest.mark.parametrize(
    "datatable",
    [
        [["table", "inserted", "deleted", "updated"]],
        [HEADER, ["llx_facture", "1", "0", "0"], ["llx_facture", "2", "0", "0"]],
    ],
)
def test_a_data_table_that_could_be_misread_is_refused(datatable: list[list[str]]) -> None:
    with pytest.raises(AssertionError):
        Expected.of(datatable)


def test_a_row_is_found_by_a_value_of_its_key_or_by_all() -> None:
    assert the_row(FOUND, "llx_c_country", "updated", "1") is COUNTRY
    assert the_row(FOUND, "llx_members", "deleted", "3, 1") is MEMBER
    assert the_row(FOUND, "llx_members", "deleted", "3") is MEMBER


@pytest.mark.parametrize(
    ("table", "kind", "called", "told"),
    [
        ("llx_c_country", "updated", "2", "it has 1 updated, of this kind rowid 1$"),
        ("llx_c_country", "deleted", "1", "no row 1 was deleted in llx_c_country"),
        ("llx_bank", "updated", "1", "nothing changed there"),
        ("llx_facture", "inserted", "14", "rowid 12; rowid 13, and 1 that are not listed"),
    ],
)
def test_a_row_that_is_not_there_is_told_with_those_that_are(
    table: str, kind: str, called: str, told: str
) -> None:
    with pytest.raises(AssertionError, match=told):
        the_row(FOUND, table, kind, called)  # type: ignore[arg-type]


def test_a_name_that_two_rows_have_is_refused() -> None:
    both = tuple(replace(MEMBER, key={"fk_user": user, "entity": "1"}) for user in "34")
    with pytest.raises(AssertionError, match="2 rows 1 were deleted"):
        the_row(Changes("g", (TableChanges("t", 0, 0, 2, both),)), "t", "deleted", "1")


def test_values_are_compared_as_text_and_null_is_told_apart() -> None:
    header = ["column", "before", "after"]
    assert wrong_values(COUNTRY, [header, ["active", "1", "0"], ["note", "(null)", ""]]) == []
    assert wrong_values(COUNTRY, [header, ["active", "1", "00"], ["note", "", "(null)"]]) == [
        "active after: expected 00, found 0",
        "note before: expected , found (null)",
        'note after: expected (null), found ""',
    ]
    assert wrong_values(COUNTRY, [header, ["label", "(null)", "(null)"]]) == [
        "label before: expected (null), found no change of it",
        "label after: expected (null), found no change of it",
    ]


def test_a_new_row_is_found_by_its_values() -> None:
    header = ["column", "value"]
    has_inserted(FOUND, "llx_facture", [header, ["ref", "FA2"], ["note", "(null)"]])
    with pytest.raises(AssertionError, match=r"rowid 12: ref is FA1(.|\n)*rowid 13: ref is FA2"):
        has_inserted(FOUND, "llx_facture", [header, ["ref", "FA3"], ["note", "(null)"]])
    with pytest.raises(AssertionError, match="nothing changed there"):
        has_inserted(FOUND, "llx_bank", [header, ["ref", "FA3"]])


def test_the_owner_of_a_sequence_stands_in_its_definition() -> None:
    numbers = "S p d f f bigint 1 1 1 9223372036854775807 1 f"
    definitions = {
        "plain_seq": f"{numbers} owned by public.llx_facture.rowid",
        "odd_seq": f'{numbers} owned by public."a "".table"."a.column"',
        "free_seq": numbers,
    }
    golden = Fingerprint({}, {}, {"sequence": definitions})
    assert tables_of_sequences(golden) == {"plain_seq": "llx_facture", "odd_seq": 'a ".table'}
