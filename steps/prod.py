"""Prod: asked, never attempted; and the powers of whoever could hurt it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import given, then, when

from harness.integrity.questions import databases, powers, starts_read_only
from harness.lifecycle.compare import prod_now, strangers_now
from harness.postgres.difference import differences
from harness.sides import Prod, Sandbox

if TYPE_CHECKING:
    from harness.integrity.questions import Powers
    from harness.lifecycle.refresh import Refreshed
    from harness.postgres.fingerprint import Fingerprint
    from harness.settings import Settings


@given("prod as it is now", target_fixture="prod_before")
def prod_as_it_is(settings: Settings) -> Fingerprint:
    return prod_now(settings)


@given("the databases of the server as they are now", target_fixture="databases_before")
def databases_as_they_are(settings: Settings) -> list[tuple[int, str]]:
    return databases(Sandbox.of(settings), settings)


@when("the powers of the sandbox's logins are asked for", target_fixture="powers_found")
def ask_powers(settings: Settings) -> list[Powers]:
    return powers(Sandbox.of(settings), settings)


@then("prod is exactly as it was")
def prod_unchanged(settings: Settings, prod_before: Fingerprint) -> None:
    assert list(map(str, differences(prod_before, prod_now(settings), grants=True))) == []


@then("every session of the harness on prod starts read-only")
def sessions_read_only(settings: Settings) -> None:
    assert starts_read_only(Prod.of(settings), settings)


@then("pg_dump was looked at while it ran, and had written nothing")
def dump_wrote_nothing(copied: Refreshed) -> None:
    # A sample with a write in it would have failed the refresh.
    assert copied.watched.samples > 0


@then("the databases of the server are as they were")
def databases_unchanged(settings: Settings, databases_before: list[tuple[int, str]]) -> None:
    assert databases(Sandbox.of(settings), settings) == databases_before


@then("the only database that they own is the sandbox")
def own_only_sandbox(settings: Settings, powers_found: list[Powers]) -> None:
    sandbox = Sandbox.of(settings).login.database
    assert {
        p.login: p.owned_databases for p in powers_found if p.owned_databases != [sandbox]
    } == {}


@then("prod is not among the databases that they may connect to")
def cannot_connect_to_prod(settings: Settings, powers_found: list[Powers]) -> None:
    prod = Prod.of(settings).login.database
    assert [p.login for p in powers_found if prod in p.open_databases] == []


@then("none of them may create a database")
def none_creates(powers_found: list[Powers]) -> None:
    assert [p.login for p in powers_found if p.may_create_databases] == []


@then("none of them is, or can become, the owner of prod")
def none_owns_prod(powers_found: list[Powers]) -> None:
    assert all(p.owner_of_prod for p in powers_found), "prod's owner is not known"
    assert [p.login for p in powers_found if p.owner_of_prod in p.can_act_as] == []


@then("none of them is, or can become, a superuser")
def none_is_superuser(powers_found: list[Powers]) -> None:
    assert {p.login: p.superusers for p in powers_found if p.superusers} == {}


@then("the restore has loaded everything as the sandbox's owner role")
def loaded_as_owner(settings: Settings) -> None:
    assert strangers_now(settings) == []
