"""What the ERP's API answers: all of what it wrote or nothing, and 5xx only without a database."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.erp import Running, erp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.local.layout import Layout

LINES = [
    {"desc": "Two days of work", "qty": 2, "subprice": "400", "tva_tx": "20"},
    {"desc": "A tab\tand a \\N", "qty": 1.5, "subprice": "33.33", "tva_tx": "5.5"},
]
NOWHERE = 2**31 - 1


class Api:
    """The API of an ERP: what it answers, and the status where it is not 200."""

    def __init__(self, app: Running) -> None:
        self._app = app

    def __call__(self, method: str, path: str, **body: Any) -> Any:
        status, text = self._app.ask(f"/api/index.php{path}", method, body or None)
        return json.loads(text) if status == 200 else status

    def invoice(self, **told: Any) -> Any:
        return self("POST", "/invoices", **{"socid": 1, "lines": LINES, **told})


@pytest.fixture(scope="module")
def api(logins: Layout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with erp(logins.prod_application, tmp_path_factory.mktemp("erp")) as app:
        yield Api(app)


@contextmanager
def database(logins: Layout) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(logins.prod.conninfo, autocommit=True) as connection:
        yield connection


def number(invoice: dict[str, Any]) -> int:
    month, _, rest = invoice["ref"].partition("-")
    assert month == f"FA{datetime.now(UTC):%y%m}"
    return int(rest)


def test_an_invoice_comes_back_with_its_lines_and_their_sum(api: Api) -> None:
    made = api.invoice(ref_client="mine")
    assert made["ref"] == f"(PROV{made['id']})"
    assert (made["ref_client"], made["socid"], made["status"]) == ("mine", 1, 0)
    assert [line["desc"] for line in made["lines"]] == [line["desc"] for line in LINES]
    for total, sum_of in (("total_ht", 850), ("total_tva", Decimal("162.75"))):
        assert Decimal(made[total]) == sum_of
        assert sum(Decimal(line[total]) for line in made["lines"]) == sum_of
    assert api("GET", f"/invoices/{made['id']}") == made
    assert api("GET", "/invoices?limit=1") == [made]


def test_a_validated_invoice_has_the_next_number(api: Api) -> None:
    first = api.invoice(validate=True)
    second = api.invoice(validate=True)
    assert (first["status"], number(second)) == (1, number(first) + 1)


def test_those_created_at_once_have_a_number_each(api: Api) -> None:
    before = number(api.invoice(validate=True))
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda _: api.invoice(validate=True), range(12)))
    assert sorted(map(number, made)) == list(range(before + 1, before + 13))


def test_the_list_is_the_newest_first_with_all_lines(api: Api) -> None:
    found = api("GET", "/invoices?limit=20")
    assert len(found) == 20
    assert [each["id"] for each in found] == sorted((each["id"] for each in found), reverse=True)
    for each in found:
        assert each == api("GET", f"/invoices/{each['id']}")
        assert Decimal(each["total_ht"]) == sum(Decimal(line["total_ht"]) for line in each["lines"])


def test_a_draft_is_deleted_with_its_lines_and_nothing_else_is(api: Api, logins: Layout) -> None:
    draft, validated = api.invoice()["id"], api.invoice(validate=True)
    assert api("DELETE", f"/invoices/{draft}") == draft
    assert api("GET", f"/invoices/{draft}") == 404
    assert api("DELETE", f"/invoices/{draft}") == 404
    assert api("DELETE", f"/invoices/{validated['id']}") == 404
    assert api("GET", f"/invoices/{validated['id']}") == validated
    with database(logins) as connection:
        lines = connection.execute(
            "SELECT count(*) FROM llx_facturedet WHERE fk_facture = %s", (draft,)
        ).fetchone()
    assert lines == (0,)


def test_what_fails_half_way_leaves_nothing(api: Api) -> None:
    before = api("GET", "/invoices?limit=1")
    assert api.invoice(lines=[LINES[0], {**LINES[1], "qty": "two"}]) == 400
    assert api.invoice(lines=[LINES[0], {"desc": "no price"}]) == 400
    assert api("GET", "/invoices?limit=1") == before


def test_a_third_party_is_created_and_noted_on(api: Api, logins: Layout) -> None:
    made = api("POST", "/thirdparties", name="Ébène", code_client="CU-1")
    assert (made["name"], made["code_client"], made["note_private"]) == ("Ébène", "CU-1", None)
    noted = api("PUT", f"/thirdparties/{made['id']}", note_private="a \\N")
    assert noted["note_private"] == "a \\N"
    assert noted["date_modification"] > made["date_modification"]
    assert api("GET", f"/thirdparties/{made['id']}") == noted
    with database(logins) as connection:
        events = connection.execute(
            "SELECT label, ref = id::text, element_type"
            " FROM llx_actioncomm JOIN llx_actioncomm_resources ON fk_actioncomm = id"
            " WHERE fk_soc = %s AND code = 'AC_COMPANY_CREATE'",
            (made["id"],),
        ).fetchall()
    assert events == [("New: Ébène", True, "user")]


def test_an_event_comes_back(api: Api) -> None:
    first, second = (api("POST", "/agendaevents", label=f"Call {n}") for n in (1, 2))
    assert (first["label"], second["label"]) == ("Call 1", "Call 2")
    assert (second["ref"], second["id"]) == (str(second["id"]), first["id"] + 1)


def test_a_constant_is_deleted_and_inserted(api: Api, logins: Layout) -> None:
    where = "/setup/conf/REHEARSED"
    rows = []
    assert api("GET", where) == 404
    for value in ("one", "two"):
        assert api("PUT", where, value=value) == value
        assert api("GET", where) == value
        with database(logins) as connection:
            rows += connection.execute(
                "SELECT rowid FROM llx_const WHERE name = 'REHEARSED'"
            ).fetchall()
    assert len(set(rows)) == len(rows) == 2


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", f"/invoices/{NOWHERE}", {}, 404),
        ("GET", f"/invoices/{NOWHERE}0", {}, 400),
        ("GET", "/invoices?limit=few", {}, 400),
        ("POST", "/invoices", {"socid": NOWHERE, "lines": LINES}, 404),
        ("POST", "/invoices", {"socid": 1}, 400),
        ("POST", "/invoices", {"socid": 1, "lines": 3}, 400),
        ("PUT", f"/thirdparties/{NOWHERE}", {"note_private": "x"}, 404),
        ("POST", "/thirdparties", {"name": "no code"}, 400),
        ("POST", "/agendaevents", {"label": "x", "socid": "nobody"}, 400),
        ("GET", "/setup/conf/NOBODY_SET_IT", {}, 404),
        ("PATCH", "/invoices/1", {}, 405),
    ],
)
def test_a_wrong_request_is_the_clients_fault(
    api: Api, method: str, path: str, body: dict[str, Any], status: int
) -> None:
    assert api(method, path, **body) == status


def test_two_of_one_code_are_a_conflict(api: Api) -> None:
    assert api("POST", "/thirdparties", name="First", code_client="CU-2")["id"]
    assert api("POST", "/thirdparties", name="Second", code_client="CU-2") == 409


def test_a_body_that_is_no_object_is_the_clients_fault(api: Api) -> None:
    for body in (["a list"], "text"):
        status, _ = api._app.ask("/api/index.php/invoices", "POST", body)  # noqa: SLF001
        assert status == 400


def test_without_content_or_database_it_is_unavailable(logins: Layout, tmp_path: Path) -> None:
    for login, answer in (
        (logins.sandbox_application, "the database holds no ERP"),
        (replace(logins.prod_application, port=1), "the database does not answer"),
    ):
        with erp(login, tmp_path) as app:
            for method, body in (("GET", None), ("POST", {"socid": 1, "lines": LINES})):
                assert app.ask("/api/index.php/invoices", method, body) == (503, answer)
