"""Alone with the sandbox: other runs kept out, and nobody writing."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from harness.lifecycle.standstill import leased, standstill, still_away

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.lifecycle.journal import Verb
    from harness.lifecycle.operation import Operation
    from harness.postgres.fence import Fence


@contextmanager
def working_alone(op: Operation, verb: Verb) -> Iterator[Fence]:
    """Nobody but this run can write to the sandbox: its application is stopped meanwhile.

    Raises:
        ConfigurationError, RefusedError: The run cannot begin; nothing has been changed.
        UndoOutstandingError: Something could not be put back.
    """
    with ExitStack() as stack:
        also = []
        if op.cluster is not None:
            held = stack.enter_context(standstill(op, op.cluster, verb))
            also.append(still_away(op.cluster, held))
        fence = stack.enter_context(op.fenced(*also))
        op.drain()
        yield fence


@contextmanager
def reading_alone(op: Operation, verb: Verb) -> Iterator[Fence]:
    """Other runs are kept out; the application goes on.

    Raises:
        ConfigurationError, RefusedError: The run cannot begin; nothing has been changed.
    """
    with ExitStack() as stack:
        also = []
        if op.cluster is not None:
            held, _journal = stack.enter_context(leased(op, op.cluster, verb))
            # Nothing of the cluster is changed, so the journal goes whatever comes.
            stack.callback(held.release)
            also.append(held.assert_held)
        stack.enter_context(op.interrupts.let_through())
        yield stack.enter_context(op.fenced(*also))
