"""A rehearsal in the agent's place: sell something and be paid, as the application's login."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.errors import FailedError
from harness.postgres.connection import Run, connect, load_sql, one

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.deadlines import Deadlines
    from harness.postgres.connection import Connection
    from harness.sides import Sandbox

_STATEMENTS = load_sql(__package__, "rehearsal.sql")
_RENAME = "UPDATE public.llx_const SET value = %s WHERE name = 'MAIN_INFO_SOCIETE_NOM'"
_OPEN_INVOICES = (
    "SELECT count(*) FROM public.llx_facture JOIN public.llx_societe"
    " ON llx_societe.rowid = fk_soc WHERE paye = 0"
)
# France is the first of every Dolibarr's countries.
_SWITCH_OFF_COUNTRY = "UPDATE public.llx_c_country SET active = 0 WHERE rowid = 1"
_MAKE_TABLE_OF_MODULE = (
    "CREATE TABLE public.llx_rehearsal_module"
    " (rowid serial PRIMARY KEY, ref varchar(30) NOT NULL, entity int NOT NULL DEFAULT 1)"
)
_SWITCH_ON_MODULE = (
    "INSERT INTO public.llx_const (name, entity, value, type, visible)"
    " VALUES ('MAIN_MODULE_REHEARSAL', 1, '1', 'string', 0)"
)
_KEY_OF_USER = (
    "UPDATE public.llx_user SET api_key = %s WHERE rowid = (SELECT min(rowid) FROM public.llx_user)"
)
_KEY_AS_SETTING = (
    "INSERT INTO public.llx_const (name, entity, value, type, visible)"
    " VALUES ('REHEARSAL_API_KEY', 1, %s, 'chaine', 0)"
)


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """The numbers that the sandbox gave out.

    Args:
        third_party: Id of the new third party.
        invoice: Id of its invoice.
        invoice_ref: Number of the invoice, the next one of its month.
        payment: Id of the payment.
    """

    third_party: int
    invoice: int
    invoice_ref: str
    payment: int


def rehearse(sandbox: Sandbox, deadlines: Deadlines) -> Rehearsed:
    """Write to about ten tables of the sandbox what Dolibarr writes for a sale."""
    with _rehearsing(sandbox, deadlines) as session:
        cursor = session.execute(_STATEMENTS)
        while cursor.nextset():
            pass
        row = cursor.fetchone()
    if row is None:
        raise FailedError("the rehearsal told no numbers")
    return Rehearsed(*row)


def rename_company(sandbox: Sandbox, name: str, deadlines: Deadlines) -> None:
    """Give the sandbox's company another name, as an administrator does on its setup page."""
    with _rehearsing(sandbox, deadlines) as session:
        session.execute(_RENAME, (name,))


def count_open_invoices(sandbox: Sandbox, deadlines: Deadlines) -> int:
    """Read, and write nothing."""
    with _rehearsing(sandbox, deadlines) as session:
        count: int = one(session, _OPEN_INVOICES)[0]
        return count


def switch_off_country(sandbox: Sandbox, deadlines: Deadlines, *, keep: bool = True) -> None:
    """Take the first country out of the lists that users choose from.

    Args:
        sandbox: The sandbox.
        deadlines: The table of deadlines.
        keep: Commit that; else it is rolled back.
    """
    with (
        _rehearsing(sandbox, deadlines) as session,
        session.transaction(force_rollback=not keep),
    ):
        session.execute(_SWITCH_OFF_COUNTRY)


def switch_on_module(sandbox: Sandbox, deadlines: Deadlines) -> None:
    """Switch a module on, which makes its tables, as Dolibarr does on its setup page."""
    with _rehearsing(sandbox, deadlines) as session, session.transaction():
        session.execute(_MAKE_TABLE_OF_MODULE)
        session.execute(_SWITCH_ON_MODULE)


def give_out_key(sandbox: Sandbox, deadlines: Deadlines) -> str:
    """Give the first user a new key for the API, keep it as a setting too, and tell it."""
    key = secrets.token_urlsafe(24)
    with _rehearsing(sandbox, deadlines) as session:
        session.execute(_KEY_OF_USER, (key,))
        session.execute(_KEY_AS_SETTING, (key,))
    return key


@contextmanager
def _rehearsing(sandbox: Sandbox, deadlines: Deadlines) -> Iterator[Connection]:
    as_application = replace(sandbox, login=sandbox.application)
    with connect(as_application, Run(), "rehearsal", deadlines) as session:
        yield session
