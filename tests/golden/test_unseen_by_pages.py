"""What a rehearsal can change without a page of a table being written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from harness.errors import RefusedError
from harness.golden.changes import Changes
from harness.lifecycle.checkpoint import checkpoint
from harness.lifecycle.compare import differences_from_golden
from harness.lifecycle.refresh import refresh_from_prod
from harness.lifecycle.reset import reset
from harness.progress import Silent
from tests.recovery.tiny import tiny_platform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.settings import Settings

COLUMNS = """
ALTER TABLE public.llx_facture ADD first text DEFAULT 'first', ADD last text DEFAULT 'last'
"""


@pytest.fixture(scope="module")
def settings() -> Iterator[Settings]:
    with tiny_platform(cluster=False) as platform:
        refresh_from_prod(platform.settings, Silent())
        rehearse(platform.settings, COLUMNS)
        checkpoint(platform.settings, Silent())
        yield platform.settings


def rehearse(settings: Settings, statements: str) -> None:
    assert settings.sandbox.application_dsn is not None
    dsn = settings.sandbox.application_dsn.get_secret_value()
    with psycopg.connect(dsn) as connection:
        connection.execute(statements.encode())


@pytest.mark.parametrize(
    "statements",
    [
        pytest.param(
            "ALTER TABLE public.llx_facture DROP COLUMN last;"
            "ALTER TABLE public.llx_facture ADD COLUMN last text DEFAULT 'last'",
            id="a column made anew",
        ),
        pytest.param(
            "ALTER TABLE public.llx_facture RENAME first TO third;"
            "ALTER TABLE public.llx_facture RENAME last TO first;"
            "ALTER TABLE public.llx_facture RENAME third TO last",
            id="two columns that exchange their names",
        ),
        pytest.param(
            "ALTER TABLE public.llx_facture RENAME TO third;"
            "ALTER TABLE public.llx_actioncomm RENAME TO llx_facture;"
            "ALTER TABLE public.third RENAME TO llx_actioncomm",
            id="two tables that exchange their names",
        ),
        pytest.param("CREATE SCHEMA beside; CREATE TABLE beside.notes (a int)", id="a schema"),
        pytest.param("SELECT lo_create(0)", id="a large object"),
    ],
)
def test_is_found_and_restored(settings: Settings, statements: str) -> None:
    rehearse(settings, statements)
    done = reset(settings, Silent())
    assert done.way == "durable"
    assert "definitions have changed" in (done.reason or "")
    assert differences_from_golden(settings) == []
    again = reset(settings, Silent())
    assert (again.way, again.reason) == ("differential", None)
    assert again.changes == Changes(generation=again.generation, listed=settings.golden.listed_rows)


def test_another_owner_is_refused_and_named_since_no_reset_of_the_sandbox_can_take_it_back(
    settings: Settings,
) -> None:
    rehearse(settings, "SET ROLE NONE; ALTER TABLE public.llx_facture OWNER TO SESSION_USER")
    with pytest.raises(RefusedError) as refused:
        reset(settings, Silent())
    assert "relation llx_facture of v-sbx" in str(refused.value)
    rehearse(settings, "SET ROLE NONE; ALTER TABLE public.llx_facture OWNER TO erp_sandbox_role")
    assert reset(settings, Silent()).way == "differential"
