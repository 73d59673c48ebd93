"""Three clients that hammer the ERP, and one who looks at the whole database meanwhile."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Self

import psycopg

from harness.deadlines import Deadline, eventually

from .asking import CLIENTS, GIVEN_UP, Golden
from .clients import Client
from .spans import Resets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.sides import Login

_WORKS = Deadline(120, "some requests take a second, on an idle machine")
_PAUSE = 0.05

# What must never be seen, by id, and the company. Of one statement, so of one moment.
_HALF = """
SELECT
    ARRAY(
        SELECT rowid FROM public.llx_facturedet AS line WHERE NOT EXISTS (
            SELECT FROM public.llx_facture AS invoice WHERE invoice.rowid = line.fk_facture
        )
    ) AS lines_without_invoice,
    ARRAY(
        SELECT rowid FROM public.llx_facture AS invoice WHERE total_ht IS DISTINCT FROM (
            SELECT sum(line.total_ht) FROM public.llx_facturedet AS line
            WHERE line.fk_facture = invoice.rowid
        )
    ) AS invoices_of_another_sum,
    ARRAY(
        SELECT rowid FROM public.llx_facture_extrafields AS extra WHERE NOT EXISTS (
            SELECT FROM public.llx_facture AS invoice WHERE invoice.rowid = extra.fk_object
        )
    ) AS extra_fields_without_invoice,
    ARRAY(
        SELECT id FROM public.llx_actioncomm AS event WHERE ref = '(PROV)' OR NOT EXISTS (
            SELECT FROM public.llx_actioncomm_resources AS attendant
            WHERE attendant.fk_actioncomm = event.id
        )
    ) AS half_events,
    ARRAY(
        SELECT rowid FROM public.llx_actioncomm_resources AS attendant WHERE NOT EXISTS (
            SELECT FROM public.llx_actioncomm AS event WHERE event.id = attendant.fk_actioncomm
        )
    ) AS attendants_without_event
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured.

    Args:
        seconds: How long the clients were at work.
        requests: How many they made.
        longest: Their longest request, in seconds.
        which: What it asked for.
        resets: How many resets there were meanwhile.
        resetting: How long those took together, in seconds.
        looks: How often the whole database was looked at.
    """

    seconds: float
    requests: int
    longest: float
    which: str
    resets: int
    resetting: float
    looks: int

    def __str__(self) -> str:
        each = f", {self.resetting / self.resets * 1000:.0f} ms each" if self.resets else ""
        return (
            f"{self.requests:,} requests in {self.seconds:.1f} s"
            f" ({self.requests / self.seconds:.0f}/s), the longest {self.longest:.3f} s"
            f" ({self.which}); {self.resets} resets ({self.resets / self.seconds:.1f}/s{each});"
            f" {self.looks} looks at the whole database"
        )


class Onlooker(Thread):
    """Reads the whole database over and over in a session that it keeps, as a report would.

    Args:
        login: The application's.
        over: Set when enough was seen.
    """

    def __init__(self, login: Login, over: Event) -> None:
        super().__init__(name="onlooker", daemon=True)
        self.wrong: list[str] = []
        self.looks = 0
        self._over = over
        self._session = psycopg.connect(
            login.conninfo,
            autocommit=True,
            application_name="onlooker",
            row_factory=psycopg.rows.dict_row,
        )
        self._golden = self._look()

    def run(self) -> None:
        with self._session:
            while not self._over.wait(_PAUSE):
                for what, found in self._look().items():
                    if more := found - self._golden[what]:
                        self.wrong.append(f"{what}: {sorted(more)}")
                self.looks += 1

    def _look(self) -> dict[str, set[int]]:
        row = self._session.execute(_HALF).fetchone()
        assert row is not None
        return {what: set(found) for what, found in row.items()}


class Hammer:
    """The clients at work for the length of the block.

    Args:
        url: Where the ERP answers; its content is golden.
        login: The application's login on the server itself.
    """

    def __init__(self, url: str, login: Login) -> None:
        self.golden = Golden.of(url)
        self._resets = Resets()
        self._over = Event()
        self._clients = [
            Client(number, url, self.golden, self._resets, self._over) for number in range(CLIENTS)
        ]
        self._onlooker = Onlooker(login, self._over)
        self._began = self._ended = time.monotonic()

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        for thread in (*self._clients, self._onlooker):
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in (*self._clients, self._onlooker):
            thread.join(GIVEN_UP.seconds)
            assert not thread.is_alive(), f"{thread.name} does not end"
        self._ended = time.monotonic()

    @contextmanager
    def reset(self) -> Iterator[None]:
        """What happens in the block brings everything back to golden."""
        with self._resets.one():
            yield

    def let_work(self, requests: int) -> None:
        """Wait until each client has made so many more requests."""
        wanted = [len(client.api.took) + requests for client in self._clients]

        def done() -> None:
            assert all(
                len(client.api.took) >= number
                for client, number in zip(self._clients, wanted, strict=True)
            ), "the clients do not get on"

        eventually(done, _WORKS, every=0.005)

    @property
    def wrong(self) -> list[str]:
        """Every wrong answer."""
        return [each for thread in (*self._clients, self._onlooker) for each in thread.wrong]

    @property
    def figures(self) -> Figures:
        """What was measured, once it is over."""
        took: list[Any] = [each for client in self._clients for each in client.api.took]
        longest, which = max(took)
        return Figures(
            seconds=self._ended - self._began,
            requests=len(took),
            longest=longest,
            which=which,
            resets=len(self._resets),
            resetting=self._resets.seconds,
            looks=self._onlooker.looks,
        )
