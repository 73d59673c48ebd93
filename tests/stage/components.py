"""The processes of a stage that are no containers: how each is started, found, asked and ended."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from harness.cluster.holder import birth
from harness.deadlines import Deadline, eventually
from harness.errors import ConfigurationError, FailedError
from tests.stage import group

if TYPE_CHECKING:
    import signal
    from pathlib import Path

_ANSWERS = Deadline(60, "seconds on an idle machine; a busy one of two cores gets a minute")
_ENDS = Deadline(20, "they end within two seconds; the kubelet first lets its work go")
# The process itself enters the group and only then becomes the component, so none is born outside.
_ENTER = ("/bin/sh", "-c", 'echo $$ >"$1" && shift && exec "$@"', "sh")
_CHILDREN: dict[int, subprocess.Popen[bytes]] = {}
"""What this process has started: each outlives us, but one that dies before us we must reap."""


@dataclass(frozen=True, slots=True)
class Component:
    """One program and all that starting it takes.

    Args:
        name: What it is called, here and in the names of its files.
        command: Program and arguments.
        answers_at: https://…, http://… (200 is an answer), tcp://address:port or unix:///path.
        environment: All of its environment.
    """

    name: str
    command: tuple[str, ...]
    answers_at: str
    environment: dict[str, str] = field(default_factory=dict)

    def keep(self, directory: Path) -> None:
        """Write it down, so that any later process can start it again."""
        path = directory / "components" / f"{self.name}.json"
        temporary = path.with_suffix(".new")
        # The environment of Redis's clients holds its password.
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            json.dump(asdict(self), file)
        temporary.rename(path)


def kept(directory: Path, name: str) -> Component:
    """A component as it was written down.

    Raises:
        ConfigurationError: There is none of this name.
    """
    path = directory / "components" / f"{name}.json"
    if not path.exists():
        raise ConfigurationError(
            f"the stage has no component {name}",
            found=", ".join(names(directory)),
            expected="one of them",
            remedy="name it as its log file is named",
        )
    told = json.loads(path.read_text())
    return Component(told["name"], tuple(told["command"]), told["answers_at"], told["environment"])


def names(directory: Path) -> list[str]:
    """The names of all components that were written down."""
    return sorted(path.stem for path in (directory / "components").glob("*.json"))


def log(directory: Path, name: str) -> Path:
    """Where a component's output is appended."""
    return directory / "logs" / f"{name}.log"


def start(directory: Path, component: Component) -> None:
    """Start it; `await_answer` tells when it is ready.

    Raises:
        RefusedError: It runs.
    """
    if pid(directory, component.name) is not None:
        raise ConfigurationError(
            f"{component.name} runs already",
            found=f"process {pid(directory, component.name)}",
            expected="a stopped one",
            remedy="stop it first",
        )
    with log(directory, component.name).open("ab") as output:
        child = subprocess.Popen(
            [*_ENTER, str(group.entrance()), *component.command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=directory,
            env={"PATH": os.defpath, "HOME": str(directory / "home"), **component.environment},
            start_new_session=True,  # a Ctrl-C in the terminal is not meant for it
        )
    # It is nobody's child when we have ended; subprocess would complain of one still running.
    _CHILDREN[child.pid] = child
    record = {"pid": child.pid, "born": birth(child.pid)}
    _record(directory, component.name).write_text(json.dumps(record))


def pid(directory: Path, name: str) -> int | None:
    """Its process; None where it does not run."""
    path = _record(directory, name)
    if not path.exists():
        return None
    record = json.loads(path.read_text())
    born = birth(record["pid"])
    if born is None and record["pid"] in _CHILDREN:
        # One seen dead has always been reaped: its threads may take a moment more to end.
        _CHILDREN[record["pid"]].wait()
    return int(record["pid"]) if born is not None and born == record["born"] else None


def stop(directory: Path, name: str, number: signal.Signals) -> None:
    """End it and return when it is gone.

    Raises:
        FailedError: It does not end.
    """
    running = pid(directory, name)
    if running is None:
        return

    def gone() -> None:
        if pid(directory, name) is not None:
            raise FailedError(
                f"{name} does not end",
                found=f"process {running} lives",
                expected=f"its end within {_ENDS.seconds:g} s of {number.name}",
                remedy=f"read {log(directory, name)}",
            )

    os.kill(running, number)
    eventually(gone, _ENDS)


def await_answer(directory: Path, component: Component, authority: Path) -> None:
    """Return when it answers.

    Raises:
        FailedError: It has ended, or does not answer in time.
    """

    def ended() -> bool:
        if pid(directory, component.name) is None:
            return True
        _ask(component.answers_at, authority)
        return False

    try:
        died = eventually(ended, _ANSWERS, on=OSError)
        found = "it has ended" if died else ""
    except OSError as error:
        found = f"{component.answers_at} says: {error}"
    if found:
        path = log(directory, component.name)
        last = "\n".join(path.read_text(errors="replace").splitlines()[-10:])
        raise FailedError(
            f"{component.name} does not start",
            found=f"{found}\n{last}",
            expected=f"an answer within {_ANSWERS.seconds:g} s",
            remedy=f"read {path}",
        )


def disown() -> None:
    """Let what this process has started run on after it, without a complaint of subprocess's."""
    for child in _CHILDREN.values():
        if child.returncode is None:
            child.returncode = 0


def reap() -> None:
    """Take note of those of this process's children that have ended."""
    for child in _CHILDREN.values():
        child.poll()


def _ask(address: str, authority: Path) -> None:
    kind, _, rest = address.partition("://")
    if kind == "unix":
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(rest)
    elif kind == "tcp":
        host, _, port = rest.partition(":")
        with socket.create_connection((host, int(port)), timeout=2):
            pass
    else:
        context = ssl.create_default_context(cafile=str(authority))
        # Past any proxy of the shell's: this address is on this machine.
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        with opener.open(address, timeout=2):
            pass


def _record(directory: Path, name: str) -> Path:
    return directory / "components" / f"{name}.process"
