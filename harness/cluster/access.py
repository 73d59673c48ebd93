"""What the harness's identity may do: all that it needs, and nothing that could hurt prod.

The API server is asked about itself (SelfSubjectAccessReview), which every identity may do.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.cluster.errors import (
    APPLY_MANIFESTS,
    ForbiddenError,
    MissingError,
    before_any_change,
)
from harness.cluster.grants import Grant, grants
from harness.cluster.harm import harms
from harness.cluster.resources import (
    ACCESS_REVIEWS,
    IDENTITY_REVIEWS,
    RULES_REVIEWS,
    Target,
)
from harness.cluster.rights import Right, needed
from harness.cluster.rules import Rules
from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.cluster.api import Api
    from harness.deadlines import Deadline
    from harness.settings.cluster import ClusterSettings

_AT_ONCE = 8
"""Questions that are put at the same time; the client keeps at least five connections."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at all the rights of an identity has found.

    Args:
        user: The identity, as the API server calls it; None where it does not tell.
        asked: How many questions were put.
        namespaces: Where it was looked, besides the whole cluster.
        grants: Everything that could hurt prod.
        obstacles: By namespace, why the API server does not vouch for its list of rules.
    """

    user: str | None
    asked: int
    namespaces: tuple[str, ...]
    grants: list[Grant]
    obstacles: dict[str, str]


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

    def refuse_missing(self, rights: Iterable[Right] | None = None) -> None:
        """Look whether every right is there that will be needed.

        Args:
            rights: The rights; None: those of a run.

        Raises:
            ConfigurationError: Some are not; each is named, with the manifest that grants it.
        """
        asked = needed(self._settings) if rights is None else rights
        with before_any_change():
            missing = [right for right in asked if not self._may(right)]
        if missing:
            raise ConfigurationError(
                "the harness lacks rights in the cluster",
                found="; ".join(f"may not {right} ({right.manifest})" for right in missing),
                expected="the rights of the manifests, for the identity of the kubeconfig",
                remedy=f"{APPLY_MANIFESTS}; nothing has been changed",
            )

    def look(self) -> Looked:
        """Look for everything that this identity could do to prod.

        Raises:
            ApiError: A question is not answered, so nothing is proven.
        """
        settings = self._settings
        namespaces = settings.guarded
        table = list(harms(settings))
        # Some hundreds of questions: one after the other they would take as many round trips.
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            rules = [pool.submit(self._rules, namespace) for namespace in namespaces]
            answers = list(pool.map(self._may, [harm.right for harm in table]))
        told = [each.result() for each in rules]
        asked = {harm.right: harm for harm, granted in zip(table, answers, strict=True) if granted}
        listed = {
            harm.right: harm
            for each in told
            for harm in each.harms(settings)
            # What is granted in the whole cluster is listed again in every namespace.
            if replace(harm.right, namespace="") not in asked
        }
        return Looked(
            user=self._user(),
            asked=len(table),
            namespaces=namespaces,
            grants=grants({**listed, **asked}.values()),
            obstacles={each.namespace: each.obstacle for each in told if each.obstacle},
        )

    def _rules(self, namespace: str) -> Rules:
        status = self._api.review(Target(RULES_REVIEWS), {"namespace": namespace})
        return Rules.of(namespace, status)

    def _user(self) -> str | None:
        try:
            status = self._api.review(Target(IDENTITY_REVIEWS), {})
        except (MissingError, ForbiddenError):
            return None  # before Kubernetes 1.28
        return str(status["userInfo"]["username"])

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
