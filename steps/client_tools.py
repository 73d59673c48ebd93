"""The client tools: pg_restore with a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pytest_bdd import given, parsers

from steps import faulty_tools

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.settings import Settings


@pytest.fixture
def with_fault(settings: Settings, tmp_path: Path) -> Callable[[str], Settings]:
    """Puts a faulty pg_restore into the target's settings, for one scenario."""
    return lambda fault: faulty_tools.with_faulty_pg_restore(settings, fault, tmp_path)


@given(
    "a pg_restore that loads nothing of prod and ends with exit code 0", target_fixture="settings"
)
def loads_nothing(with_fault: Callable[[str], Settings]) -> Settings:
    return with_fault(faulty_tools.LOADS_NOTHING)


@given(
    parsers.parse('a pg_restore that leaves out the rows of "{table}" and ends with exit code 0'),
    target_fixture="settings",
)
def leaves_out_rows(with_fault: Callable[[str], Settings], table: str) -> Settings:
    return with_fault(faulty_tools.leaves_out_rows_of(table))


@given("a pg_restore that loads everything and ends with exit code 1", target_fixture="settings")
def ends_with_1(with_fault: Callable[[str], Settings]) -> Settings:
    return with_fault(faulty_tools.ENDS_WITH_1)
