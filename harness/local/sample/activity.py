"""The agenda, the index of uploaded files, and the log of what was sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.local.sample.bulk import USERS, Bulk, Volumes, moment, money, scattered
from harness.local.sample.sales import reference, totals
from harness.local.sample.texts import AWKWARD, NOTES, NULL, WORKS, escape

if TYPE_CHECKING:
    from collections.abc import Iterator

# What an event is about: its code and identifier in llx_c_actioncomm.tsv.
_KINDS = (("AC_TEL", 1), ("AC_EMAIL", 4), ("AC_RDV", 5), ("AC_OTH_AUTO", 40), ("AC_OTH", 50))
# One line each, as JSON wants it.
_HISTORY = tuple(note.replace(r"\n", " ") for note in NOTES)
_AWKWARD = tuple(escape(text) for text in AWKWARD)


def tables(volumes: Volumes) -> Iterator[Bulk]:
    """The tables of this module, in an order in which each finds what it refers to."""
    yield _events(volumes)
    yield _attendants(volumes)
    yield _files(volumes)
    yield _seals(volumes)


def _events(volumes: Volumes) -> Bulk:
    total, invoices, customer_of = volumes.events, volumes.invoices, volumes.customer_of

    def row(event: int) -> str:
        invoice = 1 + event % invoices
        code, kind = _KINDS[event % len(_KINDS)]
        begin = moment(event, total)
        # The first events carry the texts that are hard to copy, in their order.
        note = _AWKWARD[event - 1] if event <= len(_AWKWARD) else NOTES[event % len(NOTES)]
        return (
            f"{event}\t{event}\t{begin}\t{begin if event % 2 else NULL}\t{kind}\t{code}\t{begin}"
            f"\t{moment(event, total, 2)}\t{1 + event % USERS}\t{customer_of(invoice)}"
            f"\t{1 + event % USERS}\t{(-1, 0, 50, 100)[event % 4]}\t{'' if event % 5 else NULL}"
            f"\t{event % 8 * 900}\tAbout {WORKS[event % len(WORKS)]}, {event}\t{note}\t{invoice}"
            f"\tinvoice\n"
        )

    return Bulk(
        "llx_actioncomm",
        "id, ref, datep, datep2, fk_action, code, datec, tms, fk_user_author, fk_soc,"
        " fk_user_action, percent, location, durationp, label, note, fk_element, elementtype",
        total,
        row,
    )


def _attendants(volumes: Volumes) -> Bulk:
    def row(event: int) -> str:
        return f"{event}\t{event}\tuser\t{1 + event % USERS}\t0\t{event % 2}\n"

    return Bulk(
        "llx_actioncomm_resources",
        "rowid, fk_actioncomm, element_type, fk_element, answer_status, mandatory",
        volumes.events,
        row,
    )


def _files(volumes: Volumes) -> Bulk:
    total = volumes.invoices

    def row(invoice: int) -> str:
        ref = reference(invoice, total)
        made = moment(invoice, total, 11)
        return (
            f"{invoice}\t{scattered(invoice):032x}\t{scattered(invoice + 1):032x}\tfacture/{ref}"
            f"\t{ref}.pdf\tfacture\t{invoice}\tgenerated\t{made}\t{made}\t{1 + invoice % USERS}\n"
        )

    return Bulk(
        "llx_ecm_files",
        "rowid, ref, label, filepath, filename, src_object_type, src_object_id, gen_or_uploaded,"
        " date_c, tms, fk_user_c",
        total,
        row,
    )


def _seals(volumes: Volumes) -> Bulk:
    total, invoices = volumes.seals, volumes.invoices

    def row(seal: int) -> str:
        invoice = 1 + seal % invoices
        ref = reference(invoice, invoices)
        net, tax = totals(invoice)
        notes = '","'.join(_HISTORY[(seal * 7 + turn * 13) % len(_HISTORY)] for turn in range(12))
        made = moment(seal, total)
        return (
            f"{seal}\t{made}\tBILL_VALIDATE\t{money(net + tax)}\t{ref}\t{made}\tÉlise Falaise"
            f'\t{{"ref":"{ref}","total_ht":{money(net)},"total_tva":{money(tax)},'
            f'"history":["{notes}"]}}\t{scattered(seal):064x}\tfacture\t1\t{invoice}'
            f"\t{seal % 2}\t{made}\n"
        )

    return Bulk(
        "llx_blockedlog",
        "rowid, date_creation, action, amounts, ref_object, date_object, user_fullname,"
        " object_data, signature, element, fk_user, fk_object, certified, tms",
        total,
        row,
    )
