"""The Application of Argo CD: pause self-heal, wait until that is seen, and re-arm it exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.cluster.appstate import AppState, Paused, Rearmed
from harness.cluster.errors import ChangedMeanwhileError, NotYetError, before_any_change
from harness.cluster.owners import refuse_owners
from harness.cluster.policy import SyncPolicy, pausing, restoring
from harness.cluster.resources import APPLICATIONS, Target
from harness.cluster.trespass import rehearse
from harness.deadlines import eventually
from harness.errors import FailedError, RefusedError
from harness.manifests import JOURNAL_ANNOTATION, REFRESH_ANNOTATION

if TYPE_CHECKING:
    from harness.cluster.api import Api
    from harness.cluster.held import Held
    from harness.cluster.resources import Obj
    from harness.cluster.trespass import Write
    from harness.deadlines import Deadlines
    from harness.settings.cluster import ClusterSettings

_JOURNAL_POINTER = f"/metadata/annotations/{JOURNAL_ANNOTATION.replace('/', '~1')}"
_SKIP_ANNOTATION = "argocd.argoproj.io/skip-reconcile"
_FINAL_PHASES = {"Succeeded", "Failed", "Error"}
_POLL = 0.1


class Application:
    """The Application of the sandbox.

    Args:
        api: The cluster's API.
        settings: Which Application.
        deadlines: The table of deadlines.
    """

    def __init__(self, api: Api, settings: ClusterSettings, deadlines: Deadlines) -> None:
        self._api = api
        self._deadlines = deadlines
        self._prod = settings.prod_namespace
        self._target = Target(APPLICATIONS, settings.argocd_namespace, settings.application)

    def read(self) -> AppState:
        """The Application as it is now.

        Raises:
            MissingError: There is none of this name.
            ApiError: It cannot be read.
        """
        return AppState.of(self._api.get(self._target))

    def refuse_unpausable(self) -> AppState:
        """Keep the harness off an Application that it could not pause, or whose pause is undone.

        One without automated sync is no obstacle; `policy.automated_on` tells.

        Raises:
            ConfigurationError: It is not there, or cannot be read.
            RefusedError: An ApplicationSet or a parent Application would undo the pause, or Argo CD
                was told not to look at it.
        """
        with before_any_change():
            found = self._api.get(self._target)
            annotations = found["metadata"].get("annotations") or {}
            if annotations.get(_SKIP_ANNOTATION) == "true":
                raise RefusedError(
                    f"Argo CD was told not to look at {self._target}",
                    found=f"annotation {_SKIP_ANNOTATION}: true",
                    expected="an Argo CD that can acknowledge the pause",
                    remedy=f"remove the annotation {_SKIP_ANNOTATION}; nothing has been changed",
                )
            state = AppState.of(found)
            if state.policy.automated_on:
                refuse_owners(self._api, self._target, found, self._drops_enabled)
        return state

    def rehearse_trespasses(self) -> list[Write]:
        """Attempt, with `dryRun=All`, every write that an admission policy has to deny.

        Raises:
            MissingError: There is no Application to attempt them on.
            ForbiddenError: It cannot be read.
            ApiError: The API does not answer.
        """
        found = self._api.get(self._target)
        return list(
            rehearse(found, self._prod, lambda patch: self._api.rehearse(self._target, patch))
        )

    def pause(self, journal: str, original: SyncPolicy, *, held: Held) -> Paused:
        """Switch automated sync off and hang the journal on the Application, in one write.

        Args:
            journal: What has to be undone.
            original: The policy that the journal says was there.
            held: The Lease, asserted before the write.

        Raises:
            ChangedMeanwhileError: The policy is no longer the original, or another run's journal
                is there; nothing was written.
            FailedError: Automated sync does not stay off.
            LostError: The Lease is gone.
        """
        for drops_enabled in (False, True):
            state = self._try_pause(journal, original, held, drops_enabled=drops_enabled)
            if not state.policy.automated_on:
                if not original.automated_on:
                    return Paused("unneeded", state)
                return Paused("removed" if drops_enabled else "disabled", state)
        raise FailedError(
            f"automated sync of {self._target} cannot be switched off",
            found=str(state.policy),
            expected="automated.enabled: false, or no automated at all, to stay as it is written",
            remedy="look for an admission webhook that puts it back",
        )

    def _try_pause(
        self, journal: str, original: SyncPolicy, held: Held, *, drops_enabled: bool
    ) -> AppState:
        """One write; the state that comes back tells whether `enabled` was dropped from it."""

        def change(found: Obj) -> Obj | None:
            state = AppState.of(found)
            if state.journal == journal and not state.policy.automated_on:
                return None  # an answer was lost, not the write
            if state.journal not in {None, journal} or state.policy != original:
                raise self._changed(state, original)
            asked = {JOURNAL_ANNOTATION: journal, REFRESH_ANNOTATION: "normal"}
            return {
                "metadata": {"annotations": asked},
                "spec": pausing(state.policy, drops_enabled=drops_enabled),
            }

        return AppState.of(self._api.swap(self._target, change, guard=held.assert_held))

    def wait_until_seen(self) -> AppState:
        """Wait until Argo CD has seen the pause, and no sync that began before it is left.

        A pass that read the Application before the pause can still start a sync after it. The pause
        asked for another pass; when that is over, none of the earlier ones is under way.

        Raises:
            ChangedMeanwhileError: Somebody has switched automated sync on again.
            NotYetError: Argo CD does not come to it in time; it says what it complains about.
        """
        return eventually(
            self._must_be_seen, self._deadlines.argocd_pass, every=_POLL, on=NotYetError
        )

    def rearm(self, original: SyncPolicy, *, uid: str, held: Held) -> Rearmed:
        """Put automated sync back to exactly what it was, and take the journal off, in one write.

        What somebody else has changed meanwhile is left and told. Automated sync is never switched
        off here, whatever the original was.

        Args:
            original: The policy before the pause.
            uid: The Application that was paused.
            held: The Lease, asserted before the write.

        Raises:
            MissingError: The Application was deleted.
            LostError: The Lease is gone.
        """
        first: list[AppState] = []

        def change(found: Obj) -> list[Obj] | None:
            state = AppState.of(found)
            first.append(state)
            if state.uid != uid:
                return None
            patch = self._restoring(state, original)
            if state.journal is not None:
                patch.append({"op": "remove", "path": _JOURNAL_POINTER})
            return patch or None

        written = AppState.of(self._api.swap(self._target, change, guard=held.assert_held))
        # A later look than the first may already be at what a lost answer had written.
        return Rearmed.of(first[0], written, original, uid)

    def _restoring(self, state: AppState, original: SyncPolicy) -> list[Obj]:
        # Only where `automated` is gone does it matter who took it away, so only then is it asked.
        gone = original.automated_on and state.policy.automated is None
        drops_enabled = gone and self._drops_enabled()
        return restoring(state.policy, original, drops_enabled=drops_enabled)

    def _drops_enabled(self) -> bool:
        """Whether `automated.enabled` is dropped without a word, as before Argo CD 3.1."""
        patch = {"spec": {"syncPolicy": {"automated": {"enabled": False}}}}
        tried = SyncPolicy.of(self._api.rehearse(self._target, patch)).automated
        return tried is None or "enabled" not in tried

    def _must_be_seen(self) -> AppState:
        state = self.read()
        if state.policy.automated_on:
            raise ChangedMeanwhileError(
                f"somebody has switched automated sync of {self._target} on again",
                found=str(state.policy),
                expected="the pause that this run has written",
                remedy="agree with whoever did it, then run the command again",
            )
        if state.refreshing:
            raise NotYetError(
                f"Argo CD has not acknowledged the pause of {self._target}",
                found="; ".join(state.conditions)
                or f"annotation {REFRESH_ANNOTATION} is still there",
                expected=f"a pass within {self._deadlines.argocd_pass.seconds:g} s",
                remedy="look whether Argo CD runs and can reach its git repository",
            )
        if state.operating or (state.phase is not None and state.phase not in _FINAL_PHASES):
            raise NotYetError(
                f"a sync of {self._target} began before the pause and does not end",
                found=f"phase {state.phase or 'not begun'}",
                expected=f"its end within {self._deadlines.argocd_pass.seconds:g} s",
                remedy="wait until it has ended, or terminate it (argocd app terminate-op)",
            )
        return state

    def _changed(self, state: AppState, original: SyncPolicy) -> ChangedMeanwhileError:
        another = state.policy == original
        return ChangedMeanwhileError(
            f"{self._target} is not as this run has found it",
            found="the journal of another run is on it" if another else str(state.policy),
            expected="no journal" if another else str(original),
            remedy="sandbox-lifecycle recover" if another else "run the command again",
        )
