"""Invoices with their lines, payments, the bank and the books.

An invoice has three lines. Of ten invoices in a row the first is a draft, seven are paid, one is
open, and the last is a credit note for the one before it. Amounts add up from the lines to the
invoice, its payment, the bank and the books.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.local.sample.bulk import USERS, Bulk, Volumes, day, moment, money, scattered
from harness.local.sample.texts import NOTES, NULL, WORKS

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINES = 3
# Means of payment: as the bank calls them, and their identifiers in llx_c_paiement.tsv.
_MEANS = (("VIR", 2), ("CB", 6), ("CHQ", 7), ("LIQ", 4))
# Draft, seven paid, open, credit note: the type and status of each, and whether it is paid.
_STATES = ((0, 0, 0), *[(0, 2, 1)] * 7, (0, 1, 0), (2, 1, 0))
_CREDIT_NOTE = 9


def tables(volumes: Volumes) -> Iterator[Bulk]:
    """The tables of this module, in an order in which each finds what it refers to."""
    yield _invoices(volumes)
    yield _extra_fields(volumes)
    yield _lines(volumes)
    yield _payments(volumes)
    yield _paid_invoices(volumes)
    yield _bank_entries(volumes)
    yield _bank_links(volumes)
    yield _book_entries(volumes)


def reference(invoice: int, total: int) -> str:
    """The number of an invoice: provisional for a draft, else by kind, year and month."""
    state = (invoice - 1) % 10
    if state == 0:
        return f"(PROV{invoice})"
    date = day(invoice, total)
    return f"{'AV' if state == _CREDIT_NOTE else 'FA'}{date[2:4]}{date[5:7]}-{invoice:06}"


def _line(invoice: int, rank: int) -> tuple[int, int, int, int]:
    """Quantity, price, net and tax of a line; money in cents."""
    quantity = 1 + (invoice + rank) % 5
    price = 500 + (invoice * 31 + rank * 577) % 90_000
    if (invoice - 1) % 10 == _CREDIT_NOTE:
        price = -price
    net = quantity * price
    return quantity, price, net, (net * 20 + 50) // 100


def totals(invoice: int) -> tuple[int, int]:
    """Net and tax of an invoice, in cents."""
    _, _, net_1, tax_1 = _line(invoice, 0)
    _, _, net_2, tax_2 = _line(invoice, 1)
    _, _, net_3, tax_3 = _line(invoice, 2)
    return net_1 + net_2 + net_3, tax_1 + tax_2 + tax_3


def _invoices(volumes: Volumes) -> Bulk:
    total, customer_of = volumes.invoices, volumes.customer_of

    def row(invoice: int) -> str:
        state = (invoice - 1) % 10
        kind, status, paid = _STATES[state]
        net, tax = totals(invoice)
        ref = reference(invoice, total)
        date = day(invoice, total)
        user = 1 + invoice % USERS
        return (
            f"{invoice}\t{ref}\t{kind}\t{customer_of(invoice)}\t{moment(invoice, total)}\t{date}"
            f"\t{date if status else NULL}\t{moment(invoice, total, 11)}\t{paid}\t{money(tax)}"
            f"\t{money(net)}\t{money(net + tax)}\t{status}\t{user}\t{user if status else NULL}"
            f"\t{invoice - 1 if state == _CREDIT_NOTE else NULL}\t2"
            f"\t{_MEANS[invoice % 4][1]}\t{day(invoice, total, 30)}"
            f"\t{NOTES[invoice % len(NOTES)] if invoice % 3 else ''}\tsponge"
            f"\tfacture/{ref}/{ref}.pdf\n"
        )

    return Bulk(
        "llx_facture",
        "rowid, ref, type, fk_soc, datec, datef, date_valid, tms, paye, total_tva, total_ht,"
        " total_ttc, fk_statut, fk_user_author, fk_user_valid, fk_facture_source,"
        " fk_cond_reglement, fk_mode_reglement, date_lim_reglement, note_public, model_pdf,"
        " last_main_doc",
        total,
        row,
    )


def _extra_fields(volumes: Volumes) -> Bulk:
    total = volumes.invoices

    def row(invoice: int) -> str:
        return f"{invoice}\t{moment(invoice, total, 11)}\t{invoice}\n"

    return Bulk("llx_facture_extrafields", "rowid, tms, fk_object", total, row)


def _lines(volumes: Volumes) -> Bulk:
    products = volumes.products

    def row(number: int) -> str:
        invoice, rank = divmod(number - 1, _LINES)
        invoice += 1
        quantity, price, net, tax = _line(invoice, rank)
        return (
            f"{number}\t{invoice}\t{1 + scattered(number) % products}"
            f"\tWork on {WORKS[number % len(WORKS)]}\t20.0000\t{quantity}\t{money(price)}"
            f"\t{money(net)}\t{money(tax)}\t{money(net + tax)}\t{rank + 1}\t{1 + number % 5}"
            f"\t{1 + invoice % USERS}\n"
        )

    return Bulk(
        "llx_facturedet",
        "rowid, fk_facture, fk_product, description, tva_tx, qty, subprice, total_ht, total_tva,"
        " total_ttc, rang, fk_unit, fk_user_author",
        volumes.invoices * _LINES,
        row,
    )


def _payments(volumes: Volumes) -> Bulk:
    invoices, invoice_of = volumes.invoices, volumes.invoice_of

    def row(payment: int) -> str:
        invoice = invoice_of(payment)
        date = day(invoice, invoices, 20)
        number = f"{scattered(payment) % 10**7:07}" if payment % 4 == 2 else ""  # noqa: PLR2004  cheques
        return (
            f"{payment}\tPAY{date[2:4]}{date[5:7]}-{payment:06}\t{date} 10:00:00"
            f"\t{date} 10:00:00.{payment % 10**6:06}\t{date} 12:00:00"
            f"\t{money(sum(totals(invoice)))}\t{_MEANS[payment % 4][1]}\t{number}\t\t{payment}"
            f"\t{1 + payment % USERS}\n"
        )

    return Bulk(
        "llx_paiement",
        "rowid, ref, datec, tms, datep, amount, fk_paiement, num_paiement, note, fk_bank,"
        " fk_user_creat",
        volumes.payments,
        row,
    )


def _paid_invoices(volumes: Volumes) -> Bulk:
    invoice_of = volumes.invoice_of

    def row(payment: int) -> str:
        invoice = invoice_of(payment)
        amount = money(sum(totals(invoice)))
        return f"{payment}\t{payment}\t{invoice}\t{amount}\t{amount}\n"

    return Bulk(
        "llx_paiement_facture",
        "rowid, fk_paiement, fk_facture, amount, multicurrency_amount",
        volumes.payments,
        row,
    )


def _bank_entries(volumes: Volumes) -> Bulk:
    invoices, invoice_of = volumes.invoices, volumes.invoice_of

    def row(payment: int) -> str:
        invoice = invoice_of(payment)
        date = day(invoice, invoices, 20)
        reconciled = payment % 10 != 0
        return (
            f"{payment}\t{date} 10:00:00\t{date} 10:00:00.{payment % 10**6:06}\t{date}\t{date}"
            f"\t{money(sum(totals(invoice)))}\t(CustomerInvoicePayment)\t{1 + payment % 3}"
            f"\t{1 + payment % USERS}\t{_MEANS[payment % 4][0]}"
            f"\t{date[:7] if reconciled else NULL}\t{reconciled:d}\tCustomer {payment % 97}\n"
        )

    return Bulk(
        "llx_bank",
        "rowid, datec, tms, datev, dateo, amount, label, fk_account, fk_user_author, fk_type,"
        " num_releve, rappro, emetteur",
        volumes.payments,
        row,
    )


def _bank_links(volumes: Volumes) -> Bulk:
    invoice_of, customer_of = volumes.invoice_of, volumes.customer_of

    def row(number: int) -> str:
        payment, second = divmod(number - 1, 2)
        payment += 1
        if second:
            customer = customer_of(invoice_of(payment))
            return f"{number}\t{payment}\t{customer}\t/comm/card.php?socid=\t\tcompany\n"
        return f"{number}\t{payment}\t{payment}\t/compta/paiement/card.php?id=\t\tpayment\n"

    return Bulk(
        "llx_bank_url",
        "rowid, fk_bank, url_id, url, label, type",
        volumes.payments * 2,
        row,
    )


def _book_entries(volumes: Volumes) -> Bulk:
    invoices, invoice_of, customer_of = volumes.invoices, volumes.invoice_of, volumes.customer_of

    def row(number: int) -> str:
        payment, side = divmod(number - 1, 3)
        invoice = invoice_of(payment + 1)
        net, tax = totals(invoice)
        account, label, debit, credit = (
            ("411000", "Customers", net + tax, 0),
            ("706000", "Services sold", 0, net),
            ("445710", "VAT collected", 0, tax),
        )[side]
        customer = customer_of(invoice)
        ref = reference(invoice, invoices)
        written = moment(invoice, invoices, 17)
        return (
            f"{number}\t{payment + 1}\t{day(invoice, invoices)}\tcustomer_invoice\t{ref}\t{invoice}"
            f"\t{side}\t411{customer:06}\t{account}\t{label}\tCustomer {customer} - {ref} - {label}"
            f"\t{money(debit)}\t{money(credit)}\t{'C' if credit else 'D'}\t1\t{written}\t{written}"
            f"\tVT\tSales\n"
        )

    return Bulk(
        "llx_accounting_bookkeeping",
        "rowid, piece_num, doc_date, doc_type, doc_ref, fk_doc, fk_docdet, subledger_account,"
        " numero_compte, label_compte, label_operation, debit, credit, sens, fk_user_author,"
        " date_creation, tms, code_journal, journal_label",
        volumes.payments * 3,
        row,
    )
