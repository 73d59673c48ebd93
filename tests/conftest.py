"""What all tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import settings

if TYPE_CHECKING:
    import pytest

# Examples are not remembered: a checkout may be read-only, and a run must not depend on the last.
settings.register_profile("project", database=None, deadline=None)
settings.load_profile("project")

_LONGEST = ("tests/reset/test_property.py", "tests/reset/test_hammered.py")
"""A few tests of minutes each: begun last, they would keep one worker busy and the others idle."""


def pytest_configure(config: pytest.Config) -> None:
    """Let workers take files in the order of collection, and not those of few tests last."""
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first; all others stay in their order."""
    items.sort(key=lambda item: not item.nodeid.startswith(_LONGEST))
