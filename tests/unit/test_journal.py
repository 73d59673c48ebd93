"""The journal: read back as it was written, refused when it is anything else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UndoOutstandingError
from harness.lifecycle.journal import ApplicationBefore, Journal, WorkloadBefore, agreed

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def journal(sync_policy: Any = None, **changed: Any) -> Journal:
    values = {
        "run": "0123abcd",
        "verb": "refresh-from-prod",
        "started": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "system_identifier": 7711663089983625967,
        "database_oid": 16397,
        "golden": None,
        "application": ApplicationBefore(
            uid="4bf7-01", policy=None if sync_policy is None else json.dumps(sync_policy)
        ),
        "workload": WorkloadBefore(uid="4bf7-02", replicas=1),
        **changed,
    }
    return Journal(**values)


@given(json_values)
def test_what_was_written_is_read_back(sync_policy: Any) -> None:
    written = journal(sync_policy)
    assert Journal.parse(written.text, place="a test") == written


def test_one_copy_is_enough_and_two_must_agree() -> None:
    one, other = journal().text, journal(run="ffffffff").text
    assert agreed(None, None) is None
    assert agreed(one, None) == agreed(None, one) == agreed(one, one) == journal()
    with pytest.raises(UndoOutstandingError, match="runs 0123abcd and ffffffff"):
        agreed(one, other)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"run": "../../etc"},
        {"verb": "drop"},
        {"golden": "/golden/evil"},
        {"workload": {"uid": "4bf7-02", "replicas": "1"}},
        {"workload": {"uid": "4bf7-02", "replicas": 10**6}},
        {"workload": {"uid": "4bf7-02", "replicas": 1, "image": "evil"}},
        {"application": {"uid": "4bf7-01", "policy": "not json"}},
        {"sql": "DROP OWNED"},
    ],
)
def test_a_tampered_journal_is_refused_and_says_that_nothing_was_done(change: Any) -> None:
    tampered = json.dumps(json.loads(journal().text) | change)
    with pytest.raises(UndoOutstandingError, match="nothing has been done"):
        Journal.parse(tampered, place="the Lease")


@pytest.mark.parametrize("text", ["{", "[]", "null", "x" * 20_000])
def test_rubbish_is_refused(text: str) -> None:
    with pytest.raises(UndoOutstandingError):
        Journal.parse(text, place="the Lease")
