"""The image of the local ERP: a process that has loaded it, and that its containers are forked off.

A node pulls an image once. To load Python and its libraries anew takes longer than all the rest of
what a pod needs to become Ready.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
import tempfile
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerProcess
    from pathlib import Path

PROGRAM = "harness.local.erp.__main__"
_COMMAND = [sys.executable, "-m", PROGRAM.removesuffix(".__main__")]
# A socket's name has 108 bytes at most, and what multiprocessing makes of it takes 32.
_LONGEST_STATE = 70
_FORKING = multiprocessing.get_context("forkserver")


class Forked:
    """A process of the image, which waits until it is told to begin.

    Args:
        process: The process.
        gate: What it waits for; where this ends without a word, so does the process.
    """

    def __init__(self, process: ForkServerProcess, gate: Connection) -> None:
        if process.pid is None:
            raise ValueError("a process that was not started has no number")
        self.pid = process.pid
        self._process = process
        self._gate = gate
        self._end = asyncio.create_task(self._watch())

    def begin(self) -> None:
        """Let it begin."""
        with self._gate, suppress(ConnectionError):  # it may have been killed meanwhile
            self._gate.send(None)

    async def wait(self) -> int:
        """Its exit code, once it has ended; negative for the signal that killed it."""
        return await asyncio.shield(self._end)

    async def _watch(self) -> int:
        ended = asyncio.Event()
        loop, sentinel = asyncio.get_running_loop(), self._process.sentinel
        loop.add_reader(sentinel, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(sentinel)
        self._process.join()
        code = self._process.exitcode
        # What ended unseen has not succeeded; the kubelet takes it for killed.
        return -signal.SIGKILL if code is None else code


def prepare(state: Path) -> None:
    """Say what is loaded, and let its socket lie with the stand-in's state, to go with that.

    A process has one such image, so this is for the stand-in's own alone.

    Args:
        state: The directory; where its name is too long for a socket in it, any other will do.
    """
    _FORKING.set_forkserver_preload([PROGRAM])
    if len(os.fspath(state)) <= _LONGEST_STATE:
        tempfile.tempdir = os.fspath(state)


def holds(command: Sequence[str]) -> bool:
    """Whether that is what the image was made for."""
    return list(command) == _COMMAND


async def fork(environment: Mapping[str, str], log: Path, directory: Path) -> Forked:
    """Make a process, in a session of its own.

    Args:
        environment: All of its environment.
        log: Where its output is appended.
        directory: Where it runs.
    """
    # The first one waits until the image is loaded.
    return Forked(*await asyncio.to_thread(start, dict(environment), log, directory))


def start(
    environment: dict[str, str], log: Path, directory: Path
) -> tuple[ForkServerProcess, Connection]:
    """The same, with the end of its gate that is not its own."""
    gate, own = _FORKING.Pipe()
    with gate:
        given = (gate, environment, os.fspath(log), os.fspath(directory))
        process = _FORKING.Process(target=_run, args=given)
        process.start()
    with suppress(EOFError):  # killed already: its end will tell
        own.recv()
    return process, own


def _run(gate: Connection, environment: Mapping[str, str], log: str, directory: str) -> None:
    os.setsid()
    try:
        with gate:
            gate.send(None)  # what is sent to its group from now on reaches it
            gate.recv()
    except (EOFError, ConnectionError):
        return
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for number in (sys.stdout.fileno(), sys.stderr.fileno()):
        os.dup2(output, number)
    os.close(output)
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    import_module(PROGRAM).main()
