"""Faults that a test orders: slow answers, errors, lost connections, and a server that is away."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from aiohttp import web

from harness.local.kubernetes.status import bad_request, injected

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from harness.local.kubernetes.resources import Obj

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Fault:
    """What happens to the next requests that match.

    Args:
        action: `status` answers with an error; `slow` waits first; `drop` closes the connection
            before the work is done, `lose` after it: the client cannot know which it was;
            `answer` answers with `body`, as a server with another authorizer or policy would.
        method: The method, or `*`.
        path: A pattern searched for in the path.
        times: For how many requests.
        status: The code that `status` and `answer` answer with.
        retry_after: Its Retry-After, in seconds.
        seconds: How long `slow` waits.
        body: What `answer` answers with.
    """

    action: Literal["status", "slow", "drop", "lose", "answer"]
    method: str = "*"
    path: str = ""
    times: int = 1
    status: int = 500
    retry_after: int | None = None
    seconds: float = 0
    body: Obj | None = None

    def takes(self, request: web.Request) -> bool:
        """Whether this request is one of those."""
        return (
            self.times > 0
            and self.method in {"*", request.method}
            and re.search(self.path, request.path) is not None
        )


class Faults:
    """The faults in force; the first that matches a request is used up by one."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def order(self, description: Obj) -> None:
        """Add one."""
        try:
            fault = Fault(**description)
        except TypeError as error:
            raise bad_request(str(error)) from error
        self._faults.append(fault)

    def clear(self) -> None:
        """Forget all."""
        self._faults.clear()

    def outstanding(self) -> int:
        """How many requests are still to be hit."""
        return sum(fault.times for fault in self._faults)

    async def handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer the request, through the fault that waits for it if there is one."""
        fault = next((fault for fault in self._faults if fault.takes(request)), None)
        if fault is None:
            return await handler(request)
        fault.times -= 1
        if fault.action == "status":
            raise injected(fault.status, fault.retry_after)
        if fault.action == "answer":
            return web.json_response(fault.body, status=fault.status)
        if fault.action == "slow":
            await asyncio.sleep(fault.seconds)
        if fault.action == "drop":
            return _hang_up(request)
        response = await handler(request)
        return _hang_up(request) if fault.action == "lose" else response


def _hang_up(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
