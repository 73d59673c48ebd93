"""Whether the network policies of the sandbox's namespace are enforced, as a pod in it sees it.

An API server keeps network policies and enforces none: that is an agent's work on every node, and a
cluster may have none. So a connection that no policy allows is attempted, from where they hold.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from harness.integrity.finding import Unproven

if TYPE_CHECKING:
    from harness.deadlines import Deadlines
    from harness.settings.cluster import ClusterSettings

_GROUP = 15
"""Around the database."""


def try_network(
    cluster: ClusterSettings, denied_address: str | None, deadlines: Deadlines
) -> tuple[Unproven, ...]:
    """Attempt what the policies must deny, where they hold for this very process.

    Args:
        cluster: Whether this runs in a pod.
        denied_address: Host and port of something that answers, and that pods must not reach.
        deadlines: The table of deadlines.
    """
    if not cluster.in_cluster:
        return (
            _unproven("not enforced here: this audit runs outside the cluster, and not in a pod"),
        )
    if denied_address is None:
        return (
            _unproven(
                "nobody has said what answers and must not be reached: in_cluster.denied_address"
            ),
        )
    host, _, port = denied_address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=deadlines.attempt.seconds).close()
    except (socket.gaierror, ConnectionRefusedError) as error:
        return (_unproven(f"nothing answers at {denied_address}, enforced or not: {error}"),)
    except OSError:
        return ()  # it hangs, or is unreachable: what an agent makes of what it denies
    return (
        _unproven(f"not enforced here: {denied_address} took a connection that no policy allows"),
    )


def _unproven(why: str) -> Unproven:
    return Unproven(
        id="kubernetes/15/network policies",
        plane="kubernetes",
        group=_GROUP,
        what="that pods of the sandbox reach nothing but names and PostgreSQL",
        why=why,
    )
