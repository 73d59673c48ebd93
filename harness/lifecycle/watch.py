"""Watch: undo what a dead run has left, as soon as its Lease may be taken; and go on watching.

Whether a run is dead is judged as everywhere: its Lease stands still for its whole length, on this
process's own clock. A living run is left alone. Of several watchdogs one gets the Lease. Where
nobody is at work and half a content is left, as by a run that the database was taken from, it is
reset to the golden copy. Only who holds the Lease leaves half a content, so that is looked at once
each time the Lease has changed hands: a look takes a login, which may have to be leased.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from harness.cluster import client
from harness.credentials.sources import logins
from harness.errors import LifecycleError, RefusedError
from harness.golden.store import GoldenStore
from harness.lifecycle.interrupts import Interrupts
from harness.lifecycle.recover import recover
from harness.lifecycle.reset import reset
from harness.postgres import mark
from harness.postgres.connection import Run, connect
from harness.sides import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.cluster.client import Cluster
    from harness.cluster.term import LeaseState
    from harness.deadlines import Deadlines
    from harness.lifecycle.recover import Recovered
    from harness.progress import Progress
    from harness.settings import Settings
    from harness.settings.cluster import ClusterSettings

_FIRST_RETRY = 1.0
"""Seconds after a first failure; each that follows at once waits twice as long."""


def watch(
    settings: Settings,
    progress: Progress,
    tell: Callable[[str], None],
    alive: Callable[[], None],
) -> None:
    """Watch until interrupted.

    Args:
        settings: The target.
        progress: Is told of every phase of a recovery.
        tell: Is told, in one line each, what was found and done.
        alive: Called in every round, and at every phase of a recovery.

    Raises:
        ConfigurationError: Nobody runs the application, so there is no Lease to watch.
        KeyboardInterrupt: A signal came; whatever was begun is finished or undone.
    """
    names = settings.clustered(
        "there is no Lease to watch", expected="the cluster that runs the sandbox's application"
    )
    tell(f"watching Lease {names.lease} in namespace {names.namespace}")
    watchdog = _Watchdog(settings, names, progress, tell)
    with Interrupts() as interrupts:
        pauses = _Pauses(settings.deadlines, interrupts)
        while True:
            alive()
            try:
                watchdog.look(pauses, alive)
            except LifecycleError as error:
                seconds = pauses.after_failure()
                tell(f"attempt {pauses.failures} failed, the next in {seconds:g} s: {_line(error)}")
                pauses.wait(seconds)


class _Pauses:
    """How long to wait between two looks."""

    def __init__(self, deadlines: Deadlines, interrupts: Interrupts) -> None:
        self.failures = 0
        self.round = deadlines.watch_round.seconds
        self._longest = deadlines.watch_retry.seconds
        self._interrupts = interrupts
        self._never = threading.Event()

    def after_failure(self) -> float:
        self.failures += 1
        return min(_FIRST_RETRY * 2.0 ** (self.failures - 1), self._longest)

    def wait(self, seconds: float) -> None:
        # One that came while something was put back takes effect here, and one that comes now.
        with self._interrupts.let_through():
            self._never.wait(seconds)


class _Watchdog:
    """What is known from one round to the next.

    Args:
        settings: The target.
        cluster: The part of them about the cluster.
        progress: Is told of every phase of a recovery.
        tell: Is told what was found and done.
    """

    def __init__(
        self,
        settings: Settings,
        cluster: ClusterSettings,
        progress: Progress,
        tell: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._cluster = cluster
        self._progress = progress
        self._tell = tell
        self._known = ""
        self._whole_since: tuple[str, int] | None = None
        self._run = Run()

    def look(self, pauses: _Pauses, alive: Callable[[], None]) -> None:
        """Look again and again, by one connection, until something fails.

        Raises:
            LifecycleError: The cluster does not answer, or a recovery failed.
        """
        with client.connect(self._cluster, self._settings.deadlines) as cluster:
            while True:
                alive()
                state = cluster.lease.read()
                free = self._dead_run(cluster, state)
                if free is not None:
                    self._recover(free)
                elif state.identity is None and self._lacks_content(state):
                    self._reset()
                elif pauses.failures:
                    self._tell(f"all is well again after {pauses.failures} failed attempts")
                pauses.failures = 0
                pauses.wait(pauses.round)

    def _dead_run(self, cluster: Cluster, state: LeaseState) -> LeaseState | None:
        """The Lease of a run that is dead and has left something; None where there is none.

        It takes as long as the Lease lasts to see that a run on another machine is dead.
        """
        journal = state.journal or cluster.application.read().journal
        if state.identity is None and journal is None:
            self._once("")
            return None
        try:
            free = cluster.lease.wait_until_free()
        except RefusedError:
            self._once(f"a run is at work, and is left alone: the Lease is {_holder(state)}")
            return None
        if free.identity is None and free.journal is None and state.identity is not None:
            return None  # it has ended meanwhile, and has put everything back
        self._once("")
        self._tell(f"a run has died: the Lease was {free}" if free.identity else _UNFINISHED)
        return free

    def _recover(self, free: LeaseState) -> None:
        try:
            done = recover(self._settings, self._progress, free=free)
        except RefusedError as error:
            self._tell(f"somebody else was first: {_line(error)}")
            return
        self._tell(_told(done))

    def _lacks_content(self, state: LeaseState) -> bool:
        """Whether nobody is at work, half a content is there, and a golden copy of it.

        So it is where the database was away when a run wanted to put the content back, or where the
        application was started meanwhile and could not be stopped.
        """
        own, hands = self._settings.golden, (state.uid, state.token)
        store = GoldenStore(own.directory, own.generations)
        if hands == self._whole_since or not store.generations():
            return False
        if self._content() == "incomplete":
            return True
        self._whole_since = hands
        return False

    def _content(self) -> str:
        # A session for each look: one that stayed would end with the first restart of the server.
        deadlines = self._settings.deadlines
        with logins(self._settings, self._run.id) as found:
            for text in found.told:
                self._tell(text)
            sandbox = Sandbox.of(found.settings)
            with connect(sandbox, self._run, "mark", deadlines, read_only=True) as session:
                stands = mark.read(session)
        return stands.content if stands else "empty"

    def _reset(self) -> None:
        self._tell("nobody is at work, and the content is incomplete: it is reset")
        try:
            done = reset(self._settings, self._progress)
        except RefusedError as error:
            self._tell(f"somebody else was first: {_line(error)}")
            return
        self._tell(f"reset: golden copy {done.generation} was put back")

    def _once(self, text: str) -> None:
        """Tell what holds on, when it begins and not in every round."""
        if text and text != self._known:
            self._tell(text)
        self._known = text


_UNFINISHED = "a run has ended without putting everything back"


def _told(done: Recovered) -> str:
    found = [
        f"run {done.dead_run} is undone" if done.dead_run else "nothing was outstanding",
        f"the content is {done.content}",
        *([f"golden copy {done.golden} was put back"] if done.golden else []),
        *done.told,
        f"{sum(done.seconds.values()):.1f} s",
    ]
    return f"recovered: {'; '.join(found)}"


def _holder(state: LeaseState) -> str:
    """Who holds it, without the times: those change while the same run goes on."""
    holder = state.holder
    return f"held by run {holder.run}, pid {holder.pid} on {holder.host}" if holder else str(state)


def _line(error: LifecycleError) -> str:
    """An error in one line."""
    parts = [error.what, *([f"found: {error.found}"] if error.found else [])]
    return " ".join("; ".join(parts).split())
