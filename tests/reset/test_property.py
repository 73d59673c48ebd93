"""Whatever the schema, its rows and the rehearsal: a reset is exact, and so is the list of changes.

`RESET_EXAMPLES=5000` tries as many examples; the default is what CI has the time for.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, event, given
from hypothesis import settings as hypothesis_settings

from harness.errors import RefusedError
from harness.lifecycle.changes import changes
from harness.lifecycle.checkpoint import checkpoint
from harness.lifecycle.compare import differences_from_golden
from harness.lifecycle.reset import reset
from harness.progress import Silent

from .full_comparison import Content, change, changed, moved, of_another_form, told
from .playing import Players, lay
from .rehearsals import examples

if TYPE_CHECKING:
    from harness.golden.changes import Changes
    from harness.lifecycle.reset import ResetDone
    from harness.postgres.difference import Difference
    from harness.settings import Settings

    from .ground import Ground
    from .rehearsals import Example

EXAMPLES = int(os.environ.get("RESET_EXAMPLES", "300"))
# Of the resets, so many of a hundred must have gone the fast way, or the fast way is not tested.
ENOUGH = 50
# Waiting for sessions that never go is what an example that leaves them open is made for.
_SHORT = 0.02
DIFFERENTIAL = "differential"


class Judge:
    """Resets the sandbox in every way, and compares each answer with one of its own.

    Args:
        ground: The sandbox.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.ways: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()

    def judge(self, example: Example) -> None:
        """Walk through one example: twice from the same checkpoint, where the fast way is open."""
        ground = self._ground
        scale = _SHORT if example.stay else 1.0
        settings = ground.settings.model_copy(update={"deadline_scale": scale})
        lay(ground, example)
        with Players(ground, example) as players:
            taken = checkpoint(settings, Silent())
            has_shadow = taken.no_shadow is None
            assert has_shadow or example.schema.takes_a_name_of_the_shadow, taken.no_shadow
            event(f"shadow: {has_shadow}")
            walk = Walk(ground, self._content(), has_shadow)
            way = self._walk(walk, players, settings.with_golden(find_changes="pages"))
        if way == DIFFERENTIAL:
            with Players(ground, example) as players:
                self._walk(walk, players, settings.with_golden(find_changes="scan"))

    def _walk(self, walk: Walk, players: Players, settings: Settings) -> str:
        played = players.play()
        event(f"statements: {'none' if not played else 'few' if played < 6 else 'many'}")
        now = self._content()
        redefined = [
            each
            for each in differences_from_golden(settings)
            if each.kind not in ("rows", "sequence value")
        ]
        found = changes(settings, Silent()).changes
        walk.compare(found, now, redefined)
        other = "scan" if settings.golden.find_changes == "pages" else "pages"
        again = changes(settings.with_golden(find_changes=other), Silent()).changes
        assert told(again) == told(found)
        assert self._content() == now, "looking has changed something"
        done = self._reset(players, settings, now)
        self.ways[done.way] += 1
        self.reasons[" ".join((done.reason or "").split()[:4])] += 1
        event(f"way: {done.way}")
        assert (done.way == DIFFERENTIAL) == (done.reason is None)
        if done.changes is not None:
            walk.compare(done.changes, now, redefined)
        assert list(map(str, differences_from_golden(settings))) == [], (done.way, done.reason)
        assert self._content() == walk.golden, (done.way, done.reason)
        return done.way

    def _reset(self, players: Players, settings: Settings, before: Content) -> ResetDone:
        try:
            return reset(settings, Silent())
        except RefusedError:
            if not players.are_open:
                raise
        # What cannot be undone beside open sessions has to wait until they are gone.
        event("refused while sessions were open")
        assert self._content() == before
        players.close()
        return reset(settings, Silent())

    def _content(self) -> Content:
        with self._ground.superuser() as session:
            session.execute("SET TimeZone = 'UTC'")
            return Content.read(session)


@dataclass(frozen=True)
class Walk:
    """One example under way.

    Args:
        ground: The sandbox.
        golden: What it held at the checkpoint.
        has_shadow: Whether there is one to compare with.
    """

    ground: Ground
    golden: Content
    has_shadow: bool

    def compare(self, found: Changes, now: Content, redefined: list[Difference]) -> None:
        """The list of changes against what reading everything twice says."""
        expected, golden = changed(self.golden, now), self.golden
        counted = {table.table: table for table in found.tables}
        # A large object is no part of a golden copy: that there is one must be told.
        is_redefined = bool(redefined) or golden.large_objects != now.large_objects
        assert bool(found.objects) == is_redefined, (found.objects, redefined)
        assert found.uncounted.keys() & counted.keys() == set()
        assert is_redefined or not self.has_shadow or not found.uncounted
        for table in expected.keys() - found.uncounted.keys():
            assert table in counted, (table, expected[table])
            own, rows = counted[table], expected[table].rows
            assert (own.inserted, own.updated, own.deleted) == tuple(
                expected[table].count(kind) for kind in ("inserted", "updated", "deleted")
            ), (own, rows)
            key = golden.tables[table].key or tuple(golden.tables[table].columns)
            # Of a setting the list also tells the name.
            listed = Counter(
                change(row.kind, {each: row.key[each] for each in key}, row.before, row.after)
                for row in own.rows
            )
            assert listed <= rows, (listed - rows, rows - listed)
            for kind in ("inserted", "updated", "deleted"):
                number = sum(row.kind == kind for row in own.rows)
                assert number == min(expected[table].count(kind), found.listed)
        # A column of another type: rows that are away are told, and nothing here can compare them.
        assert counted.keys() - expected.keys() <= of_another_form(golden, now), counted
        steps = {each.sequence: (each.before, each.after) for each in found.sequences}
        assert steps == moved(golden, now)
        assert found.is_nothing == (not (expected or steps or is_redefined))


def test_whatever_was_done_a_reset_is_exact_and_the_list_of_changes_too(ground: Ground) -> None:
    judge = Judge(ground)

    @hypothesis_settings(
        max_examples=EXAMPLES,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(examples())
    def every_example(example: Example) -> None:
        judge.judge(example)

    every_example()
    assert judge.ways[DIFFERENTIAL] * 100 >= ENOUGH * judge.ways.total(), judge.ways
