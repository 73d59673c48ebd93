"""The Kubernetes plane: what the harness's identity could do to prod through the API server.

Everything is asked, and writes are rehearsed only (`dryRun=All`); nothing is changed.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.cluster.errors import APPLY_MANIFESTS, ForbiddenError, MissingError
from harness.cluster.harm import ANY
from harness.integrity.finding import Finding, Unproven

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cluster.access import Looked
    from harness.cluster.client import Cluster
    from harness.cluster.grants import Grant
    from harness.cluster.rights import Right
    from harness.cluster.trespass import Write

_GROUP = 15
"""Around the database."""

_POLICY = "kubernetes/15/admission policy"
_HARNESS = "the harness's identity"


@dataclass(frozen=True, slots=True)
class ClusterPlane:
    """What was asked of the API server, and what came out.

    Args:
        user: The identity that was looked at, or all of them, as the API server calls them.
        namespaces: Where its rights were looked for, besides the whole cluster.
        questions: How many access reviews were put.
        writes: What was rehearsed on the sandbox's Application.
        rights: Rights that it has and must not have.
        changes: Changes of the Application that it could make and must not be able to.
        incomplete: Why the list of its rights may not be whole.
        unenforced: Why the admission policy is not proven.
        network: Why the network policies are not.
    """

    user: str
    namespaces: tuple[str, ...]
    questions: int
    writes: tuple[Write, ...]
    rights: tuple[Finding, ...]
    changes: tuple[Finding, ...]
    incomplete: tuple[Unproven, ...]
    unenforced: tuple[Unproven, ...]
    network: tuple[Unproven, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What must not be possible, and is."""
        return (*self.rights, *self.changes)

    @property
    def unproven(self) -> tuple[Unproven, ...]:
        """What could not be proven here."""
        return (*self.incomplete, *self.unenforced, *self.network)


def look(cluster: Cluster, *others: Cluster, network: tuple[Unproven, ...] = ()) -> ClusterPlane:
    """Ask for every right that could hurt prod, and rehearse what the admission policy must deny.

    Args:
        cluster: The cluster as the harness sees it.
        others: The same as further identities of its own see it: whoever starts its Jobs.
        network: What is not proven of the network policies.

    Raises:
        ApiError: The API server does not answer, so nothing is proven.
    """
    looks = [each.access.look() for each in (cluster, *others)]
    users = [looked.user or _HARNESS for looked in looks]
    writes, obstacles = _rehearsed(cluster)
    return ClusterPlane(
        user=" and ".join(users),
        namespaces=looks[0].namespaces,
        questions=sum(looked.asked for looked in looks),
        writes=writes,
        rights=tuple(
            _right(grant, user)
            for user, looked in zip(users, looks, strict=True)
            for grant in looked.grants
        ),
        changes=tuple(_accepted(writes, users[0], cluster.settings.application)),
        incomplete=tuple(
            {each.id: each for looked in looks for each in _obstacles(looked)}.values()
        ),
        unenforced=(*obstacles, *_unenforced(writes)),
        network=network,
    )


def no_cluster() -> Unproven:
    """What an audit says where nobody has told it of a cluster."""
    return Unproven(
        id="kubernetes/15/cluster",
        plane="kubernetes",
        group=_GROUP,
        what="that the harness cannot touch prod's namespace, nor its Application",
        why="the settings have no [cluster]: nobody was asked",
    )


def _right(grant: Grant, user: str) -> Finding:
    return Finding(
        id=f"kubernetes/15/{grant}",
        plane="kubernetes",
        group=_GROUP,
        what=f"{user} {grant}: {grant.why}",
        chain=(user, str(grant), grant.why),
        closes="take the rule from the Role or ClusterRole that grants it; this then answers no:"
        f" {_question(grant.right, user)}",
    )


def _question(right: Right, user: str) -> str:
    """The command with which an administrator asks whether the right is gone."""
    kind = ".".join(each for each in (right.resource, right.group) if each not in {"", ANY})
    words = [
        *("kubectl", "auth", "can-i", right.verb, (kind or ANY) + f"/{right.name}".rstrip("/")),
        *([f"--subresource={right.subresource}"] if right.subresource else []),
        *([f"--namespace={right.namespace}"] if right.namespace else []),
        f"--as={user}",
    ]
    return shlex.join(words)


def _obstacles(looked: Looked) -> Iterator[Unproven]:
    for namespace, obstacle in looked.obstacles.items():
        yield Unproven(
            id=f"kubernetes/15/rules of {namespace}",
            plane="kubernetes",
            group=_GROUP,
            what=f"that no other right in {namespace} could hurt prod than those asked for",
            why=f"the API server's list of rules is incomplete: {obstacle}",
        )


def _rehearsed(cluster: Cluster) -> tuple[tuple[Write, ...], tuple[Unproven, ...]]:
    try:
        return tuple(cluster.application.rehearse_trespasses()), ()
    except (MissingError, ForbiddenError) as error:
        return (), (_unproven_policy(f"{error.what} ({error.found})"),)


def _accepted(writes: tuple[Write, ...], user: str, application: str) -> Iterator[Finding]:
    if not _is_enforced(writes):
        return
    for write in writes:
        if write.outcome == "accepted":
            yield Finding(
                id=f"kubernetes/15/may change {write.name} of {application}",
                plane="kubernetes",
                group=_GROUP,
                what=f"{user} may change {write.name} of Application {application}: {write.harm}",
                chain=(user, f"may patch Application {application}", f"{write.name}: {write.harm}"),
                closes=APPLY_MANIFESTS,
            )


def _unenforced(writes: tuple[Write, ...]) -> Iterator[Unproven]:
    if writes and not _is_enforced(writes):
        told = f"none is enforced: of {len(writes)} such writes the API server denies none"
        yield _unproven_policy(f"{told}; `{APPLY_MANIFESTS}`, on Kubernetes 1.30 or later")
    for write in writes:
        if write.outcome == "refused for another reason":
            yield Unproven(
                id=f"{_POLICY} on {write.name}",
                plane="kubernetes",
                group=_GROUP,
                what=f"that the admission policy denies a change of {write.name}",
                why=f"the API server refused it for another reason: {write.told}",
            )


def _unproven_policy(why: str) -> Unproven:
    return Unproven(
        id=_POLICY,
        plane="kubernetes",
        group=_GROUP,
        what="that the harness may change nothing of the sandbox's Application but the pause",
        why=why,
    )


def _is_enforced(writes: tuple[Write, ...]) -> bool:
    """Whether anything at all was denied: where nothing is, there is no policy."""
    return any(write.outcome == "denied" for write in writes)
