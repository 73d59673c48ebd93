"""The Lease: one run at a time works on the sandbox, and what it has to undo outlives it.

Holder, term and journal stand in one object, so taking the Lease and saying what will have to be
undone is one write. `leaseTransitions` is the fencing token: it grows with every holder.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from harness.cluster.errors import APPLY_MANIFESTS, MissingError, NotYetError, before_any_change
from harness.cluster.held import Held
from harness.cluster.resources import LEASES, Target
from harness.cluster.term import LeaseState, granted
from harness.deadlines import eventually
from harness.errors import ConfigurationError, RefusedError

if TYPE_CHECKING:
    from harness.cluster.api import Api
    from harness.cluster.holder import Holder
    from harness.cluster.resources import Obj
    from harness.deadlines import Deadlines
    from harness.settings.cluster import ClusterSettings

_LOOKS = 20
"""How many times in its length a Lease is looked at: it is seen free that much late."""


class Lease:
    """The Lease of the sandbox.

    Args:
        api: The cluster's API.
        settings: Which Lease, and how long it lasts.
        deadlines: The table of deadlines.
    """

    def __init__(self, api: Api, settings: ClusterSettings, deadlines: Deadlines) -> None:
        self._api = api
        self._deadlines = deadlines
        self._seconds = settings.lease_seconds
        self._target = Target(LEASES, settings.namespace, settings.lease)

    def read(self) -> LeaseState:
        """The Lease as it is now.

        Raises:
            ConfigurationError: There is none, or it cannot be read.
        """
        try:
            with before_any_change():
                return LeaseState.of(self._api.get(self._target))
        except ConfigurationError as error:
            if not isinstance(error.__cause__, MissingError):
                raise
            raise ConfigurationError(
                error.what,
                found=error.found,
                expected="the Lease of the manifests: the harness may not create one",
                remedy=f"{APPLY_MANIFESTS}; nothing has been changed",
            ) from error

    def acquire(
        self, holder: Holder, journal: str | None = None, *, free: LeaseState | None = None
    ) -> Held:
        """Take the Lease, as soon as it is known that nobody holds it.

        A holder on this machine is looked at: it lives, or is dead. Any other lives if the Lease is
        renewed; one that is seen to stand still for its whole length, on this machine's own clock,
        is dead.

        Args:
            holder: This process.
            journal: What will have to be undone, in the same write. None: the journal that is there
                stays, and is found in the result.
            free: What `wait_until_free` has returned; None: it is waited for here.

        Raises:
            RefusedError: Another run holds it, or its undo is outstanding; nothing was changed.
            ConfigurationError: There is no Lease, or the API does not answer.
        """
        seen = free or self.wait_until_free()

        def change(found: Obj) -> Obj | None:
            state = LeaseState.of(found)
            if state.identity == str(holder):
                return None  # an answer was lost, not the write
            if state.identity is not None and state.sign_of_life != seen.sign_of_life:
                raise self._taken(state)
            if journal is not None and state.journal not in {None, journal}:
                raise self._outstanding()
            return granted(
                str(holder),
                seconds=self._seconds,
                token=state.token + 1,
                journal=state.journal if journal is None else journal,
            )

        with before_any_change():
            written = LeaseState.of(self._api.swap(self._target, change))
        return Held(self._api, self._target, written, self._seconds)

    def wait_until_free(self) -> LeaseState:
        """Wait until nobody holds it any more, and change nothing.

        Raises:
            RefusedError: Another run holds it.
            ConfigurationError: There is no Lease, or the API does not answer.
        """
        first, seen = self.read(), time.monotonic()
        length = self._seconds if first.seconds is None else first.seconds

        def look() -> LeaseState:
            state = self.read()
            lives = state.holder.lives if state.holder is not None else None
            if state.identity is None or lives is False:
                return state
            if lives or state.sign_of_life != first.sign_of_life:
                raise self._taken(state)
            if time.monotonic() - seen >= length:
                return state
            raise NotYetError(str(state))

        try:
            every = min(1.0, length / _LOOKS)
            return eventually(look, self._deadlines.lease_takeover, every=every, on=NotYetError)
        except NotYetError as error:
            raise self._taken(first) from error

    def _taken(self, state: LeaseState) -> RefusedError:
        return RefusedError(
            "another run is working on the sandbox",
            found=f"{self._target} is {state}",
            expected="one run at a time",
            remedy="wait until it has ended, or end it; nothing has been changed",
        )

    def _outstanding(self) -> RefusedError:
        return RefusedError(
            "an interrupted run has left something to be undone",
            found=f"its journal in {self._target}",
            expected="none, before a new run begins",
            remedy="sandbox-lifecycle recover; nothing has been changed",
        )
