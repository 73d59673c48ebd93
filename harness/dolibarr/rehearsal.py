"""A rehearsal in the agent's place: sell something and be paid, as the application's login."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.errors import FailedError
from harness.postgres.connection import Run, connect, load_sql

if TYPE_CHECKING:
    from harness.deadlines import Deadlines
    from harness.sides import Sandbox

_STATEMENTS = load_sql(__package__, "rehearsal.sql")
_RENAME = "UPDATE public.llx_const SET value = %s WHERE name = 'MAIN_INFO_SOCIETE_NOM'"


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
    as_application = replace(sandbox, login=sandbox.application)
    with connect(as_application, Run(), "rehearsal", deadlines) as session:
        cursor = session.execute(_STATEMENTS)
        while cursor.nextset():
            pass
        row = cursor.fetchone()
    if row is None:
        raise FailedError("the rehearsal told no numbers")
    return Rehearsed(*row)


def rename_company(sandbox: Sandbox, name: str, deadlines: Deadlines) -> None:
    """Give the sandbox's company another name, as an administrator does on its setup page."""
    as_application = replace(sandbox, login=sandbox.application)
    with connect(as_application, Run(), "rehearsal", deadlines) as session:
        session.execute(_RENAME, (name,))
