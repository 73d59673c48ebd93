"""A target for each PostgreSQL at hand, and one twin of it, which every test leaves as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from harness.deadlines import Deadlines
from harness.integrity.attacks.attempts import attempt_all
from harness.integrity.twin import likeness
from harness.integrity.twin.server import Twin, twin_of
from harness.local.platform import LocalOptions, local_platform
from harness.postgres.connection import Run
from harness.progress import Silent
from tests.at_hand import BOTH, binaries_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.integrity.attacks.attempts import Attempt
    from harness.integrity.twin.likeness import Likeness
    from harness.local.platform import LocalPlatform

# In a row, in the histogram of its column, and nowhere else.
MARK = "known to prod alone"
_MARKED = (
    "UPDATE public.llx_societe SET nom = %s",
    "SELECT pg_catalog.lo_from_bytea(0, %s::text::bytea)",
)


@pytest.fixture(scope="package", params=BOTH)
def target(request: pytest.FixtureRequest) -> Iterator[LocalPlatform]:
    """The wheel's PostgreSQL, and Debian's 15 where it is installed, with a sample prod on it."""
    binaries = binaries_of(request.param)
    options = LocalOptions(
        postgres=f"binaries:{binaries.bin}", scale=0.01, durable=False, cluster=False
    )
    with local_platform(options, Silent()) as platform:
        with psycopg.connect(platform.settings.prod.dsn.get_secret_value()) as prod:
            for statement in _MARKED:
                prod.execute(statement, (MARK,))
            prod.execute("ANALYZE public.llx_societe")
        yield platform


@pytest.fixture(scope="package")
def twin(target: LocalPlatform) -> Iterator[Twin]:
    """Its twin, for tests that plant something and take it away again."""
    with twin_of(target.settings, Run(), Silent()) as twin:
        assert isinstance(twin, Twin), twin.why
        before = _rights(twin)
        yield twin
        assert _rights(twin) == before


@pytest.fixture(scope="package")
def attempts(twin: Twin) -> tuple[Attempt, ...]:
    """Every attempt, as every identity, on the twin as it was built."""
    return attempt_all(twin, Deadlines(), Silent())


def _rights(twin: Twin) -> Likeness:
    databases = [twin.prod.database, twin.sandbox_database, "postgres", "template1"]
    with twin.administer() as admin:
        return likeness.of_database(admin) | likeness.of_server(admin, databases)
