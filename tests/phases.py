"""The phases of a refresh as its log names them, in their order."""

from __future__ import annotations

PREFLIGHT = "preflight"
LEASE = "take the Lease"
PAUSE = "pause self-heal"
SEEN = "wait until Argo CD has seen the pause"
STOP = "scale the application to 0"
GONE = "wait until the application is gone"
ALONE = "wait until nobody writes to the sandbox"
DUMP = "dump prod and take its fingerprint"
WIPE = "wipe the sandbox"
RESTORE = "restore"
VERIFY = "verify"
BACK = "scale the application back"
READY = "wait until the application is Ready"
ASK = "ask the application for its company"
REARM = "re-arm self-heal"

PHASES = (
    *(PREFLIGHT, LEASE, PAUSE, SEEN, STOP, GONE, ALONE),
    *(DUMP, WIPE, RESTORE, VERIFY, BACK, READY, ASK, REARM),
)
PAUSED = PHASES[PHASES.index(SEEN) : PHASES.index(REARM)]
"""Phases in which self-heal is off all the time."""
RESTORING = frozenset({"put the last golden content back", WIPE, RESTORE, VERIFY})
"""Phases of a repair that are not counted: they take as long as the content is large."""
