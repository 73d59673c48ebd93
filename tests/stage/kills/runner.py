"""A refresh by a Job, seen by whoever wants to kill it at a certain phase."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from harness.deadlines import Deadline, eventually
from tests.phases import PHASES
from tests.stage import group
from tests.stage.kills.logs import parsed
from tests.stage.kills.verbs import COMMAND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stage.kills.ground import Ground

_BEGINS = Deadline(60, "a pod takes two seconds to begin; while its node restarts, longer")
_DIES = Deadline(60, "the kubelet gives two seconds; one that has just been started is behind")
_ENDS = Deadline(240, "it waits for an API that is away, and then for a pod that has to end")
_MOMENT = 0.005


@dataclass
class Runner:
    """The refresh.

    Args:
        ground: Where it runs.
        client: Whoever has started it and follows it.
    """

    ground: Ground
    client: subprocess.Popen[str]
    _known: frozenset[Path] = frozenset()
    _folder: Path | None = field(default=None, init=False)
    _log: IO[str] | None = field(default=None, init=False)

    def await_phase(self, phase: str) -> None:
        """Return as soon as that phase, or one that follows it, has begun."""
        wanted = set(PHASES[PHASES.index(phase) :])

        def must() -> None:
            assert self.client.poll() is None, "the command has ended before that phase"
            assert wanted & set(self.phases()), f"{phase} has not begun: {self.phases()}"

        eventually(must, _BEGINS, every=_MOMENT, on=AssertionError)

    def phases(self) -> list[str]:
        """The phases of its pod so far."""
        if self._log is None:
            found = [] if self.folder is None else list(self.folder.glob("harness/*.log"))
            if not found:
                return []
            # Open from now on: with a pod that is deleted the kubelet removes its log.
            self._log = found[0].open(encoding="utf-8")
        self._log.seek(0)
        return [line.text for line in parsed(self._log.read())]

    @property
    def folder(self) -> Path | None:
        """Where its pod's log is; None as long as it has none."""
        if self._folder is None:
            found = set(self.ground.pod_folders(self.ground.job)) - self._known
            self._folder = next(iter(found), None)
        return self._folder

    @property
    def pod(self) -> str:
        """Its pod's name."""
        return self._parts[1]

    def process(self) -> int | None:
        """The pod's own process on this machine; None when it is dead."""
        uid = self._parts[2]
        for pid in group.members():
            told = Path(f"/proc/{pid}")
            try:
                ours = uid in (told / "cgroup").read_text(encoding="utf-8")
                # The first process of its container; what it has started has a higher number.
                first = (told / "status").read_text(encoding="utf-8").partition("NSpid:")[2]
                if ours and first.split("\n")[0].split()[-1] == "1" and _is_python(told):
                    return pid
            except (FileNotFoundError, ProcessLookupError):
                continue
        return None

    def freeze(self) -> None:
        """Let it stand still where it is: no signal but the last one reaches it any more."""
        self.send(signal.SIGSTOP)

    def send(self, number: signal.Signals) -> None:
        """Send its process a signal."""
        pid = self.process()
        assert pid is not None, "it has ended before that"
        os.kill(pid, number)

    def await_death(self) -> None:
        """Return when its process is gone."""

        def must() -> None:
            assert self.process() is None, "its process lives"

        eventually(must, _DIES, on=AssertionError)

    def end(self) -> tuple[int, str]:
        """The exit code of the command, and its error."""
        out, err = self.client.communicate(timeout=_ENDS.seconds)
        told = json.loads(out) if out else {}
        return self.client.returncode, json.dumps(told.get("error")) if "error" in told else err

    def close(self) -> None:
        """Let go of its log."""
        if self._log is not None:
            self._log.close()
            self._log = None

    @property
    def _parts(self) -> list[str]:
        assert self.folder is not None, "no pod has begun"
        return self.folder.name.split("_")


@contextmanager
def refreshing(ground: Ground) -> Iterator[Runner]:
    """A refresh that has been started."""
    known = frozenset(ground.pod_folders(ground.job))
    client = subprocess.Popen(
        [
            *(sys.executable, *COMMAND, "refresh-from-prod", "--job", "--json"),
            *("--target=live", f"--sandbox-config={ground.config}"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    run = Runner(ground, client, known)
    try:
        yield run
    finally:
        run.close()
        if client.poll() is None:
            client.kill()
            client.communicate()


def _is_python(told: Path) -> bool:
    return b"sandbox-lifecycle" in (told / "cmdline").read_bytes()
