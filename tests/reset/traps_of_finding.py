"""Traps for whoever looks for what was changed: traces that lag, are lost, or never were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.sides import Sandbox

from . import naive
from .traps import LINES, Trap, sql

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .ground import Ground


def in_a_session_that_stays(ground: Ground) -> Iterator[None]:
    with ground.application() as session:
        yield
        session.execute("SELECT 1")  # its counters are sent now, and not again for a second
        session.execute("INSERT INTO public.llx_lines (label) VALUES ('late'), ('later')")
        yield


def uncounted(ground: Ground) -> Iterator[None]:
    yield
    login = Sandbox.of(ground.settings).application.user
    with ground.superuser() as session:
        session.execute(f'ALTER ROLE "{login}" SET track_counts = off')
        ground.work("UPDATE public.llx_lines SET label = 'uncounted' WHERE n = 7")
        yield
        session.execute(f'ALTER ROLE "{login}" RESET track_counts')


def counters_that_were_reset(ground: Ground) -> Iterator[None]:
    with ground.superuser() as session:
        session.execute("SELECT pg_stat_reset()")
        yield
        ground.work("DELETE FROM public.llx_lines WHERE n = 7")
        session.execute("SELECT pg_stat_reset()")
        yield


def in_an_older_transaction(ground: Ground) -> Iterator[None]:
    with ground.application() as session:
        session.execute("BEGIN")
        session.execute("SELECT pg_current_xact_id()")
        yield
        session.execute("INSERT INTO public.llx_lines (label) VALUES ('old')")
        session.execute("COMMIT")
        session.execute("SELECT pg_stat_force_next_flush()")
        yield


def copied_in_frozen(ground: Ground) -> Iterator[None]:
    yield
    with ground.application() as session:
        with session.transaction():
            session.execute("TRUNCATE public.llx_lines")
            with session.cursor().copy("COPY public.llx_lines FROM STDIN (FREEZE)") as copy:
                for number in range(1, 201):
                    copy.write_row((number, f"frozen {number}", number))
        session.execute("SELECT pg_stat_force_next_flush()")
    yield


TRAPS = {
    "a session that stays has not sent its counters": Trap(
        naive.by_counters, LINES, in_a_session_that_stays
    ),
    "nobody counts": Trap(naive.by_counters, LINES, uncounted),
    "the counters were reset": Trap(naive.by_counters, LINES, counters_that_were_reset),
    "TRUNCATE is not counted": Trap(naive.by_counters, LINES, sql("TRUNCATE public.llx_lines")),
    "a rewrite is not counted": Trap(
        naive.by_counters,
        LINES,
        sql("ALTER TABLE public.llx_lines ALTER COLUMN n TYPE int USING n + 1"),
    ),
    "a transaction is older than the checkpoint": Trap(
        naive.by_transaction, LINES, in_an_older_transaction
    ),
    "the agent froze what it had written": Trap(
        naive.by_pages_not_frozen,
        LINES,
        sql("INSERT INTO public.llx_lines (label) VALUES ('x')", "VACUUM (FREEZE) llx_lines"),
    ),
    "a vacuum made visible what is not frozen": Trap(
        naive.by_pages_not_visible,
        LINES,
        sql("UPDATE public.llx_lines SET label = 'x' WHERE n = 1", "VACUUM llx_lines"),
    ),
    "TRUNCATE leaves no page that is not frozen": Trap(
        naive.by_pages_not_frozen, LINES, sql("TRUNCATE public.llx_lines")
    ),
    "rows were copied in frozen": Trap(naive.by_pages_not_frozen, LINES, copied_in_frozen),
}
