"""Directories of servers that go with their run: held by a lock, so a dead run's can be told.

All of one family lie in `<temporary directory>/<family>-<uid>/`. Whoever lives holds an flock on a
directory of its own, so a free lock means that its holder is dead.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import stat
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from harness.deadlines import eventually
from harness.errors import ConfigurationError, RefusedError
from harness.postgres import postmaster
from harness.postgres.binaries import reachable_by_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.deadlines import Deadlines

_SERVER = "server"


@contextmanager
def throwaway(family: str, deadlines: Deadlines) -> Iterator[Path]:
    """A directory for one server and its files; both are ended and removed however this is left.

    What a killed run left of the same family goes first.

    Args:
        family: What the directories are for; the name of the one that holds them all.
        deadlines: The table of deadlines.

    Yields:
        The directory. A server in it is to have its data in `server/data`.

    Raises:
        ConfigurationError: There is no place for one.
        RefusedError: The directory for all of them is not ours alone.
    """
    path = base_directory(family) / secrets.token_hex(4)
    with ExitStack() as undo:
        lock = undo.enter_context(ExitStack())  # let go after the directory is removed
        with base_locked(family, create=True):
            undo.callback(remove_empty_base, family)
            for left in sorted(base_directory(family).iterdir()):
                _discard_unless_held(left, deadlines)
            undo.callback(_discard, path, deadlines)
            path.mkdir(mode=0o700)
            if os.geteuid() == 0:
                path.chmod(0o711)  # the server's unprivileged user passes through to its data
            (path / _SERVER).mkdir(mode=0o700)
            lock.callback(os.close, lock_directory(path))
        yield path


def base_directory(family: str) -> Path:
    """The directory that holds those of all runs of this user.

    Raises:
        ConfigurationError: Root runs with a temporary directory that its server cannot reach.
    """
    name = f"{family}-{os.geteuid()}"
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


def lock_directory(directory: Path) -> int:
    """Lock a run's directory itself: a lock file in it would go first when it is removed.

    Returns:
        The descriptor that holds the lock until it is closed.

    Raises:
        BlockingIOError: Its run lives.
        FileNotFoundError: It is gone.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def base_locked(family: str, *, create: bool) -> Iterator[bool]:
    """Hold the directory of all runs; yields False where there is none and none is to be made."""
    descriptor = None
    while descriptor is None:
        base = base_directory(family)
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


def remove(path: Path) -> None:
    """Remove a directory, if it is there."""
    if path.exists():
        shutil.rmtree(path)


def remove_empty_base(family: str) -> None:
    """Remove the directory of all runs, if none is left."""
    with base_locked(family, create=False) as exists, suppress(OSError):
        if exists:
            base_directory(family).rmdir()


def _discard_unless_held(path: Path, deadlines: Deadlines) -> None:
    try:
        descriptor = lock_directory(path)
    except (BlockingIOError, FileNotFoundError):
        return  # its run lives, or has just removed it
    try:
        _discard(path, deadlines)
    finally:
        os.close(descriptor)


def _discard(path: Path, deadlines: Deadlines) -> None:
    postmaster.end(path / _SERVER / "data", deadlines.server_stop, postmaster.IMMEDIATE)
    eventually(lambda: remove(path), deadlines.server_stop)


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
