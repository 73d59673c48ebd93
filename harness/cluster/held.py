"""A Lease that this run holds: renewed in the background, and asserted before every write."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Self

from harness.cluster.errors import ApiError, LostError, MissingError
from harness.cluster.term import LeaseState, given_up, journalled, renewed

if TYPE_CHECKING:
    from types import TracebackType

    from harness.cluster.api import Api
    from harness.cluster.resources import Obj, Target

_RENEWALS = 3
"""How many times in its length a Lease is renewed, so that two may fail."""


class Held:
    """The right to write to the sandbox, for the length of the block.

    At its end the Lease is given up. The journal stays where it has not been cleared: whatever is
    still to be undone is for the next run to find.

    Args:
        api: The cluster's API.
        target: The Lease.
        state: What this run has written there.
        seconds: How long it lasts.
    """

    def __init__(self, api: Api, target: Target, state: LeaseState, seconds: int) -> None:
        self._api = api
        self._target = target
        self._state = state
        self._seconds = seconds
        self._journal = state.journal
        self._lost: LostError | None = None
        self._given_up = False
        self._renewed = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    @property
    def token(self) -> int:
        """The fencing token."""
        return self._state.token

    @property
    def journal(self) -> str | None:
        """What has to be undone, as this run has found or written it."""
        return self._journal

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._give_up(self._journal)
        except (LostError, ApiError) as failure:
            if error is None:
                raise
            error.add_note(f"  and the Lease could not be given up: {failure}")
        finally:
            self._end_renewing()

    def assert_held(self) -> None:
        """Ask the server whether the Lease is still this run's; to be called before every write.

        Raises:
            LostError: Another has it, or it was deleted.
            ApiError: The server does not tell.
        """
        if self._lost is not None:
            raise self._lost
        if time.monotonic() - self._renewed >= self._seconds:
            # Another may take it at any moment: only a write can tell who was first.
            self._write(renewed())
        else:
            self._read()

    def update_journal(self, journal: str | None) -> None:
        """Write down what has to be undone from now on; None if nothing has.

        Raises:
            LostError: The Lease is no longer this run's.
        """
        self._write(renewed() | journalled(journal))
        self._journal = journal

    def release(self) -> None:
        """Clear the journal and give the Lease up, in one write: nothing is left to be undone.

        Raises:
            LostError: The Lease is no longer this run's.
        """
        self._give_up(None)
        self._journal = None

    def _give_up(self, journal: str | None) -> None:
        if self._given_up:
            return
        self._end_renewing()
        after = (None, self.token, journal)
        self._write(given_up() | journalled(journal), after=after)
        self._given_up = True

    def _end_renewing(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _keep(self) -> None:
        """Renew until told to end; runs in a thread of its own."""
        pause = self._seconds / _RENEWALS
        while not self._stop.wait(pause):
            pause = self._seconds / _RENEWALS
            try:
                self._write(renewed(), cancel=self._stop)
            except LostError as error:
                self._lost = error
                return
            except ApiError:
                pause = 0  # as long as nobody has taken it, a late renewal is as good as any

    def _read(self) -> None:
        try:
            self._must_be_ours(LeaseState.of(self._api.get(self._target)))
        except MissingError as error:
            raise self._is_lost("it was deleted") from error

    def _write(
        self,
        patch: Obj,
        *,
        after: tuple[None, int, str | None] | None = None,
        cancel: threading.Event | None = None,
    ) -> None:
        """Patch the Lease if it is ours, or if it stands already as it shall be `after`."""

        def change(found: Obj) -> Obj | None:
            state = LeaseState.of(found)
            if after == (state.identity, state.token, state.journal):
                return None  # an answer was lost, not the write
            self._must_be_ours(state)
            return patch

        started = time.monotonic()
        try:
            self._api.swap(self._target, change, cancel=cancel)
        except MissingError as error:
            raise self._is_lost("it was deleted") from error
        self._renewed = started

    def _must_be_ours(self, state: LeaseState) -> None:
        if (state.uid, state.identity, state.token) == (
            self._state.uid,
            self._state.identity,
            self._state.token,
        ):
            return
        made_anew = state.uid != self._state.uid
        raise self._is_lost(f"{'it was made anew, and is ' if made_anew else ''}{state}")

    def _is_lost(self, found: str) -> LostError:
        return LostError(
            f"{self._target} is no longer this run's",
            found=found,
            expected=f"run {self._state.holder.run if self._state.holder else self._state.identity}"
            f" with fencing token {self.token}",
            remedy="sandbox-lifecycle recover, when the other run has ended",
        )
