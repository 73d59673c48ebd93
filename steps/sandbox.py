"""The sandbox: refreshed from prod, compared with it, marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pytest_bdd import given, parsers, then, when

from harness.lifecycle.compare import differences_from_prod, provisioner_functions_now
from harness.lifecycle.refresh import ensure_same_as_prod, refresh_from_prod
from harness.lifecycle.status import status
from harness.progress import Silent
from steps.attempt import Attempt

if TYPE_CHECKING:
    from harness.lifecycle.refresh import Refreshed
    from harness.postgres.fingerprint import Fingerprint
    from harness.settings import Settings

# What a platform engineer calls them, and what the fingerprint calls them.
_KINDS = {
    "tables": {"table"},
    "columns": {"column"},
    "rows": {"rows"},
    "keys": {"constraint"},
    "indexes": {"index"},
    "triggers": {"trigger"},
    "functions": {"function"},
    "sequences": {"sequence", "sequence value"},
}


class Copy(Protocol):
    """A sandbox that was proven to be the same as prod."""

    @property
    def fingerprint(self) -> Fingerprint:
        """What prod held then."""


@given("a sandbox that is the same as prod", target_fixture="copied")
def same_as_prod(settings: Settings) -> Copy:
    return ensure_same_as_prod(settings, Silent())


@when("the sandbox is refreshed from prod", target_fixture="copied")
def refresh(settings: Settings) -> Refreshed:
    return refresh_from_prod(settings, Silent())


@when("a refresh from prod is attempted", target_fixture="attempt")
@given("a refresh that failed half-way", target_fixture="attempt")
def attempt_refresh(settings: Settings) -> Attempt:
    return Attempt.of(lambda: refresh_from_prod(settings, Silent()))


@given("the provisioner's functions in the sandbox as they are now", target_fixture="provisioned")
def provisioned(settings: Settings) -> list[tuple[str, ...]]:
    return provisioner_functions_now(settings)


@then("the provisioner's functions in the sandbox are as they were")
def provisioned_as_before(settings: Settings, provisioned: list[tuple[str, ...]]) -> None:
    assert provisioned, "there were none"
    assert provisioner_functions_now(settings) == provisioned


@then("the sandbox equals prod in")
def equals_prod_in(settings: Settings, copied: Copy, datatable: list[list[str]]) -> None:
    found = differences_from_prod(settings, copied.fingerprint)
    for (what,) in datatable[1:]:
        assert all(map(copied.fingerprint.count, _KINDS[what])), f"prod has no {what}"
        assert [str(item) for item in found if item.kind in _KINDS[what]] == []


@then("the sandbox does not differ from prod in anything")
@then("the sandbox does not differ from prod in anything else")
def equals_prod(settings: Settings, copied: Copy) -> None:
    assert list(map(str, differences_from_prod(settings, copied.fingerprint))) == []


@then(parsers.parse('the sandbox differs from prod in "{what}"'))
def differs_from_prod(settings: Settings, copied: Copy, what: str) -> None:
    found = differences_from_prod(settings, copied.fingerprint)
    assert what in {f"{item.kind} {item.name}" for item in found}


@then(parsers.parse("the content of the sandbox is marked {content}"))
def is_marked(settings: Settings, content: str) -> None:
    assert status(settings, Silent()).content == content


@then(parsers.parse("the report tells that pg_restore ended with exit code {code:d}"))
def reports_exit_code(copied: Refreshed, code: int) -> None:
    assert copied.restored.exit_code == code
