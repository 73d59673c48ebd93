"""Which token belongs to which run: what the next run needs to revoke a dead one's.

One file for each run that is alive, locked by it. A death of the process, by whatever, ends the
lock: what can be locked by somebody else is a dead run's. It holds the accessor of the token, by
which the token can be revoked and not used.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600
_SUFFIX = ".json"
_LONGEST = 4096


class Record(BaseModel):
    """What is noted of a run.

    Args:
        run: Its id.
        address: The Vault that the token is of.
        accessor: The accessor of the token.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    run: Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]
    address: Annotated[str, Field(max_length=512)]
    accessor: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,128}$")]

    def path(self, folder: Path) -> Path:
        """The file that it belongs into."""
        return folder / f"{self.run}{_SUFFIX}"


@contextmanager
def recorded(path: Path, record: Record) -> Iterator[None]:
    """Note a run, on the disk before the block begins, and keep it locked while the block runs.

    The file stays: it goes when the token has been revoked.

    Raises:
        ConfigurationError: It cannot be written.
    """
    folder, fresh = path.parent, path.with_suffix(".new")
    with ExitStack() as stack:
        try:
            folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE_FILE)
            stack.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            os.write(descriptor, record.model_dump_json().encode())
            os.fsync(descriptor)
            fresh.rename(path)
            _sync(folder)
        except OSError as error:
            raise ConfigurationError(
                "the run cannot note which token it uses in Vault",
                found=f"{path}: {error.strerror}",
                expected="a folder on durable storage that this user may write to, with locks",
                remedy="correct golden.directory, or set vault.records; nothing has been leased",
            ) from error
        yield


@contextmanager
def dead(folder: Path) -> Iterator[list[tuple[Path, Record | None]]]:
    """The files of dead runs, kept from others while the block runs; None for what is no record."""
    found = []
    with ExitStack() as stack:
        for path in sorted(folder.glob(f"*{_SUFFIX}")):
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
            except OSError:
                continue
            stack.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            if not _is_there(path, descriptor):
                continue  # its run has ended meanwhile
            found.append((path, _read(descriptor)))
        yield found


def _read(descriptor: int) -> Record | None:
    try:
        return Record.model_validate_json(os.read(descriptor, _LONGEST))
    except ValidationError:
        return None


def _is_there(path: Path, descriptor: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
