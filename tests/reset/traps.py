"""A trap: a schema, and a rehearsal after which something does not hold that looks as if it did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .ground import Ground

if TYPE_CHECKING:
    import psycopg

    from .ground import Session
    from .naive import Kept

    Protocol = Callable[[Kept, Session], None]

Rehearsal = Callable[[Ground], Iterator[None]]
"""It yields when the checkpoint is to be taken, and again when the reset is."""
DIFFERENTIAL, DURABLE, EITHER = "differential", "durable", "either"

LINES = """
CREATE TABLE public.llx_lines (rowid serial PRIMARY KEY, label text NOT NULL, n int);
INSERT INTO public.llx_lines (label, n) SELECT 'line ' || i, i FROM generate_series(1, 200) AS i;
"""


@dataclass(frozen=True)
class Trap:
    """One thing that does not hold.

    Args:
        protocol: The naive protocol that relies on it.
        schema: What there is at the checkpoint.
        rehearsal: What makes it not hold.
        error: The naive protocol fails; otherwise it succeeds with a wrong result.
        way: Which way the real reset must go.
        with_heirs: The naive copy of a table also holds the rows of those that inherit from it.
    """

    protocol: Protocol
    schema: str
    rehearsal: Rehearsal
    error: type[psycopg.Error] | None = None
    way: str = DIFFERENTIAL
    with_heirs: bool = False


def sql(*statements: str) -> Rehearsal:
    """A rehearsal in one session that has ended when the reset comes."""

    def rehearse(ground: Ground) -> Iterator[None]:
        yield
        ground.work(*statements)
        yield

    return rehearse


@contextmanager
def rehearsed(ground: Ground, trap: Trap, take_checkpoint: Callable[[], None]) -> Iterator[None]:
    """Walk into a trap that is laid; what the rehearsal keeps open stays open in the block."""
    steps = trap.rehearsal(ground)
    next(steps)
    take_checkpoint()
    next(steps)
    yield
    with suppress(StopIteration):
        next(steps)
