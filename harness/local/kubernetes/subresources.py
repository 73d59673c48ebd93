"""The parts of an object that have paths of their own, and the reviews that are only answered."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from harness.local.kubernetes import status
from harness.local.kubernetes.patches import Patch, apply_patch, check_type
from harness.local.kubernetes.rbac import Access
from harness.local.kubernetes.resources import DEPLOYMENTS, PODS, SERVICE_ACCOUNTS
from harness.local.kubernetes.validation import check_replicas

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.local.kubernetes.identity import Tokens, User
    from harness.local.kubernetes.paths import Target
    from harness.local.kubernetes.rbac import Rbac
    from harness.local.kubernetes.registry import Registry, Write
    from harness.local.kubernetes.resources import Obj, Resource

_FOLLOW_EVERY = 0.1


def scale_of(deployment: Obj) -> Obj:
    """A Deployment as a Scale. As in Go's `omitempty`, no replicas are no field."""
    metadata, replicas = deployment["metadata"], deployment["spec"]["replicas"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    labels = deployment["spec"]["selector"]["matchLabels"]
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: metadata[key] for key in kept},
        "spec": {"replicas": replicas} if replicas else {},
        "status": {
            "replicas": deployment.get("status", {}).get("replicas", 0),
            "selector": ",".join(f"{key}={value}" for key, value in sorted(labels.items())),
        },
    }


def write_scale(registry: Registry, target: Target, asked: Any, write: Write) -> Obj:
    """PUT or PATCH of a Scale; its resourceVersion is the Deployment's, and a precondition."""
    if isinstance(asked, Patch):
        check_type(DEPLOYMENTS, asked.content_type)
    deployment = registry.require(DEPLOYMENTS, target.namespace, target.name)
    scale = scale_of(deployment)
    body = apply_patch(asked, scale) if isinstance(asked, Patch) else asked
    if not isinstance(body, dict) or body.get("kind", "Scale") != "Scale":
        raise status.bad_request("the body is no Scale")
    revision = body.get("metadata", {}).get("resourceVersion")
    if revision not in {None, "", deployment["metadata"]["resourceVersion"]}:
        raise status.conflict(DEPLOYMENTS, target.name)
    replicas = (body.get("spec") or {}).get("replicas") or 0
    try:
        check_replicas(replicas)
    except status.FieldError as wrong:
        raise wrong.of("Scale", "autoscaling", target.name) from wrong
    deployment["spec"]["replicas"] = replicas
    written = registry.replace(DEPLOYMENTS, target.namespace, target.name, deployment, write)
    return scale_of(written)


def issue_token(registry: Registry, tokens: Tokens, target: Target, body: Obj) -> Obj:
    """POST of a TokenRequest."""
    account = registry.require(SERVICE_ACCOUNTS, target.namespace, target.name)
    spec = {"expirationSeconds": 3600, **(body.get("spec") or {})}
    token, end = tokens.issue(
        target.namespace, target.name, account["metadata"]["uid"], spec["expirationSeconds"]
    )
    until = datetime.fromtimestamp(end, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {"name": target.name, "namespace": target.namespace},
        "spec": spec,
        "status": {"token": token, "expirationTimestamp": until},
    }


async def log(
    request: web.Request, registry: Registry, target: Target, directory: Path
) -> web.StreamResponse:
    """What a container of a pod printed; `follow` goes on until the pod is gone."""
    pod = registry.require(PODS, target.namespace, target.name)
    query: Mapping[str, str] = request.query
    container = query.get("container") or pod["spec"]["containers"][0]["name"]
    path = directory / pod["metadata"]["uid"] / f"{container}.log"
    text = path.read_bytes() if path.exists() else b""
    position = len(text)
    if "tailLines" in query:
        lines = text.splitlines(keepends=True)
        text = b"".join(lines[len(lines) - int(query["tailLines"]) :] if lines else [])
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(request)
    await response.write(text)
    while query.get("follow") in {"1", "true"}:
        alive = registry.store.get(PODS, target.namespace, target.name)
        more = path.read_bytes()[position:] if path.exists() else b""
        position += len(more)
        await response.write(more)
        if alive is None:
            break
        await asyncio.sleep(_FOLLOW_EVERY)
    return response


def review(rbac: Rbac, user: User, resource: Resource, body: Obj) -> Obj:
    """Answer what the caller asks about itself; nothing is kept of it."""
    kind = resource.kind
    spec = body.get("spec") or {}
    answer: Obj
    if kind == "SelfSubjectAccessReview":
        asked = spec.get("resourceAttributes") or {}
        fields = ("verb", "group", "resource", "subresource", "namespace", "name")
        access = Access(**{field: asked.get(field) or "" for field in fields})
        answer = {"allowed": rbac.allows(user, access)}
    elif kind == "SelfSubjectRulesReview":
        rules = list(rbac.rules(user, spec.get("namespace", "")))
        answer = {
            "resourceRules": _told(rules, "resources", "apiGroups", "resourceNames"),
            "nonResourceRules": _told(rules, "nonResourceURLs"),
            "incomplete": False,
        }
    else:
        answer = {"userInfo": {"username": user.name, "groups": list(user.groups)}}
    described = {"kind": kind, "apiVersion": resource.api_version, "metadata": {}, "spec": spec}
    return {**described, **body, "status": answer}


def _told(rules: list[Obj], about: str, *also: str) -> list[Obj]:
    """What a review tells of those rules that are about one thing."""
    return [
        {key: rule[key] for key in ("verbs", about, *also) if key in rule}
        for rule in rules
        if about in rule
    ]
