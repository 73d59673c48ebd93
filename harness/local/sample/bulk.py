"""What the makers of the big tables share: how much there is, when it happened, how it is written.

Rows are made one by one from their number. Nothing is drawn at random and nothing is kept, so a row
is the same on every run and a sample of any size costs no memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple, Self

from harness.local.sample.texts import AWKWARD

if TYPE_CHECKING:
    from collections.abc import Callable

USERS = 10  # those of llx_user.tsv that belong to the first entity

_SPAN = 1_000
_DAYS = tuple((date(2023, 1, 2) + timedelta(days=day)).isoformat() for day in range(_SPAN + 61))
_TIMES = tuple(
    f"{7 + t % 12:02}:{t * 7 % 60:02}:{t * 13 % 60:02}.{t * 1_009 % 1_000_000:06}"
    for t in range(1, 998)
)


class Bulk(NamedTuple):
    """One table to fill: its columns, how many rows it gets, and how row number n is made."""

    table: str
    columns: str
    rows: int
    row: Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Volumes:
    """How many of each there are."""

    parties: int
    contacts: int
    products: int
    movements: int
    invoices: int
    events: int
    seals: int

    @classmethod
    def of(cls, scale: float) -> Self:
        """Everything in proportion to the scale, but never fewer than the rows with odd values."""

        def share(rows: int, least: int = 10) -> int:
            return max(least, round(rows * scale))

        return cls(
            parties=share(400),
            contacts=share(800),
            products=share(300),
            movements=share(5_500),
            invoices=share(2_800),
            events=share(7_000, len(AWKWARD)),
            seals=share(2_100),
        )

    @property
    def payments(self) -> int:
        """Of ten invoices in a row, the second to the eighth are paid."""
        tens, rest = divmod(self.invoices, 10)
        return tens * 7 + min(max(rest - 1, 0), 7)

    def invoice_of(self, payment: int) -> int:
        """The invoice that a payment pays."""
        tens, rest = divmod(payment - 1, 7)
        return tens * 10 + rest + 2

    def customer_of(self, invoice: int) -> int:
        """The third party that an invoice is for."""
        return 1 + scattered(invoice) % self.parties


def scattered(number: int) -> int:
    """A number far from its neighbours' (Knuth's multiplicative hash, 32 bits)."""
    return number * 2_654_435_761 & 0xFFFF_FFFF


def money(cents: int) -> str:
    """An amount as a decimal number."""
    return f"{cents / 100:.2f}"


def day(number: int, total: int, later: int = 0) -> str:
    """The day on which that one of so many things happened, or up to 60 days later."""
    return _DAYS[number * _SPAN // (total + 1) + later]


def moment(number: int, total: int, later: int = 0) -> str:
    """The same with a time of day, to the microsecond."""
    return f"{day(number, total)} {_TIMES[(number + later) % len(_TIMES)]}"
