"""No secret that a rehearsal changed is in any form of the report; that it changed is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from harness.golden.changes import Changes, RowChange
from harness.golden.masking import MASK, MASK_CHANGED, masked, masked_line
from harness.golden.report import rendered
from harness.reports.form import Form
from tests.golden.made_up import deleted, inserted, table, updated

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "correct horse battery staple"  # noqa: S105  made up


def row_of(name: str, row: RowChange, **others: Any) -> RowChange:
    (found,) = masked(Changes("g", (table(name, row),), **others)).tables[0].rows
    return found


def test_a_secret_that_changed_shows_that_and_nothing_else() -> None:
    row = updated(
        "1", {"api_key": "short", "email": "a@b.example"}, {"api_key": "x" * 99, "email": "c"}
    )
    found = row_of("llx_user", row)
    assert found.before == {"api_key": MASK, "email": "a@b.example"}
    assert found.after == {"api_key": MASK_CHANGED, "email": "c"}


def test_a_secret_that_came_or_went_shows_as_one() -> None:
    given_one = row_of("llx_user", updated("1", {"api_key": None}, {"api_key": SECRET}))
    assert (given_one.before, given_one.after) == ({"api_key": None}, {"api_key": MASK})
    robbed = row_of("llx_user", updated("1", {"api_key": SECRET}, {"api_key": ""}))
    assert (robbed.before, robbed.after) == ({"api_key": MASK}, {"api_key": ""})
    assert (
        row_of("llx_user", inserted(rowid="1", pass_crypted=SECRET)).after["pass_crypted"] == MASK
    )
    assert (
        row_of("llx_user", deleted(rowid="1", pass_crypted=SECRET)).before["pass_crypted"] == MASK
    )


def test_a_secret_in_a_key_is_masked_too() -> None:
    row = RowChange("deleted", {"token": SECRET}, {"token": SECRET, "n": "1"}, {})
    assert row_of("llx_session", row).key == {"token": MASK}


def test_a_secret_that_was_copied_elsewhere_is_found_again() -> None:
    changes = Changes(
        "g",
        (
            table("llx_actioncomm", inserted(rowid="1", note=f"now {SECRET}, keep it")),
            table("llx_user", updated("1", {"api_key": None}, {"api_key": SECRET})),
        ),
        objects=(f"function f(): expected absent, found SELECT '{SECRET}'", "index i: gone"),
        uncounted={"llx_odd": f"error: Key (api_key)=({SECRET}) is there already"},
    )
    found = masked(changes)
    assert found.tables[0].rows[0].after == {"rowid": "1", "note": MASK}
    assert found.objects == (f"function f(): {MASK}", "index i: gone")
    assert found.uncounted == {"llx_odd": f"error: {MASK}"}


def test_the_initial_value_of_a_secret_column_is_a_secret() -> None:
    lines = (
        "column llx_user.api_key: expected character varying(128), found text",
        "column llx_user.api_key: expected text, found text default 'made up'",
        "column llx_user.email: expected text, found text default 'made up'",
    )
    found = masked(Changes("g", objects=lines)).objects
    assert found == (lines[0], f"column llx_user.api_key: {MASK}", lines[2])
    reasons = [f"definitions have changed: {line}" for line in lines]
    hidden = f"definitions have changed: column llx_user.api_key: {MASK}"
    assert [masked_line(reason) for reason in reasons] == [reasons[0], hidden, reasons[2]]


def test_what_is_no_secret_is_left_as_it_is() -> None:
    row = updated("1", {"nom": "A & B", "note": None}, {"nom": "A & C", "note": ""})
    changes = Changes(
        "g", (table("llx_societe", row, more=7),), objects=("index i: gone",), listed=1
    )
    assert masked(changes) == changes


def secret_values(changes: Changes) -> Iterator[str]:
    for item in changes.tables:
        for row in item.rows:
            for version in (row.key, row.before, row.after):
                yield from (value for name, value in version.items() if name in _SECRET and value)


_SECRET = ("api_key", "pass_crypted", "tokenstring")
# Long enough to be nowhere by accident, and of characters that no form of the report writes anew.
_secrets = st.text("ABCDEFGHJKMNPQRSTUVWXYZ23456789", min_size=12, max_size=40).map("Zq7".__add__)
_cells = st.dictionaries(st.sampled_from(_SECRET), st.none() | _secrets, max_size=3)
_plain = st.dictionaries(
    st.sampled_from(["rowid", "email", "note"]),
    st.none() | st.text("abc <>&\n", max_size=9),
    max_size=3,
)


@st.composite
def _changes(draw: st.DrawFn) -> Changes:
    rows = draw(
        st.lists(
            st.builds(
                RowChange,
                st.sampled_from(["inserted", "updated", "deleted"]),
                *[st.builds(lambda a, b: {**a, **b}, _plain, _cells) for _ in range(3)],
            ),
            max_size=4,
        )
    )
    known = list(secret_values(Changes("g", (table("t", *rows),))))
    leaked = st.sampled_from(known).map(lambda secret: f"was {secret}!") if known else st.none()
    spread = draw(
        st.lists(st.builds(lambda note: inserted(rowid="9", note=note), leaked), max_size=2)
    )
    objects = draw(st.lists(leaked.map(lambda text: f"function f: {text}"), max_size=2))
    return Changes("g", (table("t", *rows, *spread),), objects=tuple(objects), listed=9)


@given(_changes())
def test_no_secret_is_in_any_form_of_the_report(changes: Changes) -> None:
    secrets = set(secret_values(changes))
    hidden = masked(changes)
    for form in Form:
        text = rendered(hidden, form)
        assert [secret for secret in secrets if secret in text] == []
    # Nothing else was lost on the way.
    told = json.loads(rendered(hidden, Form.json))["tables"][0]
    assert len(told["rows"]) == len(changes.tables[0].rows)
    for row, before in zip(hidden.tables[0].rows, changes.tables[0].rows, strict=True):
        for version, was in zip(
            (row.key, row.before, row.after), (before.key, before.before, before.after), strict=True
        ):
            assert version.keys() == was.keys()
            for name in version.keys() & {"rowid", "email"}:
                assert version[name] == was[name]


@given(_changes())
def test_masking_twice_is_masking_once(changes: Changes) -> None:
    assert masked(masked(changes)) == masked(changes)
