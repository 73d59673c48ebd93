"""Rows that a reset has put elsewhere, on pages that were frozen since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.lifecycle.checkpoint import checkpoint
from harness.lifecycle.reset import reset
from harness.progress import Silent

from .sabotage import DIFFERENTIAL

if TYPE_CHECKING:
    from harness.settings import Settings

    from .ground import Ground

# Ten pages, and nothing that would keep a row from being there twice.
SCHEMA = """
CREATE TABLE public.llx_log (n int, filler text);
INSERT INTO public.llx_log SELECT i, repeat('x', 1000) FROM generate_series(1, 70) AS i;
"""


@pytest.fixture
def settings(ground: Ground) -> Settings:
    return ground.settings.with_golden(find_changes="pages")


@pytest.mark.parametrize(
    "move",
    [
        pytest.param("UPDATE public.llx_log SET n = -n WHERE n = 1", id="to another page"),
        pytest.param("UPDATE public.llx_log SET n = -n WHERE n = 70", id="within the last page"),
    ],
)
def test_they_are_known_to_be_there(ground: Ground, settings: Settings, move: str) -> None:
    ground.lay(SCHEMA)
    golden = ground.holds()
    checkpoint(settings, Silent())
    for rehearsal in (
        [move],
        ["VACUUM (FREEZE) public.llx_log"],
        ["INSERT INTO public.llx_log VALUES (71)", "DELETE FROM public.llx_log WHERE n = 35"],
        ["UPDATE public.llx_log SET n = -n WHERE n = 36"],
    ):
        ground.work(*rehearsal)
        done = reset(settings, Silent())
        assert (done.way, done.reason) == (DIFFERENTIAL, None)
        assert ground.departs_from(golden) == []
