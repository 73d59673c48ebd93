"""What the harness's identity may do: all that it needs, and nothing that could hurt prod.

The API server is asked about itself (SelfSubjectAccessReview), which every identity may do.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.cluster.errors import APPLY_MANIFESTS, before_any_change
from harness.cluster.harm import harms, is_harmful
from harness.cluster.resources import ACCESS_REVIEWS, RULES_REVIEWS, Target
from harness.cluster.rights import Right, needed
from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from harness.cluster.api import Api
    from harness.deadlines import Deadline
    from harness.settings.cluster import ClusterSettings

_AT_ONCE = 8
"""Questions that are put at the same time; the client keeps at least five connections."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that the harness could do, and must not be able to.

    Args:
        right: What it is.
        why: What harm it could do.
    """

    right: str
    why: str


class Access:
    """The rights of the identity that the harness runs under.

    Args:
        api: The cluster's API.
        settings: What the harness works on, and what it must not touch.
    """

    def __init__(self, api: Api, settings: ClusterSettings) -> None:
        self._api = api
        self._settings = settings

    def introduce(self, within: Deadline) -> None:
        """Ask any question at all, to see that the API answers and knows who asks.

        Raises:
            ApiError: It does not.
        """
        self._may(next(iter(needed(self._settings))), within)

    def can(
        self,
        verb: str,
        group: str,
        resource: str,
        namespace: str,
        name: str = "",
        subresource: str = "",
    ) -> bool:
        """Whether the identity may do something; without a name, to every object.

        Raises:
            ApiError: The question is not answered.
        """
        return self._may(Right(verb, group, resource, namespace, name, subresource))

    def refuse_missing(self) -> None:
        """Look whether every right is there that a run will need.

        Raises:
            ConfigurationError: Some are not; each is named, with the manifest that grants it.
        """
        with before_any_change():
            missing = [right for right in needed(self._settings) if not self._may(right)]
        if missing:
            raise ConfigurationError(
                "the harness lacks rights in the cluster",
                found="; ".join(f"may not {right} ({right.manifest})" for right in missing),
                expected="the rights of the manifests, for the identity of the kubeconfig",
                remedy=f"{APPLY_MANIFESTS}; nothing has been changed",
            )

    def prod_findings(self) -> list[Finding]:
        """Everything that this identity could do to prod; nothing, where all is well.

        Raises:
            ApiError: A question is not answered, so nothing is proven.
        """
        table = list(harms(self._settings))
        # Some hundreds of questions: one after the other they would take as many round trips.
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            answers = list(pool.map(self._may, [harm.right for harm in table]))
        found = [
            Finding(f"may {harm.right}", harm.why)
            for harm, granted in zip(table, answers, strict=True)
            if granted
        ]
        return found + self._named_findings()

    def _named_findings(self) -> list[Finding]:
        """Rights over single objects of prod, which are found only by who knows their names."""
        namespace = self._settings.prod_namespace
        status = self._api.review(Target(RULES_REVIEWS), {"namespace": namespace})
        return [
            Finding(
                f"may {', '.join(rule['verbs'])} {', '.join(rule.get('resources') or [])}"
                f" {', '.join(rule['resourceNames'])} in {namespace}",
                "it is an object of prod",
            )
            for rule in status.get("resourceRules") or []
            if rule.get("resourceNames") and is_harmful(rule)
        ]

    def _may(self, right: Right, within: Deadline | None = None) -> bool:
        attributes = {
            "verb": right.verb,
            "group": right.group,
            "resource": right.resource,
            "subresource": right.subresource,
            "namespace": right.namespace,
            "name": right.name,
        }
        spec = {"resourceAttributes": {key: value for key, value in attributes.items() if value}}
        return bool(self._api.review(Target(ACCESS_REVIEWS), spec, within).get("allowed"))
