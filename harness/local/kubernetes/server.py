"""The HTTP side: who asks, whether they may, and which part of the stand-in answers."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from aiohttp import web

from harness.local.kubernetes import discovery, status, subresources, watching
from harness.local.kubernetes.identity import MASTERS
from harness.local.kubernetes.patches import Patch
from harness.local.kubernetes.paths import Target, named_by_selector, parse, verb_of
from harness.local.kubernetes.registry import Deletion, Registry, Write
from harness.local.kubernetes.resources import BY_PATH, REVIEWS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from harness.local.kubernetes.audit import Audit
    from harness.local.kubernetes.control import Control
    from harness.local.kubernetes.faults import Faults
    from harness.local.kubernetes.identity import Tokens, User
    from harness.local.kubernetes.rbac import Rbac
    from harness.local.kubernetes.resources import Obj

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CONTROL_PREFIX = "/stand-in/"
_READY_PATHS = {"/healthz", "/livez", "/readyz"}

logger = logging.getLogger(__name__)


class Server:
    """The application that aiohttp serves.

    Args:
        registry: The objects.
        tokens: Who is who.
        rbac: Who may what.
        faults: What a test ordered to go wrong.
        audit: Notes who was allowed what.
        control: The stand-in's own endpoint.
        pods: Where the logs of pods are.
        speed: How much faster than in life time runs.
    """

    def __init__(
        self,
        *,
        registry: Registry,
        tokens: Tokens,
        rbac: Rbac,
        faults: Faults,
        audit: Audit,
        control: Control,
        pods: Path,
        speed: float,
    ) -> None:
        self._registry = registry
        self._tokens = tokens
        self._rbac = rbac
        self._faults = faults
        self._audit = audit
        self._control = control
        self._pods = pods
        self._speed = speed

    def application(self) -> web.Application:
        """The handlers, in their order: errors, faults, then the work."""
        app = web.Application(middlewares=[_answer_errors], client_max_size=16 * 1024**2)
        app.router.add_route("*", "/{path:.*}", self._enter)
        return app

    async def _enter(self, request: web.Request) -> web.StreamResponse:
        if request.path in _READY_PATHS:
            return web.Response(text="ok")
        if request.path.startswith(CONTROL_PREFIX):
            return await self._controlled(request)
        return await self._faults.handle(request, self._handle)

    async def _controlled(self, request: web.Request) -> web.StreamResponse:
        user = self._tokens.user(request.headers.get("Authorization", ""))
        if MASTERS not in user.groups:
            raise status.StatusError(403, "Forbidden", "the stand-in obeys its administrator only")
        what = request.path.removeprefix(CONTROL_PREFIX)
        return web.json_response(self._control.handle(what, await _json(request)))

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        document = discovery.document(request.path)
        if request.path == "/version":
            return web.json_response(document)
        user = self._tokens.user(request.headers.get("Authorization", ""))
        if document is not None and request.method == "GET":
            return web.json_response(document)
        target = parse(request.path)
        if target is None:
            raise web.HTTPNotFound(text="404 page not found\n")
        return await self._ask(request, user, target)

    async def _ask(self, request: web.Request, user: User, target: Target) -> web.StreamResponse:
        verb = verb_of(request.method, target, request.query)
        self._authorize(user, verb, target, request.query)
        if not target.served:
            raise _absence_of(target)
        if verb == "watch":
            return await watching.watch(request, target, self._registry.store, self._speed)
        if target.subresource == "log":
            return await subresources.log(request, self._registry, target, self._pods)
        body = await _json(request)
        if target.resource in REVIEWS:
            answer = subresources.review(self._rbac, user, target.resource, body or {})
        else:
            answer = self._answer(verb, target, request, body)
        return web.json_response(answer, status=201 if verb == "create" else 200)

    def _authorize(self, user: User, verb: str, target: Target, query: Mapping[str, str]) -> None:
        access = named_by_selector(target, query).access(verb)
        if self._rbac.allows(user, access):
            self._audit.note(user, access)
            return
        resource = access.resource + (f"/{access.subresource}" if access.subresource else "")
        scope = (
            f'in the namespace "{access.namespace}"' if access.namespace else "at the cluster scope"
        )
        raise status.forbidden(
            target.resource,
            access.name,
            f'User "{user.name}" cannot {verb} resource "{resource}" in API group'
            f' "{access.group}" {scope}',
        )

    def _answer(  # noqa: PLR0911  one return a verb
        self, verb: str, target: Target, request: web.Request, body: Any
    ) -> Obj:
        """The verbs that end in one object or one list; none of them waits."""
        registry, resource = self._registry, target.resource
        place = (resource, target.where, target.name)
        write = _write(target, request.query)
        if verb == "patch":
            body = Patch(request.content_type, body)
        if target.subresource == "scale" and verb != "get":
            return subresources.write_scale(registry, target, body, write)
        if target.subresource == "token" and verb == "create":
            return subresources.issue_token(registry, self._tokens, target, body or {})
        match verb:
            case "list":
                return watching.listing(target, request.query, registry.store)
            case "get":
                found = registry.require(*place)
                return subresources.scale_of(found) if target.subresource == "scale" else found
            case "create":
                return registry.create(resource, target.where, body, write)
            case "update":
                return registry.replace(*place, body, write)
            case "patch":
                return registry.patch(*place, body, write)
            case "delete":
                return registry.delete(*place, _deletion(body, request.query))
            case _:
                return self._delete_all(target, request, body)

    def _delete_all(self, target: Target, request: web.Request, body: Any) -> Obj:
        deletion = _deletion(body, request.query)
        for each in watching.View(target, request.query).items(self._registry.store):
            where, name = each["metadata"].get("namespace", ""), each["metadata"]["name"]
            self._registry.delete(target.resource, where, name, deletion)
        return watching.listing(target, request.query, self._registry.store)


def _absence_of(target: Target) -> Exception:
    """What the real server says of a group, a resource and a subresource that it does not have."""
    resource = target.resource
    if not any((resource.group, resource.version) == key[:2] for key in BY_PATH):
        return web.HTTPNotFound(text="404 page not found\n")
    if resource.custom:
        return status.not_found(resource, target.name)
    return status.no_such_path()


@web.middleware
async def _answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except status.StatusError as error:
        wait = error.retry_after
        headers = {} if wait is None else {"Retry-After": str(wait)}
        return web.json_response(error.body, status=error.code, headers=headers)
    except (web.HTTPException, ConnectionResetError):
        raise
    except Exception as error:
        logger.exception("%s %s", request.method, request.path)
        failure = status.StatusError(500, "InternalError", f"Internal error occurred: {error!r}")
        return web.json_response(failure.body, status=500)


async def _json(request: web.Request) -> Any:
    text = await request.read()
    typed = "Content-Type" in request.headers  # the official client sends none, and means JSON
    if text and typed and not request.content_type.endswith("json"):
        raise status.unsupported_media_type("application/json")
    try:
        return json.loads(text) if text else None
    except ValueError as error:
        raise status.bad_request(f"the body is no JSON: {error}") from error


def _is_dry(values: list[str]) -> bool:
    if values not in ([], ["All"]):
        message = f'Unsupported value: {json.dumps(values)}: supported values: "All"'
        unknown = status.FieldError("dryRun", message, reason="FieldValueNotSupported")
        raise unknown.of("Options", "meta.k8s.io", "")
    return bool(values)


def _write(target: Target, query: Mapping[str, str]) -> Write:
    dry = _is_dry([query["dryRun"]] if "dryRun" in query else [])
    strict = query.get("fieldValidation") == "Strict"
    return Write(dry=dry, strict=strict, subresource=target.subresource)


def _deletion(body: Any, query: Mapping[str, str]) -> Deletion:
    """DeleteOptions from the body, or from the query where the body says nothing."""
    options = body if isinstance(body, dict) else {}
    conditions = options.get("preconditions") or {}
    grace = options.get("gracePeriodSeconds", query.get("gracePeriodSeconds"))
    dry = options.get("dryRun") or ([query["dryRun"]] if "dryRun" in query else [])
    return Deletion(
        grace_seconds=None if grace is None else int(grace),
        propagation=options.get("propagationPolicy")
        or query.get("propagationPolicy", "Background"),
        uid=conditions.get("uid"),
        revision=conditions.get("resourceVersion"),
        dry=_is_dry(dry),
    )
