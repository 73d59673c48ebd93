"""Lists, and watches that carry on from them: replay, live events, bookmarks, 410."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

from harness.local.kubernetes.selectors import fields_match, labels_match
from harness.local.kubernetes.status import StatusError, bad_request, expired

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.local.kubernetes.paths import Target
    from harness.local.kubernetes.resources import Obj
    from harness.local.kubernetes.store import Event, Store

_BOOKMARK_EVERY = 60.0
_BOOKMARK_BEFORE_END = 2.0
_LONGEST_WATCH = 1800.0


class View:
    """What one list or watch covers: a kind, a namespace or all, and two selectors."""

    def __init__(self, target: Target, query: Mapping[str, str]) -> None:
        self.resource = target.resource
        self.namespace = target.namespace
        self._labels = labels_match(query.get("labelSelector", ""))
        self._fields = fields_match(target.resource, query.get("fieldSelector", ""))

    def matches(self, obj: Obj) -> bool:
        """Whether the view shows the object."""
        return self._labels(obj) and self._fields(obj)

    def items(self, store: Store) -> list[Obj]:
        """The objects shown now."""
        return [obj for obj in store.find(self.resource, self.namespace) if self.matches(obj)]

    def translate(self, event: Event) -> Obj | None:
        """The event as this view sees it: an object that stops matching is deleted from it."""
        where = event.new["metadata"].get("namespace", "")
        if event.resource is not self.resource or self.namespace not in {"", where}:
            return None
        was = event.old is not None and self.matches(event.old)
        is_shown = event.change != "DELETED" and self.matches(event.new)
        if is_shown:
            return {"type": "MODIFIED" if was else "ADDED", "object": event.new}
        return {"type": "DELETED", "object": event.new} if was else None


def listing(target: Target, query: Mapping[str, str], store: Store) -> Obj:
    """The list that a GET of a collection returns; it is never cut into pages."""
    asked = _revision(query.get("resourceVersion") or "0")
    if query.get("resourceVersionMatch") == "Exact" and asked != store.revision:
        raise expired(asked, store.revision)  # only the present is kept
    items = View(target, query).items(store)
    if not target.resource.custom:
        for item in items:  # the real server leaves out what the list's own kind says already
            del item["apiVersion"], item["kind"]
    return {
        "kind": f"{target.resource.kind}List",
        "apiVersion": target.resource.api_version,
        "metadata": {"resourceVersion": str(store.revision)},
        "items": items,
    }


async def watch(
    request: web.Request, target: Target, store: Store, speed: float
) -> web.StreamResponse:
    """Stream events until the client goes or its time is over."""
    query = request.query
    view = View(target, query)
    queue: asyncio.Queue[Event] = asyncio.Queue()
    stop_listening = store.subscribe(queue.put_nowait)  # before the first await: no gap
    try:
        first, failure = _first(view, query, store)
        revision = store.revision
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for entry in first:
            await _send(response, entry)
        if failure is not None:
            await _send(response, {"type": "ERROR", "object": failure.body})
            return response
        clock = _Clock(query, speed)
        while (timeout := clock.remaining()) > 0:
            try:
                event = await asyncio.wait_for(queue.get(), timeout)
            except TimeoutError:
                if clock.bookmark_is_due():
                    await _send(response, _bookmark(view, revision, {}))
                continue
            revision = event.revision
            shown = view.translate(event)
            if shown is not None:
                await _send(response, shown)
        return response
    finally:
        stop_listening()


class _Clock:
    """When a watch ends, and when it sends bookmarks: each minute, and shortly before the end."""

    def __init__(self, query: Mapping[str, str], speed: float) -> None:
        now = time.monotonic()
        self._end = now + float(query.get("timeoutSeconds", _LONGEST_WATCH))
        self._period = _BOOKMARK_EVERY / speed
        self._wanted = query.get("allowWatchBookmarks") in {"1", "true"}
        self._next = self._plan(now)

    def remaining(self) -> float:
        """Seconds until there is something to do; 0 at the end."""
        now = time.monotonic()
        until = min(self._end, self._next) if self._wanted else self._end
        return 0.0 if now >= self._end else max(until - now, 0.001)

    def bookmark_is_due(self) -> bool:
        """Whether one is to be sent now; the next is then planned."""
        now = time.monotonic()
        if not self._wanted or now < self._next:
            return False
        self._next = self._plan(now)
        return True

    def _plan(self, now: float) -> float:
        before_end = self._end - _BOOKMARK_BEFORE_END
        if now < before_end < now + self._period:
            return before_end
        return now + self._period


def _first(
    view: View, query: Mapping[str, str], store: Store
) -> tuple[list[Obj], StatusError | None]:
    """What the stream begins with: the present state, or what happened since a revision."""
    asked = query.get("resourceVersion", "")
    initial = query.get("sendInitialEvents") == "true"
    if initial or asked in {"", "0"}:
        entries: list[Obj] = [{"type": "ADDED", "object": obj} for obj in view.items(store)]
        if initial:
            mark = {"annotations": {"k8s.io/initial-events-end": "true"}}
            entries.append(_bookmark(view, store.revision, mark))
        return entries, None
    try:
        events = store.since(_revision(asked))
    except StatusError as gone:
        return [], gone  # the real server says so inside the stream, too
    return [entry for event in events if (entry := view.translate(event))], None


def _bookmark(view: View, revision: int, metadata: Obj) -> Obj:
    return {
        "type": "BOOKMARK",
        "object": {
            "kind": view.resource.kind,
            "apiVersion": view.resource.api_version,
            "metadata": {"resourceVersion": str(revision), **metadata},
        },
    }


def _revision(text: str) -> int:
    if not text.isdigit():
        raise bad_request(f'invalid resource version "{text}"')
    return int(text)


async def _send(response: web.StreamResponse, entry: Any) -> None:
    await response.write(json.dumps(entry).encode() + b"\n")
