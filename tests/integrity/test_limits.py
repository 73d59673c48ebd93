"""What the sandbox could use up, and what would hold it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.integrity.closure import Audited, closure
from harness.postgres.connection import Run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.settings import Settings

    from .planting import Planter

NAMES = [
    "connection limit of the sandbox's logins",
    "connection limit of the sandbox's database",
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "temp_file_limit",
]


def audit(settings: Settings) -> Audited:
    return closure(settings, Run())


@pytest.fixture(autouse=True)
def as_before(planter: Planter) -> Iterator[None]:
    yield
    planter.run(
        [
            "ALTER DATABASE {sandbox} RESET ALL",
            "ALTER DATABASE {sandbox} CONNECTION LIMIT -1",
            "ALTER ROLE {app} CONNECTION LIMIT -1",
            "ALTER ROLE {harness} CONNECTION LIMIT -1",
            "ALTER ROLE {app} RESET statement_timeout",
            "ALTER ROLE {app} RESET temp_file_limit",
        ],
        "{prod}",
    )


def test_where_nothing_is_limited_everything_is_recommended(
    settings: Settings, planter: Planter
) -> None:
    found = audit(settings)
    assert [item.name for item in found.recommendations] == NAMES
    logins = f"{planter.names['app']}, {planter.names['harness']}"
    assert {item.found for item in found.recommendations} == {f"none for {logins}", "none"}
    assert [(bound.bound, bound.holds_because is None) for bound in found.bounds[:2]] == [
        ("none", False),
        ("97 of 97", True),
    ]
    assert "at least 6400 " in found.bounds[2].bound
    assert found.bounds[3].bound == "as much as the disk holds"
    assert found.bounds[3].holds_because is None


def test_whoever_runs_the_statements_has_nothing_left_to_be_told(
    settings: Settings, planter: Planter
) -> None:
    for item in audit(settings).recommendations:
        for statement in item.statement.split("; "):
            planter.close(statement)
    found = audit(settings)
    assert found.recommendations == ()
    assert found.bounds[1].bound == "48 of 97"
    assert found.bounds[1].holds_because is not None
    assert found.bounds[3].bound == "2GB for each session"
    assert found.bounds[3].holds_because is not None


def test_a_login_with_a_setting_of_its_own_is_told_apart(
    settings: Settings, planter: Planter
) -> None:
    planter.run(
        [
            "ALTER DATABASE {sandbox} SET statement_timeout = '1min'",
            "ALTER DATABASE {sandbox} SET temp_file_limit = '1GB'",
            "ALTER ROLE {app} SET statement_timeout = '0ms'",
            "ALTER ROLE {app} SET temp_file_limit = -1",
        ],
        "{prod}",
    )
    told = {item.name: item.found for item in audit(settings).recommendations}
    assert told["statement_timeout"] == f"none for {planter.names['app']}"
    assert told["temp_file_limit"] == f"none for {planter.names['app']}"


def test_what_the_server_sets_for_everybody_counts(settings: Settings, planter: Planter) -> None:
    planter.run(
        ["ALTER SYSTEM SET statement_timeout = '5min'", "SELECT pg_reload_conf()"], "{prod}"
    )
    try:
        assert "statement_timeout" not in {item.name for item in audit(settings).recommendations}
    finally:
        planter.run(["ALTER SYSTEM RESET statement_timeout", "SELECT pg_reload_conf()"], "{prod}")


def test_where_prod_is_open_locks_on_it_are_not_bounded(
    settings: Settings, planter: Planter
) -> None:
    planter.run(["GRANT CONNECT ON DATABASE {prod} TO PUBLIC"], "{prod}")
    try:
        found = audit(settings)
    finally:
        planter.run(["REVOKE CONNECT ON DATABASE {prod} FROM PUBLIC"], "{prod}")
    assert found.bounds[0].holds_because is None
    assert "advisory lock" in found.bounds[0].bound


def test_a_template_that_everybody_may_write_to_is_told(
    settings: Settings, planter: Planter
) -> None:
    planter.run(["GRANT CREATE ON SCHEMA public TO PUBLIC"], "template1")
    try:
        found = audit(settings)
    finally:
        planter.run(["REVOKE CREATE ON SCHEMA public FROM PUBLIC"], "template1")
    told = {item.name: item.statement for item in found.recommendations}
    assert told["CREATE on schema public of template1"] == (
        'REVOKE CREATE ON SCHEMA "public" FROM PUBLIC; -- in database template1'
    )
    assert found.findings == ()
