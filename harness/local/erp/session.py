"""A session that writes for as long as the application runs: what a refresh must see ended first.

Each write takes a transaction id and locks, fires the triggers, and is rolled back. So it is in the
way of whoever replaces the content, and no comparison of content ever sees it.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg
from psycopg import AsyncConnection, errors

from harness.deadlines import Deadlines

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import Any

    from aiohttp import web

# One row: whoever writes both of two could wait for this session, and it for them.
_WRITE = """
UPDATE public.llx_const SET value = value WHERE name = 'MAIN_INFO_SOCIETE_NOM' AND entity = 1
"""

logger = logging.getLogger(__name__)


def held_session(dsn: str, interval: float) -> Callable[[web.Application], AsyncIterator[None]]:
    """What holds the session from the application's start to its end.

    Args:
        dsn: The application's login.
        interval: Seconds between two writes.
    """

    async def hold(_application: web.Application) -> AsyncIterator[None]:
        over = asyncio.Event()
        holding = asyncio.create_task(_hold(dsn, interval, over))
        yield
        over.set()
        await holding

    return hold


async def _hold(dsn: str, interval: float, over: asyncio.Event) -> None:
    """Write until it is over; a session that is lost is replaced, as a pool would do it."""
    told = ""
    while not over.is_set():
        try:
            async with await _connect(dsn, interval) as session:
                while not await _comes(over, interval):
                    await _write(session)
        except psycopg.Error as error:
            if str(error) != told:  # not five times a second
                logger.warning("no session: %s", error)
                told = str(error)
            await _comes(over, interval)


async def _connect(dsn: str, interval: float) -> AsyncConnection[Any]:
    return await AsyncConnection.connect(
        dsn,
        autocommit=True,
        application_name="erp",
        connect_timeout=round(Deadlines().connect.seconds),
        # A write that finds its row locked is left out, so the end waits for nobody.
        options=f"-c lock_timeout={round(interval * 1000)}",
    )


async def _write(session: AsyncConnection[Any]) -> None:
    with suppress(errors.UndefinedTable, errors.LockNotAvailable):
        async with session.transaction(force_rollback=True):
            await session.execute(_WRITE)


async def _comes(event: asyncio.Event, seconds: float) -> bool:
    """Whether the event comes within so many seconds."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()
