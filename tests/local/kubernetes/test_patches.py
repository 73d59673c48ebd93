"""The patches, without a server."""

from __future__ import annotations

from typing import Any

import pytest

from harness.local.kubernetes.patches import json_patch, merge_patch, strategic_merge
from harness.local.kubernetes.status import StatusError


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [  # from RFC 7386, appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": "foo"}, ["c"], ["c"]),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch(target: Any, patch: Any, result: Any) -> None:
    assert merge_patch(target, patch) == result


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        ({"op": "add", "path": "/a/1", "value": 9}, {"a": [1, 9, 2]}),
        ({"op": "add", "path": "/a/-", "value": 9}, {"a": [1, 2, 9]}),
        ({"op": "remove", "path": "/a/0"}, {"a": [2]}),
        ({"op": "replace", "path": "/a", "value": 0}, {"a": 0}),
        ({"op": "copy", "from": "/a/0", "path": "/b"}, {"a": [1, 2], "b": 1}),
    ],
)
def test_json_patch(operation: Any, result: Any) -> None:
    assert json_patch({"a": [1, 2]}, [operation]) == result


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ({"op": "remove", "path": "/b"}, 422),
        ({"op": "replace", "path": "/a/7", "value": 1}, 422),
        ({"op": "test", "path": "/a/0", "value": 2}, 422),
        ({"op": "jump", "path": "/a"}, 422),
        ({"op": "add", "path": "a"}, 400),
    ],
)
def test_a_json_patch_that_does_not_fit(operation: Any, code: int) -> None:
    with pytest.raises(StatusError) as raised:
        json_patch({"a": [1, 2]}, [operation])
    assert raised.value.code == code


def test_strategic_merge_by_name_and_its_directives() -> None:
    target = {
        "containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "1"}],
        "finalizers": ["x"],
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}},
        "args": ["1", "2"],
    }
    patch = {
        "$setElementOrder/containers": [{"name": "a"}],
        "containers": [{"name": "a", "image": "2"}, {"name": "b", "$patch": "delete"}],
        "finalizers": ["y"],
        "$deleteFromPrimitiveList/finalizers": ["x"],
        "strategy": {"$retainKeys": ["type"], "type": "Recreate"},
        "args": ["3"],
    }
    assert strategic_merge(target, patch) == {
        "containers": [{"name": "a", "image": "2"}],
        "finalizers": ["y"],
        "strategy": {"type": "Recreate"},
        "args": ["3"],
    }
