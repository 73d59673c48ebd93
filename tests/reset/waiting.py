"""A reset in a thread of its own, which waits for somebody in this one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from harness.deadlines import eventually
from harness.lifecycle.reset import reset
from harness.postgres.connection import APPLICATION
from harness.progress import Silent

from .server import SOON

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.lifecycle.reset import ResetDone
    from harness.settings import Settings

    from .ground import Ground

_WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE %s AND wait_event_type = 'Lock'
"""


def reset_while_somebody_writes(
    ground: Ground, settings: Settings, end: Callable[[], object]
) -> ResetDone:
    """Start a reset, and end the transaction that is in its way once it waits for it.

    Args:
        ground: The sandbox.
        settings: The target.
        end: Ends that transaction.
    """
    with ThreadPoolExecutor(1) as pool, ground.superuser() as session:
        running = pool.submit(reset, settings, Silent())

        def waits() -> None:
            if not running.done():
                row = session.execute(_WAITING, (f"{APPLICATION}/%",)).fetchone()
                assert row
                assert row[0], "the reset does not wait"

        try:
            eventually(waits, SOON, every=0.005)
            assert not running.done(), running.result()
        finally:
            end()
        return running.result(SOON.seconds)
