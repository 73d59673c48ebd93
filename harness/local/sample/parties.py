"""Third parties, their contacts and accounts, products and stock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.local.sample.bulk import USERS, Bulk, Volumes, day, moment, money, scattered
from harness.local.sample.texts import (
    FORENAMES,
    NOTES,
    NULL,
    PLACES,
    SURNAMES,
    TRADES,
    WORKS,
    escape,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

# Values of numeric and real columns that equal others and yet differ, or equal nothing.
_NUMERICS = (
    "1.0",
    "1.00",
    "1",
    "0.000",
    "-0.5",
    "NaN",
    "Infinity",
    "1e-20",
    "12345678901234567890123",
)
_REALS = ("-0", "0", "NaN", "Infinity", "-Infinity", "0.1", "3.4028235e+38", "1e-45")
_LONG_DESCRIPTION = escape("As measured on site:\r\n" + "\t- one more sheet of zinc\n" * 1_800)


def tables(volumes: Volumes) -> Iterator[Bulk]:
    """The tables of this module, in an order in which each finds what it refers to."""
    yield _parties(volumes)
    yield _accounts(volumes)
    yield _contacts(volumes)
    yield _categories(volumes)
    yield _products(volumes)
    yield _movements(volumes)


def _parties(volumes: Volumes) -> Bulk:
    total = volumes.parties

    def row(party: int) -> str:
        place = PLACES[party % len(PLACES)]
        # An alias, the empty text, or none: three things that are easily taken for two.
        alias = (NULL, "", f"House {party}")[party % 3]
        point = f"({5 + party % 90 / 90},{43.5 + party % 70 / 70})" if party % 4 else NULL
        rate = _REALS[party - 1] if party <= len(_REALS) else "0"
        return (
            f"{party}\t{TRADES[party % len(TRADES)]} of {place} {party}\t{alias}"
            f"\tCU{party:06}\t{party % 120} rue des Lavandes\t84{party % 1000:03}\t{place}\t1"
            f"\t{point}\t+33 4 00 {party // 100 % 100:02} {party % 100:02} 00"
            f"\tcontact{party}@customer.example\t{scattered(party) % 10**9:09}\t{party % 90}000.00"
            f"\t{NOTES[party % len(NOTES)]}\t{1 + party % 3}\t{rate}"
            f"\t{moment(party, total)}\t{moment(party, total, 3)}\t{1 + party % USERS}\n"
        )

    return Bulk(
        "llx_societe",
        "rowid, nom, name_alias, code_client, address, zip, town, fk_pays, geopoint, phone, email,"
        " siren, capital, note_private, client, customer_rate, datec, tms, fk_user_creat",
        total,
        row,
    )


def _accounts(volumes: Volumes) -> Bulk:
    total = volumes.parties

    def row(party: int) -> str:
        return (
            f"{party}\tMain\t{party}\t{moment(party, total)}\t{moment(party, total, 5)}"
            f"\tMade-up Bank\tMADEUPXX\tFR00{scattered(party):023}\tRUM{party:06}"
            f"\t{day(party, total, 2)}\n"
        )

    return Bulk(
        "llx_societe_rib",
        "rowid, label, fk_soc, datec, tms, bank, bic, iban_prefix, rum, date_rum",
        total,
        row,
    )


def _contacts(volumes: Volumes) -> Bulk:
    total, parties = volumes.contacts, volumes.parties

    def row(contact: int) -> str:
        forename = FORENAMES[contact % len(FORENAMES)]
        return (
            f"{contact}\t{moment(contact, total)}\t{moment(contact, total, 7)}"
            f"\t{1 + contact % parties}\t{SURNAMES[contact % len(SURNAMES)]}\t{forename}"
            f"\t{contact % 77} chemin du Lavoir\t{PLACES[contact % len(PLACES)]}\t1"
            f"\t{'Manager' if contact % 2 else ''}\t+33 6 00 00 {contact % 100:02} 00"
            f"\tContact.{contact}@Customer.example\t{1 + contact % USERS}\n"
        )

    return Bulk(
        "llx_socpeople",
        "rowid, datec, tms, fk_soc, lastname, firstname, address, town, fk_pays, poste, phone,"
        " email, fk_user_creat",
        total,
        row,
    )


def _categories(volumes: Volumes) -> Bulk:
    def row(party: int) -> str:
        return f"{1 + party % 5}\t{party}\n"

    return Bulk("llx_categorie_societe", "fk_categorie, fk_societe", volumes.parties, row)


def _products(volumes: Volumes) -> Bulk:
    total = volumes.products

    def row(product: int) -> str:
        price = 500 + scattered(product) % 90_000
        description = _LONG_DESCRIPTION if product == 1 else NOTES[product % len(NOTES)]
        measure = _NUMERICS[product - 1] if product <= len(_NUMERICS) else NULL
        stock = _REALS[product - 1] if product <= len(_REALS) else f"{product % 400}.25"
        return (
            f"{product}\tP{product:06}\t{moment(product, total)}\t{moment(product, total, 9)}"
            f"\tWork on {WORKS[product % len(WORKS)]}\t{description}\t{money(price)}"
            f"\t{money(price * 6 // 5)}\t20.0000\t{1 + product % USERS}\t{measure}"
            f"\t{product % 50}.{'0' * (product % 4)}5\t{stock}\t{1 + product % 5}\n"
        )

    return Bulk(
        "llx_product",
        "rowid, ref, datec, tms, label, description, price, price_ttc, tva_tx, fk_user_author,"
        " net_measure, weight, stock, fk_unit",
        total,
        row,
    )


def _movements(volumes: Volumes) -> Bulk:
    total, products = volumes.movements, volumes.products

    def row(movement: int) -> str:
        moved = scattered(movement)
        return (
            f"{movement}\t{moment(movement, total, 1)}\t{moment(movement, total)}"
            f"\t{1 + moved % products}\t{1 + movement % 3}\t{moved % 41 - 20}"
            f"\t{money(moved % 50_000)}\t{movement % 4}\t{1 + movement % USERS}"
            f"\tStock corrected for {WORKS[movement % len(WORKS)]}\t{moved:010}\n"
        )

    return Bulk(
        "llx_stock_mouvement",
        "rowid, tms, datem, fk_product, fk_entrepot, value, price, type_mouvement, fk_user_author,"
        " label, inventorycode",
        total,
        row,
    )
