"""Directories of local runs: one a run, and what a dead run left behind is removed by the next.

All lie in `<temporary directory>/sandbox-lifecycle-<uid>/`. A living run holds an flock on its
directory, so a free lock means a dead run: its cluster and its server are ended, its containers and
its directory are removed. A *kept* run (`local up`) is one that has written its state; it is held
by no process and removed on demand only.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import stat
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.deadlines import Deadlines, eventually
from harness.errors import ConfigurationError, RefusedError
from harness.local import containers
from harness.local.kubernetes import launch
from harness.local.undo import Undo
from harness.postgres import postmaster
from harness.postgres.binaries import reachable_by_all

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        eventually(lambda: _remove(self.path), deadlines.server_stop)


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
        with _base_locked(create=True):
            undo.callback(_leave, run)
            _reap_each()
            if keep:
                _refuse_second_kept()
            run.path.mkdir(mode=0o700)
            if os.geteuid() == 0:
                run.path.chmod(0o711)  # the server's unprivileged user passes through to its data
            if keep:
                (run.path / _TO_BE_KEPT).touch()
            lock.callback(os.close, _lock(run.path))
        yield run


def reap() -> None:
    """Remove what dead runs left behind: clusters, servers, containers, directories."""
    with _base_locked(create=False) as exists:
        if exists:
            _reap_each()
    _remove_empty_base()


def kept_run() -> LocalRun | None:
    """The kept run of this user, or None."""
    return next((run for run in _runs() if run.is_kept), None)


def discard_kept(run: LocalRun) -> None:
    """Remove the kept run."""
    run.discard()
    _remove_empty_base()


def base_directory() -> Path:
    """The directory that holds those of all runs of this user.

    Raises:
        ConfigurationError: Root runs with a temporary directory that its server cannot reach.
    """
    name = f"sandbox-lifecycle-{os.geteuid()}"
    temporary = Path(tempfile.gettempdir()).resolve()
    if os.geteuid() != 0 or reachable_by_all(temporary):
        return temporary / name
    for other in (Path("/tmp"), Path("/var/tmp")):  # noqa: S108  checked by _refuse_strange_base
        if other.is_dir() and reachable_by_all(other):
            return other / name
    raise ConfigurationError(
        "there is no place for a local server's files",
        found=f"{temporary} is closed to the unprivileged user that runs the server for root",
        expected="a temporary directory that every user can pass through",
        remedy="set TMPDIR to one",
    )


def _leave(run: LocalRun) -> None:
    if not run.is_kept:
        run.discard()
        _remove_empty_base()


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
            descriptor = _lock(run.path)
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


def _lock(directory: Path) -> int:
    """Lock a run's directory itself: a lock file in it would go first when it is removed."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def _base_locked(*, create: bool) -> Iterator[bool]:
    """Hold the directory of all runs; yields False where there is none and none is to be made."""
    descriptor = None
    while descriptor is None:
        base = base_directory()
        if create:
            with suppress(FileExistsError):
                base.mkdir(mode=0o700)
        try:
            _refuse_strange_base(base)
            descriptor = _same_directory_locked(base)
        except FileNotFoundError:
            # The last run has just removed it.
            if not create:
                yield False
                return
    try:
        base.chmod(0o711 if os.geteuid() == 0 else 0o700)
        yield True
    finally:
        os.close(descriptor)


def _same_directory_locked(base: Path) -> int | None:
    """Lock it, or return None where it was replaced while the lock was waited for."""
    descriptor = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.path.samestat(os.fstat(descriptor), base.lstat()):
            return descriptor
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _refuse_strange_base(base: Path) -> None:
    """Anybody can make a directory of this name in /tmp, and would then own what lies in it."""
    status = base.lstat()
    ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
    if not ours or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise RefusedError(
            f"{base} is not a directory of ours alone",
            found=f"{stat.filemode(status.st_mode)}, owned by uid {status.st_uid}",
            expected=f"a directory owned by uid {os.geteuid()} that nobody else can write to",
            remedy="have it removed, or set TMPDIR to another directory",
        )


def _remove(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)


def _remove_empty_base() -> None:
    with _base_locked(create=False) as exists, suppress(OSError):
        if exists:
            base_directory().rmdir()
