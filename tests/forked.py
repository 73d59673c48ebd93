"""Commands in processes of their own, forked off one that has loaded what they run.

To load the command takes longer than most of what tests let it do. Everything else is as if it had
been started anew: process, signals, environment, files.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.deadlines import eventually

if TYPE_CHECKING:
    import signal
    from collections.abc import Mapping, Sequence
    from multiprocessing.context import ForkServerProcess

    from harness.deadlines import Deadline

_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(["harness.cli", "tests.recovery.dying"])


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Args:
        code: Its exit code; negative for the signal that killed it.
        told: What it printed as JSON; empty if it was killed.
        errors: What else it said.
    """

    code: int
    told: dict[str, Any]
    errors: str

    @property
    def error(self) -> str:
        """Its error, as one text."""
        return json.dumps(self.told.get("error"), ensure_ascii=False)


@dataclass(frozen=True)
class Started:
    """A command that runs, or has run.

    Args:
        process: Its process.
        out: What it prints.
        err: What else it says.
    """

    process: ForkServerProcess
    out: Path
    err: Path

    @property
    def pid(self) -> int:
        """The number of its process."""
        assert self.process.pid is not None
        return self.process.pid

    @property
    def code(self) -> int | None:
        """Its exit code; negative for the signal that killed it, None while it runs."""
        return self.process.exitcode

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def ends(self, soon: Deadline) -> int:
        """Wait for its end; its exit code."""
        self.process.join(soon.seconds)
        assert self.code is not None, f"still runs after {soon.seconds} s: {self.said()}"
        return self.code

    def stands_still(self, soon: Deadline) -> bool:
        """Whether it was stopped: the other way is that it has ended."""

        def is_still() -> bool:
            with suppress(FileNotFoundError, ProcessLookupError):
                told = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8")
                if told.rpartition(")")[2].split()[0] == "T":
                    return True
            assert self.code is not None
            return False

        return eventually(is_still, soon)

    def to_its_end(self, longest: Deadline) -> Ended:
        """Wait for its end, and read what it has told."""
        try:
            code = self.ends(longest)
        finally:
            self.kill()
        out = self.printed()
        return Ended(code, json.loads(out) if out else {}, self.said())

    def kill(self) -> None:
        """End it, whatever it is at."""
        self.process.kill()
        self.process.join()

    def printed(self) -> str:
        """What it has printed so far."""
        return self.out.read_text(encoding="utf-8")

    def said(self) -> str:
        """What it has said so far, beside that."""
        return self.err.read_text(encoding="utf-8")


def start(module: str, arguments: Sequence[str], out: Path, err: Path) -> Started:
    """Run a module's `main`.

    Args:
        module: The module.
        arguments: What follows its name on a command line.
        out: Standard output, made anew.
        err: Standard error, made anew.
    """
    for file in (out, err):
        file.write_bytes(b"")
    arguments = [module, *arguments]
    given = (module, arguments, str(out), str(err), dict(os.environ))
    process = _FORKING.Process(target=_run, args=given, daemon=True)
    process.start()
    return Started(process, out, err)


def _run(
    module: str, arguments: list[str], out: str, err: str, environment: Mapping[str, str]
) -> None:
    for number, path in ((1, out), (2, err)):
        opened = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = arguments
    import_module(module).main()
