"""What the closure reports as a path is one: on a twin the attempt that goes along it succeeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.deadlines import Deadlines
from harness.integrity.attacks.attempts import attempt_all
from harness.integrity.attacks.catalogue import catalogue
from harness.integrity.attacks.measures import MEASURES
from harness.integrity.twin.server import Twin, twin_of
from harness.postgres.connection import Run
from harness.progress import Silent
from tests.integrity.mutations import MUTATIONS, Mutation
from tests.integrity.planting import Planter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.local.platform import LocalPlatform

ATTACKED = [mutation for mutation in MUTATIONS if mutation.attack]


@pytest.fixture(scope="package")
def planted_twin(platform: LocalPlatform) -> Iterator[Twin]:
    with twin_of(platform.settings, Run(), Silent()) as twin:
        assert isinstance(twin, Twin), twin.why
        assert twin.left_out == ()
        yield twin


def test_each_names_an_attempt_that_there_is() -> None:
    known = {attack.name for attack in catalogue()} | {measure.name for measure in MEASURES}
    assert [each.name for each in ATTACKED if each.attack not in known] == []
    assert len(ATTACKED) >= 30


@pytest.mark.parametrize("mutation", ATTACKED, ids=lambda mutation: mutation.name)
def test_its_attempt_succeeds(
    planted_twin: Twin, platform: LocalPlatform, mutation: Mutation
) -> None:
    if mutation.since > planted_twin.blueprint.major:
        pytest.skip(f"PostgreSQL {planted_twin.blueprint.major} knows no such thing")
    assert mutation.attack is not None
    # The server waits five seconds for others to leave before it drops a database.
    deadlines = Deadlines().scaled(0.1 if mutation.attack == "drop prod" else 1)
    with Planter(planted_twin.superuser, platform.settings).planted(mutation):
        made = attempt_all(planted_twin, deadlines, Silent(), only={mutation.attack})
    succeeded = {each.name for each in made if each.verdict != "holds"}
    assert mutation.attack in succeeded
