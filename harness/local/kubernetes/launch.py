"""Start, find and stop a stand-in from another process, and give it orders."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.cluster.holder import birth
from harness.deadlines import Deadlines, eventually
from harness.errors import FailedError
from harness.local.kubernetes import processes

_ROOT = Path(__file__).parents[3]

_CHILDREN: dict[int, subprocess.Popen[bytes]] = {}
"""What this process has started: it may outlive us, but when it dies before us we must reap it."""


@dataclass(frozen=True, slots=True)
class StandIn:
    """A running stand-in.

    Args:
        state: Its directory; where everything else about it is found.
        url: Where it serves.
        pid: Its process.
        born: That process's time of birth.
    """

    state: Path
    url: str
    pid: int
    born: str

    @property
    def kubeconfig(self) -> Path:
        """The administrator's way in, for clients and for kubectl."""
        return self.state / "admin.kubeconfig"

    @property
    def token(self) -> str:
        """The administrator's token."""
        return (self.state / "admin.token").read_text()

    @property
    def authority(self) -> Path:
        """The certificate that its own is checked against."""
        return self.state / "authority.pem"

    @property
    def log(self) -> Path:
        """What it printed."""
        return _log(self.state)

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        born = birth(self.pid)
        if born is None and self.pid in _CHILDREN:
            # One seen dead has always been reaped: its threads may take a moment more to end.
            _CHILDREN[self.pid].wait()
        return born == self.born

    def order(self, what: str, /, **how: Any) -> dict[str, Any]:
        """Give an order to the control endpoint; see `control.Control.handle` for all of them."""
        request = urllib.request.Request(  # noqa: S310  our own address
            f"{self.url}/stand-in/{what}",
            method="POST",
            data=json.dumps(how).encode(),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
            },
        )
        context = None
        if self.url.startswith("https"):
            context = ssl.create_default_context(cafile=str(self.authority))
        # Past any proxy of the shell's: no other machine's 127.0.0.1 is meant.
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        try:
            with opener.open(request, timeout=10) as answer:
                told: dict[str, Any] = json.load(answer)
                return told
        except urllib.error.HTTPError as error:
            with error:
                raise FailedError(
                    f"the stand-in did not obey {what}", found=error.read().decode()
                ) from error

    def kill(self) -> None:
        """Let it die as by SIGKILL; its pods go on, and `start` on the same state revives it."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """End it and all of its pods."""
        self._signal(signal.SIGTERM)
        processes.purge(self.state / "pods")  # if it was dead already

    def release(self) -> None:
        """Let it run on after this process has ended."""
        child = _CHILDREN.pop(self.pid, None)
        if child is not None:
            # It is nobody's child from here on; subprocess would complain of one still running.
            child.returncode = 0

    def _signal(self, number: signal.Signals) -> None:
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
        eventually(self.must_be_gone, Deadlines().api_stop)

    def must_be_gone(self) -> None:
        """Raise while it runs."""
        if self.alive:
            raise FailedError(f"the stand-in (pid {self.pid}) does not end")


def find(state: Path) -> StandIn | None:
    """The stand-in that serves this state, if one is alive."""
    try:
        endpoint = json.loads((state / "endpoint.json").read_text())
    except FileNotFoundError:
        return None
    found = StandIn(state, endpoint["url"], endpoint["pid"], endpoint["born"])
    return found if found.alive else None


def start(state: Path, *options: str) -> StandIn:
    """Start a stand-in on new state, or on what a dead one left.

    Args:
        state: Its directory.
        options: Of the command line: `--speed=20`, `--http`, …
    """
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = _log(state)
    program = [sys.executable, "-m", "harness.local.kubernetes", f"--state={state}", *options]
    with path.open("ab") as log:
        child = subprocess.Popen(
            [*processes.GATE, *program],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(_ROOT), *sys.path])},
            start_new_session=True,  # a Ctrl-C in the terminal is not meant for it
        )

    _CHILDREN[child.pid] = child

    def started() -> StandIn | None:
        if child.poll() is not None:
            return None  # it has ended: no use in waiting
        found = find(state)
        if found is None or found.pid != child.pid:
            raise TimeoutError
        return found

    found = None
    try:
        processes.record(path, child.pid)
        if child.stdin is not None:
            with child.stdin as gate:
                gate.write(b"go\n")
        found = eventually(started, Deadlines().api_start)
    finally:
        if found is None:
            child.kill()
            child.wait()
    if found is None:
        raise FailedError(
            "the API stand-in does not start", found=_last_lines(path), remedy=f"read {path}"
        )
    return found


def end(state: Path) -> None:
    """End the stand-in of this state and all of its pods, whoever started it, however far it is."""
    process = processes.recorded(_log(state))
    if process is not None:
        process.kill()
        gone = StandIn(state, "", process.pid, process.born)
        eventually(gone.must_be_gone, Deadlines().api_stop)
    processes.purge(state / "pods")


def _log(state: Path) -> Path:
    return state / "stand-in.log"


def _last_lines(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-10:])
