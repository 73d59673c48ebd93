"""Network policies: proven only by a pod that is kept from what it must not reach."""

from __future__ import annotations

import socket
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.deadlines import Deadline, Deadlines
from harness.integrity.network import try_network
from tests.unit.test_cluster_settings import cluster

if TYPE_CHECKING:
    from harness.integrity.finding import Unproven

DEADLINES = replace(Deadlines(), attempt=Deadline(0.5, "a test"))
IN_A_POD = cluster(kubeconfig=..., in_cluster=True)


def the_only(found: tuple[Unproven, ...]) -> str:
    (unproven,) = found
    assert unproven.id == "kubernetes/15/network policies"
    return unproven.why


def test_outside_the_cluster_nothing_is_proven() -> None:
    why = the_only(try_network(cluster(), "198.51.100.1:80", DEADLINES))
    assert why.startswith("not enforced here: this audit runs outside the cluster")


def test_in_a_pod_it_must_be_said_what_is_out_of_reach() -> None:
    assert "in_cluster.denied_address" in the_only(try_network(IN_A_POD, None, DEADLINES))


def test_a_connection_that_is_taken_shows_that_nobody_enforces_them() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        why = the_only(try_network(IN_A_POD, address, DEADLINES))
    assert why == f"not enforced here: {address} took a connection that no policy allows"


def test_an_address_where_nothing_answers_proves_nothing() -> None:
    with closing(socket.socket()) as silent:
        silent.bind(("127.0.0.1", 0))  # nobody listens
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        why = the_only(try_network(IN_A_POD, address, DEADLINES))
    assert why.startswith(f"nothing answers at {address}, enforced or not")


def test_a_connection_that_is_never_answered_proves_them() -> None:
    with ExitStack() as stack:
        full = stack.enter_context(closing(socket.create_server(("127.0.0.1", 0), backlog=0)))
        with suppress(TimeoutError):
            while True:  # until no more are taken: what comes then is dropped, as by an agent
                taken = socket.create_connection(full.getsockname(), timeout=0.2)
                stack.enter_context(closing(taken))
        address = f"127.0.0.1:{full.getsockname()[1]}"
        assert try_network(IN_A_POD, address, DEADLINES) == ()
