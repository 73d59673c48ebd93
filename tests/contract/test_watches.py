"""Lists and watches: order, resuming, bookmarks, selectors, and history that is gone."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from kubernetes.client.exceptions import ApiException
from kubernetes.watch import Watch

from tests.contract.cluster import MERGE, Applications, application, config_map, core, refusal

if TYPE_CHECKING:
    from kubernetes.client import CoreV1Api

    from tests.contract.cluster import Cluster


@pytest.fixture
def api(cluster: Cluster) -> CoreV1Api:
    return core(cluster)


def events(api: CoreV1Api, namespace: str, **how: Any) -> list[tuple[str, str]]:
    """Type and name of what a watch of one second tells (the sentinel object ends it)."""
    seen = []
    how = {"timeout_seconds": 20, **how}
    for event in Watch().stream(api.list_namespaced_config_map, namespace, **how):
        if event["object"].metadata.name == "end":
            break
        seen.append((event["type"], event["object"].metadata.name))
    return seen


def label(api: CoreV1Api, namespace: str, name: str, labels: dict[str, str | None]) -> None:
    patch = {"metadata": {"labels": labels}}
    api.patch_namespaced_config_map(name, namespace, patch, _content_type=MERGE)


def make(api: CoreV1Api, namespace: str, name: str, **labels: str) -> None:
    api.create_namespaced_config_map(namespace, config_map(name, labels=labels))


def revision(api: CoreV1Api, namespace: str) -> str:
    return str(api.list_namespaced_config_map(namespace).metadata.resource_version)


def test_a_watch_carries_on_from_the_list(api: CoreV1Api, namespace: str) -> None:
    make(api, namespace, "before")
    start = revision(api, namespace)
    make(api, namespace, "one")
    label(api, namespace, "one", {"a": "b"})
    api.delete_namespaced_config_map("one", namespace)
    make(api, namespace, "end")
    seen = events(api, namespace, resource_version=start)
    assert seen == [("ADDED", "one"), ("MODIFIED", "one"), ("DELETED", "one")]


def test_revisions_grow(api: CoreV1Api, namespace: str) -> None:
    start = revision(api, namespace)
    for name in ("one", "two", "end"):
        make(api, namespace, name)
    api.delete_namespaced_config_map("two", namespace)
    api.delete_namespaced_config_map("one", namespace)
    told = []
    stream = Watch().stream(
        api.list_namespaced_config_map, namespace, resource_version=start, timeout_seconds=20
    )
    for event in stream:
        told.append(int(event["object"].metadata.resource_version))
        if event["type"] == "DELETED" and event["object"].metadata.name == "one":
            break
    assert len(told) == 5
    assert all(before < after for before, after in pairwise(told))


def test_a_watch_without_revision_begins_with_what_is_there(api: CoreV1Api, namespace: str) -> None:
    make(api, namespace, "a")
    make(api, namespace, "end")
    assert ("ADDED", "a") in events(
        api, namespace, field_selector="metadata.name!=kube-root-ca.crt"
    )


def test_an_object_that_stops_matching_is_deleted_from_the_watch(
    api: CoreV1Api, namespace: str
) -> None:
    start = revision(api, namespace)
    make(api, namespace, "one", app="web")
    make(api, namespace, "two", app="db")
    label(api, namespace, "one", {"app": "db"})
    label(api, namespace, "two", {"app": "web"})
    make(api, namespace, "end", app="web")
    seen = events(api, namespace, resource_version=start, label_selector="app=web")
    assert seen == [("ADDED", "one"), ("DELETED", "one"), ("ADDED", "two")]


def test_a_watch_of_one_name(api: CoreV1Api, namespace: str) -> None:
    start = revision(api, namespace)
    make(api, namespace, "other")
    make(api, namespace, "end")
    seen = events(api, namespace, resource_version=start, field_selector="metadata.name=end")
    assert seen == []


def test_a_bookmark_is_no_older_than_what_was_told(
    cluster: Cluster, api: CoreV1Api, namespace: str
) -> None:
    start = revision(api, namespace)
    make(api, namespace, "one")
    stream = Watch().stream(
        api.list_namespaced_config_map,
        namespace,
        resource_version=start,
        timeout_seconds=4,
        allow_watch_bookmarks=True,
    )
    kinds = {}
    for event in stream:
        kinds[event["type"]] = event["raw_object"]
        if event["type"] == "BOOKMARK":
            break
    made = kinds["ADDED"]["metadata"]["resourceVersion"]
    if "BOOKMARK" in kinds:
        assert int(kinds["BOOKMARK"]["metadata"]["resourceVersion"]) >= int(made)
    else:
        assert cluster.forget_history is None, "a real server promises none; the stand-in sends it"


def test_history_that_is_gone_is_410(cluster: Cluster, api: CoreV1Api, namespace: str) -> None:
    if cluster.forget_history is None:
        pytest.skip("a young server forgets nothing")
    cluster.forget_history()
    with pytest.raises(ApiException) as raised:
        events(api, namespace, resource_version="1")
    assert raised.value.status == 410
    assert "too old resource version" in raised.value.reason


def test_an_application_can_be_watched(cluster: Cluster, namespace: str) -> None:
    applications = Applications(cluster.admin, namespace)
    start = applications.list()["metadata"]["resourceVersion"]
    applications.create(application())
    applications.patch({"status": {"sync": {"status": "Synced"}}})
    seen = []
    for event in applications.watch(resource_version=start, timeout_seconds=20):
        seen.append((event["type"], event["object"].get("status")))
        if event["type"] == "MODIFIED" and event["object"]["status"] == {
            "sync": {"status": "Synced"}
        }:
            break
    assert seen[0] == ("ADDED", None)


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("app=web", {"one"}),
        ("app==web", {"one"}),
        ("app!=web", {"two", "three"}),
        ("app in (web, db)", {"one", "two"}),
        ("app notin (web),tier", {"two"}),
        ("app", {"one", "two"}),
        ("!app", {"three"}),
    ],
)
def test_labels_select(api: CoreV1Api, namespace: str, selector: str, names: set[str]) -> None:
    make(api, namespace, "one", app="web")
    make(api, namespace, "two", app="db", tier="back")
    make(api, namespace, "three")
    found = api.list_namespaced_config_map(namespace, label_selector=selector).items
    assert {each.metadata.name for each in found} - {"kube-root-ca.crt"} == names


@pytest.mark.parametrize("how", [{"label_selector": "a in (b"}, {"field_selector": "data.key=1"}])
def test_a_selector_that_is_none_is_400(
    api: CoreV1Api, namespace: str, how: dict[str, str]
) -> None:
    body = refusal(400, api.list_namespaced_config_map, namespace, **how)
    assert body["reason"] == "BadRequest"
