"""What the API writes: the statements of Dolibarr, in its order, on the tables that it touches.

What was written is read back in the same transaction, so the answer is what others will see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.local.erp.reading import first, invoice, third_party
from harness.postgres.connection import load_sql

if TYPE_CHECKING:
    from harness.local.erp.reading import Session, Told

_NEW_THIRD_PARTY = """
INSERT INTO public.llx_societe (nom, entity, client, code_client, datec, fk_user_creat, status)
VALUES (%(name)s, 1, 1, %(code_client)s, now(), 1, 1) RETURNING rowid
"""
_NOTE = "UPDATE public.llx_societe SET note_private = %(note_private)s WHERE rowid = %(id)s"

# An invoice of a third party that is not there is none.
_NEW_INVOICE = """
INSERT INTO public.llx_facture (ref, entity, ref_client, fk_soc, datec, datef, fk_user_author)
SELECT '(PROV)', 1, %(ref_client)s, rowid, now(), current_date, 1
FROM public.llx_societe WHERE rowid = %(socid)s RETURNING rowid
"""
_OF_A_LINE = ("desc", "qty", "subprice", "tva_tx")
_LINE = load_sql(__package__, "sql/line.sql")
_TOTALS = load_sql(__package__, "sql/totals.sql")
# Two that look for the next number at once would find the same.
_NUMBER_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('llx_facture.ref'))"
_VALIDATE = load_sql(__package__, "sql/validate.sql")
_DRAFT = "SELECT rowid FROM public.llx_facture WHERE rowid = %(id)s AND fk_statut = 0 FOR UPDATE"
_DELETE_INVOICE = (
    "DELETE FROM public.llx_facturedet WHERE fk_facture = %(id)s",
    "DELETE FROM public.llx_facture_extrafields WHERE fk_object = %(id)s",
    "DELETE FROM public.llx_facture WHERE rowid = %(id)s",
)

_NEW_EVENT = """
INSERT INTO public.llx_actioncomm
    (ref, entity, datep, code, datec, fk_user_author, fk_soc, label, percent)
VALUES ('(PROV)', 1, now(), %(code)s, now(), 1, %(socid)s, %(label)s, -1) RETURNING id
"""
_EVENT = """
UPDATE public.llx_actioncomm SET ref = id::text WHERE id = %(id)s
RETURNING json_build_object('id', id, 'ref', ref, 'label', label)
"""
_ATTENDANT = """
INSERT INTO public.llx_actioncomm_resources (fk_actioncomm, element_type, fk_element)
VALUES (%(id)s, 'user', 1)
"""

_DELETE_CONSTANT = "DELETE FROM public.llx_const WHERE name = %(name)s AND entity = 1"
_NEW_CONSTANT = """
INSERT INTO public.llx_const (name, entity, value, type, visible)
VALUES (%(name)s, 1, %(value)s, 'chaine', 0) RETURNING value
"""


async def create_third_party(session: Session, told: Told) -> Any:
    """A third party, and the event of the agenda that tells of it."""
    told["id"] = await first(session, _NEW_THIRD_PARTY, told)
    await session.execute(_NOTE, {"note_private": None, **told})
    event = {"code": "AC_COMPANY_CREATE", "socid": told["id"], "label": f"New: {told['name']}"}
    await add_event(session, event)
    return await third_party(session, told)


async def update_third_party(session: Session, told: Told) -> Any:
    """Another private note."""
    await session.execute(_NOTE, told)
    return await third_party(session, told)


async def create_invoice(session: Session, told: Told) -> Any:
    """An invoice with its lines: a draft, or with the next number where `validate` says so."""
    told["id"] = await first(session, _NEW_INVOICE, {"ref_client": None, **told})
    if told["id"] is None:
        return None
    for rank, line in enumerate(told["lines"], 1):
        values = {name: line[name] for name in _OF_A_LINE}
        await session.execute(_LINE, {**values, "invoice": told["id"], "rank": rank})
    await session.execute(_TOTALS, told)
    if told.get("validate"):
        await session.execute(_NUMBER_ONE_AT_A_TIME)
        await session.execute(_VALIDATE, told)
    return await invoice(session, told)


async def delete_invoice(session: Session, told: Told) -> Any:
    """A draft and its lines gone; nothing that has a number is ever deleted."""
    found = await first(session, _DRAFT, told)
    if found is not None:
        for statement in _DELETE_INVOICE:
            await session.execute(statement, told)
    return found


async def add_event(session: Session, told: Told) -> Any:
    """An event of the agenda, with who attends it."""
    told["id"] = await first(session, _NEW_EVENT, {"code": "AC_OTH", "socid": None, **told})
    event = await first(session, _EVENT, told)
    await session.execute(_ATTENDANT, told)
    return event


async def set_constant(session: Session, told: Told) -> Any:
    """A setting, deleted and inserted whether it was there or not."""
    await session.execute(_DELETE_CONSTANT, told)
    return await first(session, _NEW_CONSTANT, told)
