"""The durable tier: generations of golden copies in a folder, each whole or not there at all."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from harness.errors import ConfigurationError
from harness.golden.manifest import MANIFEST, Manifest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DUMP = "sandbox.dump"

_PARTIAL = ".partial-"
_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600


@dataclass(frozen=True, slots=True)
class Generation:
    """One golden copy, its files compared with its manifest."""

    folder: Path
    manifest: Manifest

    @property
    def dump(self) -> Path:
        """The dump of the sandbox."""
        return self.folder / DUMP


class Draft:
    """A generation in the making: files are put into `folder`, then it is `seal`ed."""

    def __init__(self, store: GoldenStore, generation: str, taken: datetime) -> None:
        self.generation = generation
        self.taken = taken
        self.folder = store.directory / f"{_PARTIAL}{generation}"
        self._target = store.directory / generation
        self._store = store

    @property
    def dump(self) -> Path:
        """Where the dump belongs."""
        return self.folder / DUMP

    def seal(self, manifest: Manifest) -> Generation:
        """Write the manifest and give the folder its name: all or nothing, power loss included."""
        path = self.folder / MANIFEST
        path.write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
        for file in self.folder.iterdir():
            file.chmod(_PRIVATE_FILE)
            _sync(file)
        _sync(self.folder)
        self.folder.rename(self._target)
        _sync(self._store.directory)
        self._store.forget_the_oldest()
        return Generation(self._target, manifest)


@dataclass(frozen=True, slots=True)
class GoldenStore:
    """The folder of all generations; on a live cluster, the golden-cache volume.

    Args:
        directory: The folder.
        keep: How many generations are kept.
    """

    directory: Path
    keep: int

    def generations(self) -> list[str]:
        """Ids of all generations, the newest first."""
        if not self.directory.is_dir():
            return []
        folders = (path.parent.name for path in self.directory.glob(f"*/{MANIFEST}"))
        return sorted((name for name in folders if not name.startswith(_PARTIAL)), reverse=True)

    def obstacle(self) -> str | None:
        """Why it cannot be told which there are; None where it can, or where there is no folder."""
        try:
            for path in self.directory.iterdir():
                if not path.name.startswith("."):
                    (path / MANIFEST).exists()
        except FileNotFoundError:
            return None
        except OSError as error:
            return str(error)
        return None

    def refuse_unreadable(self) -> None:
        """Keep an answer from being taken for "there is none".

        Raises:
            ConfigurationError: The folder, or one of a generation, cannot be read.
        """
        if (obstacle := self.obstacle()) is not None:
            raise ConfigurationError(
                f"nobody knows which golden copies are in {self.directory}",
                found=obstacle,
                expected="a folder that this user may read, or none",
                remedy="correct golden.directory or its permissions; nothing has been changed",
            )

    def newest_folder(self) -> Path | None:
        """The folder of the newest generation, its files not checked; None where there is none."""
        return next(iter(self.folders()), None)

    def folders(self) -> list[Path]:
        """The folders of all generations, the newest first."""
        return [self.directory / name for name in self.generations()]

    def latest(self) -> Generation | None:
        """The newest generation, its files checked; None where there is none.

        Raises:
            FailedError: It is damaged. An older one is never taken in silence.
        """
        folder = self.newest_folder()
        if folder is None:
            return None
        manifest = Manifest.read(folder)
        manifest.check_files(folder)
        return Generation(folder, manifest)

    @contextmanager
    def draft(self, run: str) -> Iterator[Draft]:
        """A folder for a new generation; gone at the end of the block unless it was sealed.

        Args:
            run: Id of the run that takes it.

        Raises:
            ConfigurationError: The folder of the store cannot be written.
        """
        now = datetime.now(UTC)
        draft = Draft(self, f"{now:%Y%m%dT%H%M%S.%fZ}-{run}", now)
        try:
            self.directory.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
            for left_by_a_dead_run in self.directory.glob(f"{_PARTIAL}*"):
                shutil.rmtree(left_by_a_dead_run)
            draft.folder.mkdir(mode=_PRIVATE_FOLDER)
        except OSError as error:
            raise ConfigurationError(
                f"golden copies cannot be kept in {self.directory}",
                found=str(error),
                expected="a folder that this user may write to",
                remedy="correct golden.directory or its permissions",
            ) from error
        try:
            yield draft
        finally:
            shutil.rmtree(draft.folder, ignore_errors=True)

    def forget_the_oldest(self) -> None:
        """Remove the generations beyond the number that is kept."""
        for old in self.generations()[self.keep :]:
            shutil.rmtree(self.directory / old)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
