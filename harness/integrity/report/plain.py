"""The report for a program: one JSON object, whose form is told in README.md beside the audit."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.integrity.cluster_plane import ClusterPlane
    from harness.integrity.report.model import Report
    from harness.integrity.vault_plane import VaultPlane

SCHEMA = "sandbox-lifecycle/audit/1"
"""Counts up when a field goes or changes its meaning; a new field leaves it as it is."""


def as_plain(report: Report) -> dict[str, Any]:
    """The report as plain values."""
    return {
        "schema": SCHEMA,
        "verdict": report.verdict,
        "summary": report.summary,
        **asdict(report),
        "cluster": _cluster(report.cluster),
        "vault": _vault(report.vault),
    }


def _cluster(plane: ClusterPlane | None) -> dict[str, Any] | None:
    """Without its findings, which stand among those of every plane."""
    if plane is None:
        return None
    return {
        "user": plane.user,
        "namespaces": plane.namespaces,
        "questions": plane.questions,
        "writes": [asdict(write) for write in plane.writes],
    }


def _vault(plane: VaultPlane | None) -> dict[str, Any] | None:
    if plane is None:
        return None
    return {"address": plane.address, "policies": plane.policies, "paths": plane.paths}


def as_json(report: Report) -> str:
    """The report as the text of one JSON object."""
    return json.dumps(as_plain(report), indent=2, ensure_ascii=False) + "\n"
