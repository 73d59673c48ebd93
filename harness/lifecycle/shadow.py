"""Keep a shadow beside a golden copy; where that cannot be done, say why and go on without it."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from harness.golden.anatomy import SHADOW
from harness.golden.baseline import Baseline
from harness.golden.doubt import DoubtError
from harness.golden.outset import estimate, look
from harness.golden.shadow import drop_shadow, freeze, make_shadow, take_baseline
from harness.postgres.connection import connect, exported_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.golden.outset import Outset
    from harness.golden.shadow import Filled
    from harness.golden.store import Generation
    from harness.lifecycle.operation import Operation
    from harness.postgres.fence import Fence
    from harness.postgres.fingerprint import Fingerprint


@dataclass(slots=True)
class ShadowKeeper:
    """Makes a shadow in three steps, with the snapshot of the golden copy in the middle.

    Args:
        op: The run.
        fence: Held, or nothing is written.
        doubt: Why there is no shadow; None as long as all goes well.
    """

    op: Operation
    fence: Fence
    doubt: str | None = None
    _outset: Outset | None = None
    _filled: Filled | None = None

    def prepare(self) -> None:
        """Before the snapshot: freeze every page, and see how the sandbox stands."""
        op = self.op
        for folder in op.golden.folders():
            Baseline.forget(folder)
        if not op.settings.golden.shadow:
            self.doubt = "golden.shadow is off"
            return
        with self._leaving_it(), op.phase("freeze the tables", detail=self._cost()):
            freeze(op.sandbox, op.run, op.deadlines, "public")
            self._outset = look(op.sandbox, op.run, op.deadlines)

    def fill(self, snapshot: str) -> None:
        """While the snapshot is held: copy every table as it sees it."""
        op = self.op
        if self._outset is None:
            return
        with self._leaving_it(), op.phase("fill the shadow"):
            self._filled = make_shadow(
                op.sandbox, op.run, op.deadlines, snapshot, self._outset, self.fence.assert_held
            )

    def finish(self, folder: Path, fingerprint: Fingerprint) -> None:
        """After the snapshot: freeze the shadow, and write down what a reset will believe.

        Args:
            folder: The folder of the golden copy.
            fingerprint: What the snapshot saw.
        """
        op = self.op
        if self._outset is None or self._filled is None:
            return
        with self._leaving_it(), op.phase("freeze the shadow"):
            freeze(op.sandbox, op.run, op.deadlines, SHADOW)
            with connect(op.sandbox, op.run, "shadow", op.deadlines, read_only=True) as session:
                baseline = take_baseline(
                    session,
                    self._filled,
                    self._outset,
                    fingerprint,
                    folder.name,
                    op.identity,
                    op.settings.checks.provisioner_functions,
                )
            baseline.write(folder)

    def _cost(self) -> str:
        op = self.op
        with connect(op.sandbox, op.run, "shadow", op.deadlines, read_only=True) as session:
            cost = estimate(session)
        return f"the shadow: about {cost.size / 1e6:,.0f} MB and {cost.seconds:,.0f} s"

    @contextmanager
    def _leaving_it(self) -> Iterator[None]:
        """Go on without a shadow, and without half of one, where it cannot be made."""
        try:
            yield
        except (DoubtError, psycopg.Error) as error:
            self._outset = self._filled = None
            self.doubt = str(error).partition("\n")[0]
            op = self.op
            with (
                suppress(DoubtError, psycopg.Error),
                connect(op.sandbox, op.run, "shadow", op.deadlines) as session,
            ):
                drop_shadow(session, op.sandbox, self.fence.assert_held)


def renew_shadow(op: Operation, fence: Fence, golden: Generation) -> str | None:
    """Make a shadow of content that was just verified to be a golden copy's.

    Nobody else may be able to write meanwhile.

    Returns:
        Why there is none; None if there is.
    """
    keeper = ShadowKeeper(op, fence)
    keeper.prepare()
    with (
        connect(op.sandbox, op.run, "snapshot", op.deadlines, read_only=True) as session,
        exported_snapshot(session) as snapshot,
    ):
        keeper.fill(snapshot)
    keeper.finish(golden.folder, golden.manifest.fingerprint)
    return keeper.doubt
