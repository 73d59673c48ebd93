"""The part of Dolibarr's REST API that agents work with: each request is one transaction."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psycopg
from aiohttp import web
from psycopg import errors

from harness.local.erp import reading, writing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from harness.local.erp.reading import Session, Told

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
    Work = Callable[[Session, Told], Awaitable[Any]]

ROOT = "/api/index.php"

# Each with what its body has to tell.
_REQUESTS: tuple[tuple[str, str, Work, set[str]], ...] = (
    ("GET", r"/invoices", reading.invoices, set()),
    ("GET", r"/invoices/{id:\d+}", reading.invoice, set()),
    ("POST", r"/invoices", writing.create_invoice, {"socid", "lines"}),
    ("DELETE", r"/invoices/{id:\d+}", writing.delete_invoice, set()),
    ("GET", r"/thirdparties/{id:\d+}", reading.third_party, set()),
    ("POST", r"/thirdparties", writing.create_third_party, {"name", "code_client"}),
    ("PUT", r"/thirdparties/{id:\d+}", writing.update_third_party, {"note_private"}),
    ("POST", r"/agendaevents", writing.add_event, {"label"}),
    ("GET", r"/setup/conf/{name}", reading.constant, set()),
    # Dolibarr offers this one on its pages of settings only.
    ("PUT", r"/setup/conf/{name}", writing.set_constant, {"value"}),
)


def routes(connect: Callable[[], Awaitable[Session]]) -> list[web.RouteDef]:
    """What aiohttp serves of it.

    Args:
        connect: Opens a session, in autocommit; a request has one of its own.
    """
    return [
        web.route(method, f"{ROOT}{path}", _handler(connect, work, needs))
        for method, path, work, needs in _REQUESTS
    ]


def _handler(connect: Callable[[], Awaitable[Session]], work: Work, needs: set[str]) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        told = await _told(request)
        if missing := needs - told.keys():
            raise web.HTTPBadRequest(text=f"the body does not tell {', '.join(sorted(missing))}")
        try:
            async with await connect() as session, session.transaction():
                answer = await work(session, told)
        except errors.UndefinedTable as error:
            raise web.HTTPServiceUnavailable(text="the database holds no ERP") from error
        except psycopg.IntegrityError as error:
            raise web.HTTPConflict(text=_said(error)) from error
        except (KeyError, TypeError, psycopg.DataError) as error:
            raise web.HTTPBadRequest(text=_said(error)) from error
        if answer is None:
            raise web.HTTPNotFound(text="there is no such object")
        return web.json_response(answer)

    return handle


async def _told(request: web.Request) -> Told:
    """All that a request tells: its body, its query, and what its path names."""
    told: Any = {}
    if request.can_read_body:
        try:
            told = await request.json()
        except json.JSONDecodeError as error:
            raise web.HTTPBadRequest(text="the body is no JSON") from error
        if not isinstance(told, dict):
            raise web.HTTPBadRequest(text="the body is no JSON object")
    return {**told, **request.query, **request.match_info}


def _said(error: Exception) -> str:
    return " ".join(str(error).split())
