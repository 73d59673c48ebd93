"""A real API server's audit log, as the stand-in tells of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_DECISION = "authorization.k8s.io/decision"


def allowed(path: Path) -> list[dict[str, Any]]:
    """What was asked for and allowed, about objects: who, verb, group, resource, where and which.

    What is being written at this moment is left out.
    """
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    events = [json.loads(line) for line in lines if line.endswith("\n")]
    return [
        _told(event)
        for event in events
        if event["annotations"].get(_DECISION) == "allow" and "objectRef" in event
    ]


def _told(event: dict[str, Any]) -> dict[str, Any]:
    what = event["objectRef"]
    return {
        "user": event["user"]["username"],
        "verb": event["verb"],
        "group": what.get("apiGroup", ""),
        "resource": what["resource"],
        "subresource": what.get("subresource", ""),
        "namespace": what.get("namespace", ""),
        # Of a new object the log knows the name; a rule about making one cannot.
        "name": "" if event["verb"] == "create" else what.get("name", ""),
    }
