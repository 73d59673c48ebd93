"""Directories of local runs: one a run, and what a dead run left behind is removed by the next.

All lie in `<temporary directory>/sandbox-lifecycle-<uid>/`. A living run holds an flock on its
directory, so a free lock means a dead run: its cluster and its server are ended, its containers and
its directory are removed. A *kept* run (`local up`) is one that has written its state; it is held
by no process and removed on demand only.
"""

from __future__ import annotations

import json
import os
import secrets
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.deadlines import Deadlines, eventually
from harness.errors import ConfigurationError
from harness.local import containers
from harness.local.kubernetes import launch
from harness.local.undo import Undo
from harness.postgres import directories, postmaster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FAMILY = "sandbox-lifecycle"
_PREFIX = "run-"
_STATE = "state.json"
_TO_BE_KEPT = "to-be-kept"


@dataclass(frozen=True, slots=True)
class LocalRun:
    """One run and its directory.

    Args:
        id: Eight hexadecimal digits; also in the marks and labels of what it makes elsewhere.
        path: Its directory.
    """

    id: str
    path: Path

    @property
    def cluster(self) -> Path:
        """The state of its local cluster, if it has one."""
        return self.path / "cluster"

    def subdirectory(self, name: str) -> Path:
        """Make a private directory for one purpose."""
        path = self.path / name
        path.mkdir(mode=0o700)
        return path

    def keep(self, state: dict[str, Any]) -> None:
        """Turn it into the kept run; from here on only `discard` removes it.

        Args:
            state: What whoever finds it needs to know; may hold secrets, so only we can read it.
        """
        temporary = self.path / f"{_STATE}.new"
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            json.dump(state, file)
        temporary.rename(self.path / _STATE)

    @property
    def is_kept(self) -> bool:
        """Whether `keep` was called."""
        return (self.path / _STATE).exists()

    def state(self) -> dict[str, Any]:
        """What `keep` was given."""
        content: dict[str, Any] = json.loads((self.path / _STATE).read_text(encoding="utf-8"))
        return content

    def discard(self) -> None:
        """End what runs in or for the directory, and remove it; nothing where it is gone."""
        deadlines = Deadlines()
        launch.end(self.cluster)
        postmaster.end(self.path / "server" / "data", deadlines.server_stop, postmaster.IMMEDIATE)
        containers.remove_of_run(self.path, self.id, deadlines.server_stop)
        eventually(lambda: directories.remove(self.path), deadlines.server_stop)


@contextmanager
def local_run(*, keep: bool = False) -> Iterator[LocalRun]:
    """Reap dead runs, then hold a directory for a new one; it is removed at the end unless kept.

    Args:
        keep: The run is meant to be kept. Only one is, for each user.

    Raises:
        ConfigurationError: Another run is kept already, or no directory can be made.
        RefusedError: The directory for all runs is not ours alone.
    """
    run_id = secrets.token_hex(4)
    run = LocalRun(run_id, base_directory() / f"{_PREFIX}{run_id}")
    with Undo() as undo:
        lock = undo.enter_context(ExitStack())  # let go after the directory is removed
        with directories.base_locked(_FAMILY, create=True):
            undo.callback(_leave, run)
            _reap_each()
            if keep:
                _refuse_second_kept()
            run.path.mkdir(mode=0o700)
            if os.geteuid() == 0:
                run.path.chmod(0o711)  # the server's unprivileged user passes through to its data
            if keep:
                (run.path / _TO_BE_KEPT).touch()
            lock.callback(os.close, directories.lock_directory(run.path))
        yield run


def reap() -> None:
    """Remove what dead runs left behind: clusters, servers, containers, directories."""
    with directories.base_locked(_FAMILY, create=False) as exists:
        if exists:
            _reap_each()
    directories.remove_empty_base(_FAMILY)


def kept_run() -> LocalRun | None:
    """The kept run of this user, or None."""
    return next((run for run in _runs() if run.is_kept), None)


def discard_kept(run: LocalRun) -> None:
    """Remove the kept run."""
    run.discard()
    directories.remove_empty_base(_FAMILY)


def base_directory() -> Path:
    """The directory that holds those of all runs of this user."""
    return directories.base_directory(_FAMILY)


def _leave(run: LocalRun) -> None:
    if not run.is_kept:
        run.discard()
        directories.remove_empty_base(_FAMILY)


def _runs() -> list[LocalRun]:
    with suppress(FileNotFoundError):
        return [
            LocalRun(path.name.removeprefix(_PREFIX), path)
            for path in sorted(base_directory().iterdir())
            if path.name.startswith(_PREFIX)
        ]
    return []


def _reap_each() -> None:
    for run in _runs():
        if run.is_kept:
            continue
        try:
            descriptor = directories.lock_directory(run.path)
        except (BlockingIOError, FileNotFoundError):
            continue  # it lives, or has just removed itself
        try:
            # Where the engine is stopped, so is the container: its turn comes when both run again.
            with suppress(containers.EngineSilentError):
                run.discard()
        finally:
            os.close(descriptor)


def _refuse_second_kept() -> None:
    for run in _runs():
        if run.is_kept or (run.path / _TO_BE_KEPT).exists():
            raise ConfigurationError(
                "a local sandbox is already up",
                found=f"{run.path}",
                expected="one kept sandbox for each user",
                remedy="use it, or remove it first: sandbox-lifecycle local down",
            )
