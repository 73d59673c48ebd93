"""The login that reads prod can do nothing else, whatever its session is set to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import errors

from harness.credentials.sources import logins
from harness.errors import RefusedError
from harness.lifecycle.compare import differences_from_prod, prod_now
from harness.lifecycle.refresh import refresh_from_prod
from harness.postgres.connection import Run
from harness.progress import Silent
from harness.sides import Prod, Sandbox

from .administrator import READ_ROLE

if TYPE_CHECKING:
    from .place import Place

WRITES = (
    "INSERT INTO public.llx_societe (nom) VALUES ('x')",
    "UPDATE public.llx_societe SET nom = 'x'",
    "DELETE FROM public.llx_facture",
    "TRUNCATE public.llx_facture",
    "SELECT nextval('public.llx_societe_rowid_seq')",
    "BEGIN; LOCK TABLE public.llx_societe IN EXCLUSIVE MODE",
    "CREATE TABLE public.mine (a int)",
    "CREATE SCHEMA mine",
    "DROP TABLE public.llx_facture",
    "SET ROLE erp_role",
)


@pytest.mark.parametrize("statement", WRITES)
def test_it_cannot_write_though_its_session_may(place: Place, statement: str) -> None:
    with (
        logins(place.settings, Run().id) as found,
        psycopg.connect(Prod.of(found.settings).login.conninfo, autocommit=True) as session,
    ):
        session.execute("SET default_transaction_read_only TO off")
        with pytest.raises(errors.InsufficientPrivilege):
            session.execute(statement.encode())


def test_it_reads_what_a_copy_needs_and_the_copy_is_complete(place: Place) -> None:
    refresh_from_prod(place.settings, Silent())
    with logins(place.settings, Run().id) as found:
        assert differences_from_prod(found.settings, prod_now(found.settings)) == []
        # And prod's owner, who made it, sees the same.
        assert differences_from_prod(found.settings, prod_now(place.platform.settings)) == []


def test_it_reads_a_table_that_prod_makes_later(place: Place) -> None:
    with place.superuser("erp") as session:
        session.execute("SET ROLE erp_role")
        session.execute("CREATE TABLE public.llx_later (rowid serial PRIMARY KEY)")
        try:
            refresh_from_prod(place.settings, Silent())
        finally:
            session.execute("DROP TABLE public.llx_later")
    refresh_from_prod(place.settings, Silent())


def test_a_reader_that_reaches_prods_owner_is_refused_before_anything_is_changed(
    place: Place,
) -> None:
    with place.superuser("erp") as session:
        session.execute(f"GRANT erp_role TO {READ_ROLE}".encode())
        try:
            with pytest.raises(RefusedError) as refused:
                refresh_from_prod(place.settings, Silent())
        finally:
            session.execute(f"REVOKE erp_role FROM {READ_ROLE}".encode())
    assert "reaches erp_role, which owns prod" in (refused.value.found or "")


def test_what_the_sandboxs_login_makes_belongs_to_the_owner_role(place: Place) -> None:
    with (
        logins(place.settings, Run().id) as found,
        psycopg.connect(Sandbox.of(found.settings).login.conninfo, autocommit=True) as session,
    ):
        session.execute("CREATE TABLE public.made (a int)")
        owner = session.execute(
            "SELECT tableowner::text FROM pg_catalog.pg_tables WHERE tablename = 'made'"
        ).fetchone()
        session.execute("DROP TABLE public.made")
    assert owner == ("erp_sandbox_role",)


def test_a_session_that_is_left_behind_ends_with_its_lease(place: Place) -> None:
    with logins(place.settings, Run().id) as found:
        login = Sandbox.of(found.settings).login
        left = psycopg.connect(login.conninfo, autocommit=True)
    place.vault.await_no_leases()
    with left, pytest.raises(psycopg.OperationalError):
        left.execute("SELECT 1")
