"""What the ERP answers: each request opens a connection, asks and closes it, as Dolibarr's do.

As there, a status says little: the login page is shown on an empty database, too. Only the name of
the company has to come out of the content.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from aiohttp import web
from psycopg import AsyncConnection, OperationalError, errors

from harness.deadlines import Deadlines
from harness.local.erp import READY, api
from harness.postgres.connection import load_sql

if TYPE_CHECKING:
    from typing import Any

    from harness.local.erp.api import Handler

_SHOWN = "SELECT name, value FROM public.llx_const WHERE entity = 1 AND name LIKE 'MAIN_INFO_%'"
_TRAFFIC = load_sql(__package__, "traffic.sql")


class Erp:
    """The application, without a memory of its own.

    Args:
        dsn: Its login.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    def application(self, *, has_traffic: bool) -> web.Application:
        """What aiohttp serves; with traffic it also writes when asked to."""
        application = web.Application(middlewares=[_without_database])
        application.router.add_get("/", self._login_page)
        application.router.add_get(f"{api.ROOT}/status", self._status)
        application.router.add_get(f"{api.ROOT}/setup/company", self._company)
        application.add_routes(api.routes(self._connect))
        application.router.add_get(READY, self._ready)
        if has_traffic:
            application.router.add_post("/traffic", self._write)
        return application

    async def _login_page(self, _request: web.Request) -> web.Response:
        logo = escape((await self._constants()).get("MAIN_INFO_SOCIETE_LOGO_SMALL", ""))
        image = f'<img src="/viewimage.php?file=logos/thumbs/{logo}">' if logo else ""
        return web.Response(text=f"<title>Login</title>{image}", content_type="text/html")

    async def _status(self, _request: web.Request) -> web.Response:
        return web.json_response({"success": {"code": 200, "dolibarr_version": "23.0.0"}})

    async def _company(self, _request: web.Request) -> web.Response:
        name = (await self._constants()).get("MAIN_INFO_SOCIETE_NOM")
        if not name:
            raise web.HTTPServiceUnavailable(text="the database holds no company")
        return web.json_response({"name": name})

    async def _ready(self, _request: web.Request) -> web.Response:
        """Whether the database answers, whatever it holds."""
        async with await self._connect() as connection:
            await connection.execute("SELECT 1")
        return web.Response(text="ready")

    async def _write(self, _request: web.Request) -> web.Response:
        """One event in the agenda, as somebody's ordinary work leaves it."""
        async with await self._connect() as connection:
            row = await (await connection.execute(_TRAFFIC)).fetchone()
        return web.json_response({"event": row[0] if row else None}, status=201)

    async def _constants(self) -> dict[str, str]:
        """The settings that are shown; none where the content is missing."""
        async with await self._connect() as connection:
            try:
                return dict(await (await connection.execute(_SHOWN)).fetchall())
            except errors.UndefinedTable:
                return {}

    async def _connect(self) -> AsyncConnection[tuple[Any, ...]]:
        return await AsyncConnection.connect(
            self._dsn,
            autocommit=True,
            application_name="erp-request",
            connect_timeout=round(Deadlines().connect.seconds),
            prepare_threshold=None,  # a pooler gives the server's session to the next request
        )


@web.middleware
async def _without_database(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except OperationalError:
        return web.Response(status=503, text="the database does not answer")
