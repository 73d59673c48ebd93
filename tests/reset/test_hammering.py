"""The hammer notices what it is there for: each of these is a reset gone wrong, or none at all."""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING, LiteralString

import psycopg
import pytest

from harness.deadlines import Deadline, eventually
from harness.sides import Sandbox

from .hammering import Hammer

if TYPE_CHECKING:
    from harness.local.platform import LocalPlatform

NOTICED = Deadline(60, "a few hundred requests, three seconds on an idle machine")
# What is done over and over while the clients are at work, and what is said of it.
FAULTS: dict[str, tuple[LiteralString, str]] = {
    "lines without their invoice's sum": (
        "DELETE FROM public.llx_facturedet WHERE rowid % 7 = 0",
        "invoices_of_another_sum",
    ),
    "an invoice with the lines of another": (
        "UPDATE public.llx_facturedet SET fk_facture = 2 WHERE fk_facture = 3",
        "invoice {'id'",
    ),
    "an event without its attendant": (
        "DELETE FROM public.llx_actioncomm_resources WHERE fk_actioncomm > 100",
        "half_events",
    ),
    "a write lost where there was no reset": (
        "UPDATE public.llx_societe SET note_private = 'as it was'",
        "/thirdparties/",
    ),
    "a setting lost where there was no reset": (
        "DELETE FROM public.llx_const WHERE name LIKE 'HAMMERED%'",
        "/setup/conf/HAMMERED",
    ),
    "an invoice lost where there was no reset": (
        """WITH lines AS (DELETE FROM public.llx_facturedet WHERE fk_facture > 140)
        DELETE FROM public.llx_facture WHERE rowid > 140""",
        "/invoices/",
    ),
    "a golden row with another time": (
        "UPDATE public.llx_facture SET note_public = note_public WHERE rowid < 20",
        "golden {'id'",
    ),
    "an id given out twice": (
        "SELECT setval('public.llx_facture_rowid_seq', 1)",
        "409",
    ),
    "another company": (
        "UPDATE public.llx_const SET value = 'prod' WHERE name = 'MAIN_INFO_SOCIETE_NOM'",
        "read_company",
    ),
    "requests ended": (
        """SET ROLE NONE;
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'erp-request'""",
        "503",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_noticed(platform: LocalPlatform, fault: str) -> None:
    statement, said = FAULTS[fault]
    over = Event()

    def do() -> None:
        login = Sandbox.of(platform.settings).application
        with psycopg.connect(login.conninfo, autocommit=True) as session:
            while not over.wait(0.05):
                session.execute(statement)

    doing = Thread(target=do)
    with hammer(platform) as hammering:
        hammering.let_work(20)
        doing.start()
        try:
            eventually(lambda: noticed(hammering, said), NOTICED)
        finally:
            over.set()
            doing.join()


@pytest.mark.parametrize("kind", ["/invoices/", "/thirdparties/", "/setup/conf/"])
def test_a_reset_that_undoes_nothing_is_noticed(platform: LocalPlatform, kind: str) -> None:
    def reset() -> None:
        hammering.let_work(5)
        with hammering.reset():
            pass
        noticed(hammering, kind)

    with hammer(platform) as hammering:
        eventually(reset, NOTICED)


def hammer(platform: LocalPlatform) -> Hammer:
    assert platform.cluster is not None
    return Hammer(platform.cluster.sandbox.url, Sandbox.of(platform.settings).application)


def noticed(hammering: Hammer, said: str) -> None:
    assert any(said in each for each in hammering.wrong), hammering.wrong[:3]
