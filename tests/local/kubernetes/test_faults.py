"""Faults on order, and what a client sees of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from harness.deadlines import eventually
from harness.errors import FailedError
from tests.contract.cluster import SOON, config_map, refusal
from tests.local.kubernetes.conftest import Side

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.local.kubernetes.launch import StandIn


@pytest.fixture
def stand_in(shared: StandIn) -> Iterator[StandIn]:
    yield shared
    shared.order("faults")


@pytest.fixture
def side(stand_in: StandIn) -> Side:
    return Side(stand_in)


@pytest.mark.parametrize("status", [409, 429, 500, 503])
def test_the_next_requests_can_fail(stand_in: StandIn, side: Side, status: int) -> None:
    stand_in.order("faults", action="status", status=status, method="POST", path="configmaps",
                   times=2)  # fmt: skip
    side.core.list_namespaced_config_map("default")
    for _ in range(2):
        refusal(status, side.core.create_namespaced_config_map, "default", config_map("x"))
    side.core.create_namespaced_config_map("default", config_map(f"after-{status}"))


def test_a_refusal_can_say_when_to_come_back(stand_in: StandIn, side: Side) -> None:
    stand_in.order("faults", action="status", status=429, retry_after=7, method="POST")
    # The client's own transport would wait and repeat a GET, PUT or DELETE, but no POST.
    with pytest.raises(ApiException) as raised:
        side.core.create_namespaced_config_map("default", config_map("x"))
    assert raised.value.headers["Retry-After"] == "7"


def test_an_answer_can_be_slow(stand_in: StandIn, side: Side) -> None:
    stand_in.order("faults", action="slow", seconds=0.4, path="namespaces$")
    began = time.monotonic()
    side.core.list_namespace()
    assert time.monotonic() - began > 0.4


@pytest.mark.parametrize(("action", "done"), [("drop", False), ("lose", True)])
def test_an_answer_can_be_lost(stand_in: StandIn, side: Side, action: str, *, done: bool) -> None:
    stand_in.order("faults", action=action, method="POST")
    with pytest.raises(HTTPError):
        side.core.create_namespaced_config_map("default", config_map(action))
    names = {each.metadata.name for each in side.core.list_namespaced_config_map("default").items}
    assert (action in names) is done


def test_the_server_can_be_away(stand_in: StandIn, side: Side) -> None:
    stand_in.order("outage", seconds=0.6)

    def is_away() -> bool:
        try:
            side.core.list_namespace()
        except HTTPError:
            return True
        return False

    def must_be_away() -> None:
        assert is_away()

    eventually(must_be_away, SOON)
    eventually(side.core.list_namespace, SOON)


def test_orders_are_the_administrators(stand_in: StandIn, side: Side) -> None:
    with pytest.raises(FailedError, match="did not obey nonsense"):
        stand_in.order("nonsense")
    side.core.create_namespaced_service_account("default", {"metadata": {"name": "nobody"}})
    nobody = side.cluster.as_account("default", "nobody")
    request = nobody.param_serialize("POST", "/stand-in/faults", auth_settings=["BearerToken"])
    assert nobody.call_api(*request).status == 403
