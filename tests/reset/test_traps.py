"""What a naive reset gets wrong, the reset gets right: each trap is walked into by both.

Where nothing is in the way every naive protocol is right, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.lifecycle.checkpoint import checkpoint
from harness.lifecycle.reset import reset
from harness.progress import Silent

from . import naive, naive_undo, traps_of_finding, traps_of_undoing
from .traps import DIFFERENTIAL, EITHER, LINES, Trap, rehearsed, sql

if TYPE_CHECKING:
    from harness.lifecycle.reset import ResetDone
    from harness.settings import Settings

    from .ground import Ground
    from .traps import Protocol

TRAPS = traps_of_finding.TRAPS | traps_of_undoing.TRAPS
PROTOCOLS = sorted({trap.protocol for trap in TRAPS.values()}, key=lambda each: each.__name__)


def reset_naively(ground: Ground, trap: Trap) -> list[str]:
    """What is wrong after the naive protocol."""
    kept: list[naive.Kept] = []

    def prepare() -> None:
        with ground.application() as session:
            kept.append(naive.Kept.of(session, with_heirs=trap.with_heirs))

    ground.lay(trap.schema)
    golden = ground.holds()
    with (
        rehearsed(ground, trap, prepare),
        ground.application() as session,
        session.transaction(),
    ):
        trap.protocol(kept[0], session)
    return ground.departs_from(golden)


def reset_really(ground: Ground, trap: Trap, settings: Settings) -> ResetDone:
    """The same trap, and the real reset."""
    ground.lay(trap.schema)
    with rehearsed(ground, trap, lambda: checkpoint(settings, Silent()) and None):
        return reset(settings, Silent())


@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_catches_the_naive_protocol(ground: Ground, name: str) -> None:
    trap = TRAPS[name]
    if trap.error is not None:
        with pytest.raises(trap.error):
            reset_naively(ground, trap)
    else:
        assert reset_naively(ground, trap) != []


@pytest.mark.parametrize("find_changes", ["pages", "scan"])
@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_does_not_catch_the_reset(ground: Ground, name: str, find_changes: str) -> None:
    trap = TRAPS[name]
    settings = ground.settings.with_golden(find_changes=find_changes)
    done = reset_really(ground, trap, settings)
    ground.assert_golden()
    if trap.way != EITHER:
        assert (done.way, done.reason is None) == (trap.way, trap.way == DIFFERENTIAL), done.reason


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda each: each.__name__)
def test_where_no_trap_is_the_naive_protocol_is_right(ground: Ground, protocol: Protocol) -> None:
    rows = [
        "INSERT INTO public.llx_lines (rowid, label, n) VALUES (900, 'new', 1)",
        "UPDATE public.llx_lines SET label = 'changed' WHERE n = 3",
        "DELETE FROM public.llx_lines WHERE n = 5",
    ]
    called = "CREATE SEQUENCE public.llx_called; SELECT nextval('public.llx_called')"
    is_of_sequences = protocol is naive_undo.sequences_by_setval
    work = ["SELECT nextval('public.llx_called')"] if is_of_sequences else rows
    schema = called if is_of_sequences else LINES
    assert reset_naively(ground, Trap(protocol, schema, sql(*work))) == []
