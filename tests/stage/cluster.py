"""A real Kubernetes with a real Argo CD on this machine: started, used, and ended without a trace.

Everything about a stage lies in its directory, so any later process finds it there: another
starter, a test, or the `down` of somebody whose `up` was killed. There is one on a machine, for
its addresses are fixed; a link in /run leads to its directory.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from harness.errors import ConfigurationError, LifecycleError, RefusedError
from harness.local.undo import Undo, signals_wait
from harness.postgres.directories import lock_directory
from tests.stage import boot, bundle, components, group, host, preflight
from tests.stage.argocd import SelfHeal
from tests.stage.host import NODE_ADDRESS
from tests.stage.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

__all__ = ["NODE_ADDRESS", "SelfHeal", "Stage", "down", "find", "running", "up"]

DEFAULT_DIRECTORY = Path("/var/lib/sandbox-lifecycle-stage")
# In memory, like all that a stage changes on the machine: a restart takes both or neither.
_LINK = Path("/run/sandbox-lifecycle-stage")
_MARK = "stage.json"


def up(
    directory: Path = DEFAULT_DIRECTORY,
    *,
    self_heal: SelfHeal = SelfHeal.FAST,
    drop_go_caches: bool = False,
) -> Stage:
    """Start a stage and return when its API, its node and its Argo CD answer.

    Args:
        directory: Where it is to be; is not there yet, or empty.
        self_heal: The back-off of Argo CD's controller.
        drop_go_caches: If the programs have to be built first, keep no caches of that.

    Raises:
        ConfigurationError: This machine cannot carry one; nothing was changed.
        RefusedError: Another one is up, or something else is in the way; nothing was changed.
        FailedError: A part of it does not start; all was put back, and the logs were kept.
    """
    directory = directory.resolve()
    _refuse_second()
    preflight.check(directory)
    stage = Stage(directory, bundle.provided(drop_go_caches=drop_go_caches))
    with _claimed(stage), Undo() as undo:
        undo.push(_Unfinished(directory))
        host.note(directory)
        boot.boot(stage, self_heal)
        undo.pop_all()
    components.disown()
    return stage


def down(directory: Path | None = None) -> None:
    """End a stage and put the machine back; nothing where there is none.

    Args:
        directory: That of the stage; by default that of the one that is up.

    Raises:
        RefusedError: Its starter is still at it, or the directory is none of a stage.
        FailedError: A part of it does not end.
    """
    directory = (directory or _linked() or DEFAULT_DIRECTORY).resolve()
    if not directory.exists():
        if _is_up_in(directory):
            _clear_away(directory)  # somebody has removed it under a stage
        return
    if not (directory / _MARK).exists() and not _is_up_in(directory):
        raise RefusedError(
            f"{directory} is not ended",
            found=f"no {_MARK} in it",
            expected="the directory of a stage",
            remedy="name another one: --directory",
        )
    try:
        lock = lock_directory(directory)
    except BlockingIOError as error:
        raise RefusedError(
            f"the stage in {directory} is not ended",
            found="somebody is starting or ending it right now",
            expected="nobody",
            remedy="wait for them, or end them first",
        ) from error
    try:
        with signals_wait():
            if _is_up_in(directory):
                _clear_away(directory)
            else:
                # Of before a restart of the machine: what it noted of it then is true no more.
                shutil.rmtree(directory)
    finally:
        os.close(lock)


def find(directory: Path | None = None) -> Stage | None:
    """The stage that is up on this machine, or None; given a directory, only one that is there."""
    linked = _linked()
    if linked is None or (directory is not None and directory.resolve() != linked):
        return None
    with suppress(FileNotFoundError):
        told = json.loads((linked / _MARK).read_text())
        return Stage(linked, Path(told["bundle"]))
    return None


@contextmanager
def running(
    directory: Path = DEFAULT_DIRECTORY, *, self_heal: SelfHeal = SelfHeal.FAST
) -> Iterator[Stage]:
    """A stage for the length of a block; see `up`."""
    with Undo() as undo:
        stage = up(directory, self_heal=self_heal)
        undo.callback(down, directory)
        yield stage


def _refuse_second() -> None:
    linked = _linked()
    if linked is None and not (os.geteuid() == 0 and group.exists()):
        return
    raise RefusedError(
        "a stage cannot be started",
        found=f"one is up, or was not ended: {linked or 'its control group is there'}",
        expected="none: there is one on a machine",
        remedy="use it, or end it first: python -m tests.stage down",
    )


@contextmanager
def _claimed(stage: Stage) -> Iterator[None]:
    """Make the directory and the link to it, and hold a lock until the stage is up or gone."""
    stage.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    stage.directory.chmod(0o711)
    try:
        lock = lock_directory(stage.directory)
    except BlockingIOError as error:
        raise ConfigurationError(
            "a stage cannot be started",
            found=f"somebody is starting one in {stage.directory}",
            remedy="wait for them",
        ) from error
    try:
        try:
            _LINK.symlink_to(stage.directory)
        except FileExistsError:
            with suppress(OSError):
                stage.directory.rmdir()
            _refuse_second()  # another starter was faster
            raise
        temporary = stage.directory / f"{_MARK}.new"
        temporary.write_text(json.dumps({"bundle": str(stage.bundle)}))
        temporary.rename(stage.directory / _MARK)
        yield
    finally:
        os.close(lock)


class _Unfinished:
    """What is done with a stage that does not come up: its logs are kept, all else is put back."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        logs = self._directory / "logs"
        if isinstance(error, LifecycleError) and logs.exists():
            kept = self._directory.with_name(f"{self._directory.name}.logs")
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(logs, kept)
            error.add_note(f"all was put back; the logs are in {kept}")
        _clear_away(self._directory)


def _is_up_in(directory: Path) -> bool:
    """Whether the one stage of this machine is there, or may be for want of the link."""
    linked = _linked()
    return linked == directory or (linked is None and group.exists())


def _linked() -> Path | None:
    with suppress(OSError):
        return _LINK.readlink()
    return None


def _clear_away(directory: Path) -> None:
    sockets = host.shim_sockets(directory)
    group.kill()
    components.reap()
    host.restore(directory, sockets)
    group.remove()
    if directory.exists():
        shutil.rmtree(directory)
    if _linked() == directory:
        _LINK.unlink()
