"""What the ERP is asked, how long each answer takes, and what it answers after each reset."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.deadlines import Deadline

from .spans import Span

if TYPE_CHECKING:
    from typing import Self

    Json = Any

CLIENTS = 3
GIVEN_UP = Deadline(30, "whoever waits at a browser that long has gone")
_EVERYTHING = 1_000_000
_OF_THIRD_PARTIES = 30
_CONSTANTS = ("MAIN_INFO_SOCIETE_TOWN", "MAIN_INFO_SOCIETE_ZIP", "MAIN_INFO_SOCIETE_TEL")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Args:
        body: What came; None for what is not there.
        span: From the request to the last byte of the answer.
    """

    body: Json
    span: Span


class Api:
    """One client's connection to the ERP, and how long each request took.

    Args:
        url: Where the ERP answers.
    """

    def __init__(self, url: str) -> None:
        self._where = urlsplit(url)
        self._connection = self._connect()
        self.took: list[tuple[float, str]] = []

    def ask(self, method: str, path: str, **body: Any) -> Answer:
        """One request.

        Raises:
            AssertionError: The answer is neither what was asked for nor that it is not there.
            OSError, HTTPException: There is no answer.
        """
        began = time.monotonic()
        try:
            self._connection.request(
                method, f"/api/index.php{path}", json.dumps(body) if body else None
            )
            response = self._connection.getresponse()
            text = response.read()
        except BaseException:
            self._connection.close()
            raise
        finally:
            span = Span(began, time.monotonic())
            self.took.append((span.ended - span.began, f"{method} {path}"))
        is_good = response.status == HTTPStatus.OK
        assert is_good or response.status == HTTPStatus.NOT_FOUND, f"{response.status} {text!r}"
        return Answer(json.loads(text) if is_good else None, span)

    def close(self) -> None:
        self._connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._where.hostname, self._where.port
        assert host is not None
        return http.client.HTTPConnection(host, port, timeout=GIVEN_UP.seconds)


@dataclass(frozen=True, slots=True)
class Golden:
    """What the ERP answers after each reset.

    Args:
        company: The company's name.
        invoices: By id.
        third_parties: Some of them, by id.
        constants: By name; None for one that is not there.
    """

    company: Json
    invoices: dict[int, Json]
    third_parties: dict[int, Json]
    constants: dict[str, Json]

    @classmethod
    def of(cls, url: str) -> Self:
        """Ask for all of it; nobody else works there yet."""
        api = Api(url)
        invoices = api.ask("GET", f"/invoices?limit={_EVERYTHING}").body
        customers = sorted({each["socid"] for each in invoices})[:_OF_THIRD_PARTIES]
        golden = cls(
            company=api.ask("GET", "/setup/company").body,
            invoices={each["id"]: each for each in invoices},
            third_parties={
                number: api.ask("GET", f"/thirdparties/{number}").body for number in customers
            },
            constants={
                name: api.ask("GET", f"/setup/conf/{name}").body
                for name in (*_CONSTANTS, *(f"HAMMERED_{own}" for own in range(CLIENTS)))
            },
        )
        api.close()
        return golden

    @property
    def drafts(self) -> list[int]:
        """Ids of the invoices that may be deleted."""
        return sorted(number for number, each in self.invoices.items() if each["status"] == 0)

    def own(self, numbers: list[Any], client: int) -> list[Any]:
        """What of it one client alone changes."""
        return numbers[client::CLIENTS]
