"""A refresh that meets its death: `python -m steps.dying MOMENT DEATH FOLDER`, settings on stdin.

A process of its own, which really dies. What it does and how it ends are the command's; only that
it sends itself the signal, when a phase begins or out of a client tool at work.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from harness.cluster import holder
from harness.errors import LifecycleError
from harness.lifecycle.refresh import refresh_from_prod
from harness.settings import Settings
from steps.faulty_tools import FIND_LIST, with_faulty_pg_restore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.progress import Advance

INTERRUPTED = 4
"""The command's exit code when it was interrupted and everything is put back."""

HALF_WAY = "half-way through the restore"

# The phase that begins at that moment, by the title under which the engine tells of it.
MOMENTS = {
    "before self-heal is paused": "pause self-heal",
    "after self-heal was paused": "wait until Argo CD has seen the pause",
    "after the application was scaled to 0": "wait until the application is gone",
    HALF_WAY: None,
    "after the application was scaled back": "wait until the application is Ready",
}

MACHINE = "the machine's end"
DEATHS = {
    "Ctrl-C": signal.SIGINT,
    "SIGTERM": signal.SIGTERM,
    "kill -9": signal.SIGKILL,
    MACHINE: signal.SIGKILL,
}

_ROOT = Path(__file__).parents[1]
# Load the first half of the contents, then send the signal and go on, if anything can.
_STRIKES_HALF_WAY = """
cp "$list" "$list.all"
half=$(($(wc -l < "$list.all") / 2))
head -n "$half" "$list.all" > "$list"; "$real" "$@"
kill -s {number} {pid}
tail -n "+$((half + 1))" "$list.all" > "$list"; exec "$real" "$@"
"""


@dataclass(frozen=True, slots=True)
class Died:
    """How the run's process ended.

    Args:
        code: Its exit code; negative where a signal ended it.
        said: What it printed.
    """

    code: int
    said: str


def dies(settings: Settings, death: str, moment: str, folder: Path) -> Died:
    """Run a refresh in a process of its own, and let it meet its death at that moment.

    Args:
        settings: The target.
        death: One of `DEATHS`.
        moment: One of `MOMENTS`.
        folder: An empty folder for the run's own client tools.

    Raises:
        AssertionError: It ended in another way.
    """
    program = [sys.executable, "-m", "steps.dying", death, moment, str(folder)]
    ended = subprocess.run(
        program, cwd=_ROOT, input=_json(settings), capture_output=True, text=True, check=False
    )
    number = DEATHS[death]
    wanted = -number if number == signal.SIGKILL else INTERRUPTED
    assert ended.returncode == wanted, (
        f"ended with {ended.returncode}, not {wanted}\n{ended.stderr}"
    )
    return Died(ended.returncode, ended.stderr)


def main() -> int:
    """Refresh, and die."""
    death, moment, folder = sys.argv[1:]
    settings = Settings.of(json.load(sys.stdin), origin="standard input")
    number = DEATHS[death]
    if death == MACHINE:
        # The Lease then names a machine that nobody can ask whether the run still lives.
        holder.this_machine = lambda: "a-machine-that-is-gone"
    if moment == HALF_WAY:
        fault = FIND_LIST + _STRIKES_HALF_WAY.format(number=number.value, pid=os.getpid())
        settings = with_faulty_pg_restore(settings, fault, Path(folder))
    try:
        refresh_from_prod(settings, _Dying(MOMENTS[moment], number))
    except KeyboardInterrupt:
        return INTERRUPTED
    except LifecycleError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


class _Dying:
    """A listener that sends its own process a signal when one phase begins."""

    def __init__(self, title: str | None, number: signal.Signals) -> None:
        self._title = title
        self._number = number

    @contextmanager
    def phase(self, title: str, total: int | None = None) -> Iterator[Advance]:
        del total
        if title == self._title:
            signal.raise_signal(self._number)
        yield lambda _steps: None


def _json(settings: Settings) -> str:
    """The settings with their secrets, for the standard input of a process of ours."""

    def plain(value: Any) -> str:
        return value.get_secret_value() if isinstance(value, SecretStr) else str(value)

    return json.dumps(settings.model_dump(exclude_none=True), default=plain)


if __name__ == "__main__":
    sys.exit(main())
