"""What the rehearsal changed: asked for before a reset, or told by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pytest_bdd import parsers, then, when

from harness.golden.manifest import Manifest
from harness.golden.ownership import tables_of_sequences
from harness.golden.report import rendered
from harness.lifecycle.changes import changes as ask_changes
from harness.progress import Silent
from harness.reports.form import Form
from steps.expected_changes import Expected, has_inserted, the_row, wrong_values

if TYPE_CHECKING:
    from harness.golden.changes import Changes
    from harness.lifecycle.reset import ResetDone
    from harness.settings import Settings


@pytest.fixture
def changes(request: pytest.FixtureRequest) -> Changes:
    """What the reset of this scenario took back, where nobody asked for it before."""
    done: ResetDone = request.getfixturevalue("done")
    assert done.changes is not None, f"the reset does not know what it took back: {done.told}"
    return done.changes


@when("the changes of the rehearsal are asked for", target_fixture="changes")
def ask(settings: Settings) -> Changes:
    return ask_changes(settings, Silent()).changes


@then("the rehearsal changed only")
def changed_only(settings: Settings, changes: Changes, datatable: list[list[str]]) -> None:
    golden = Manifest.read(settings.golden.directory / changes.generation).fingerprint
    wrong = Expected.of(datatable).differences(changes, tables_of_sequences(golden))
    assert wrong == [], "\n".join(["changed otherwise:", *wrong])


@then("the rehearsal changed nothing")
def changed_nothing(changes: Changes) -> None:
    assert changes.is_nothing, rendered(changes, Form.text)


@then(parsers.parse('the rehearsal changed in "{table}" the row "{called}"'))
def changed_row(changes: Changes, table: str, called: str, datatable: list[list[str]]) -> None:
    wrong = wrong_values(the_row(changes, table, "updated", called), datatable)
    assert wrong == [], "\n".join([f"row {called} of {table} changed otherwise:", *wrong])


@then(parsers.parse('the rehearsal inserted into "{table}" a row with'))
def inserted_row(changes: Changes, table: str, datatable: list[list[str]]) -> None:
    has_inserted(changes, table, datatable)


@then(parsers.parse('the rehearsal deleted from "{table}" the row "{called}"'))
def deleted_row(changes: Changes, table: str, called: str) -> None:
    the_row(changes, table, "deleted", called)


@then("the reset tells the same changes")
def same_changes(changes: Changes, done: ResetDone) -> None:
    assert done.changes == changes


@then("the secret is in no form of the report")
def secret_is_hidden(changes: Changes, secret: str) -> None:
    assert [form.value for form in Form if secret in rendered(changes, form)] == []
