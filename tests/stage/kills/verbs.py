"""The command on the stage's target, as somebody on this machine gives it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.stage.kills.ground import Ground

COMMAND = ("-m", "harness")
"""For Python: the command of this checkout."""
_DYING = ("-m", "tests.recovery.dying", "SIGKILL", "begin")


@dataclass(frozen=True)
class Done:
    """How it ended.

    Args:
        code: Its exit code; negative for the signal that killed it.
        told: What it printed as JSON; empty if it was killed.
        seconds: How long it took.
    """

    code: int
    told: dict[str, Any]
    seconds: float


def command(ground: Ground, *words: str) -> Done:
    """The command, to its end."""
    return _done(ground, *COMMAND, *words)


def killed(ground: Ground, phase: str, *words: str) -> Done:
    """The same, killed outright when a phase begins."""
    return _done(ground, *_DYING, phase, *words)


def _done(ground: Ground, *words: str) -> Done:
    began = time.monotonic()
    target = ("--json", "--target=live", f"--sandbox-config={ground.config}")
    done = subprocess.run(
        [sys.executable, *words, *target], capture_output=True, text=True, check=False
    )
    told = json.loads(done.stdout) if done.stdout else {}
    return Done(done.returncode, told, time.monotonic() - began)
