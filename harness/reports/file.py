"""Write a report where only its owner reads it, and nothing of anybody else's is touched."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import ConfigurationError, FailedError

if TYPE_CHECKING:
    from pathlib import Path

_PRIVATE_FILE = 0o600


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A file that may be written: not there yet, or a plain file of this user.

    Args:
        path: Where it is.
    """

    path: Path

    @classmethod
    def at(cls, path: Path) -> ReportFile:
        """Look at the place, before the work whose report is to go there.

        Raises:
            ConfigurationError: There is something else, or no folder to write to.
        """
        try:
            found = path.lstat()
        except FileNotFoundError:
            found = None
        except OSError as error:
            raise _unfit(path, str(error)) from error
        if found is not None and not _is_plain_and_ours(found):
            raise _unfit(path, _told(found))
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise _unfit(path, f"no folder {path.parent} that this user may write to")
        return cls(path)

    def write(self, text: str) -> None:
        """Put the whole text there at once; a link that came meanwhile is replaced, not followed.

        Raises:
            FailedError: It cannot be written.
        """
        draft = self.path.with_name(f".{self.path.name[:200]}.{secrets.token_hex(4)}")
        try:
            _write_new(draft, text)
            draft.replace(self.path)
        except OSError as error:
            raise FailedError(
                f"the report could not be written to {self.path}",
                found=str(error),
                expected="room for it in a folder that this user may write to",
                remedy="ask again, for another file",
            ) from error
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)


def _write_new(path: Path, text: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    descriptor = os.open(path, flags, _PRIVATE_FILE)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
        # Whatever the umask says: neither more nor less.
        os.fchmod(descriptor, _PRIVATE_FILE)
        stream.write(text)
        stream.flush()
        os.fsync(descriptor)


def _is_plain_and_ours(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()


def _told(found: os.stat_result) -> str:
    if stat.S_ISLNK(found.st_mode):
        return "a symbolic link there, which is not followed"
    if stat.S_ISREG(found.st_mode):
        return f"a file there of user {found.st_uid}"
    return "something there that is no plain file"


def _unfit(path: Path, found: str) -> ConfigurationError:
    return ConfigurationError(
        f"no report can be written to {path}",
        found=found,
        expected="a new file, or a plain file of this user, in a folder that can be written to",
        remedy="name another file",
    )
