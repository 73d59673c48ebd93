"""What a golden copy says of itself: when it was taken, of what, and what each file must be."""

from __future__ import annotations

import hashlib
from datetime import datetime  # noqa: TC003  pydantic needs the type at run time
from typing import TYPE_CHECKING, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.errors import FailedError
from harness.postgres.fingerprint import Fingerprint  # noqa: TC001  as above

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = "manifest.json"


class StoredFile(BaseModel):
    """One file of a golden copy.

    Args:
        size: In bytes.
        sha256: In hexadecimal.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Self:
        """Measure a file; memory does not grow with its size."""
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return cls(size=path.stat().st_size, sha256=digest)


class Manifest(BaseModel):
    """The manifest of one generation.

    Args:
        format: Version of this layout.
        generation: Its id; also the name of its folder.
        taken: When.
        run: Id of the run that took it.
        source: What the content was: the mark's `source` at that time.
        company: The company that the content belongs to.
        database: Name of the database.
        system_identifier: The server's.
        server_version: PostgreSQL's version, as `server_version_num`.
        tools_version: Version of the pg_dump that wrote it.
        files: Every other file of the generation.
        fingerprint: What the content was, from the snapshot that the dump was made of.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    generation: str
    taken: datetime
    run: str
    source: str
    company: str | None
    database: str
    system_identifier: int
    server_version: int
    tools_version: str
    files: dict[str, StoredFile]
    fingerprint: Fingerprint

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The manifest in a folder.

        Raises:
            FailedError: It is missing, or is not a manifest.
        """
        path = folder / MANIFEST
        try:
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise FailedError(
                f"the golden copy {folder.name} has no readable manifest",
                found=str(error).splitlines()[0],
                expected=f"{path}, as checkpoint writes it",
                remedy=f"remove {folder} to fall back on the generation before it, or take a"
                " new checkpoint",
            ) from error

    def check_files(self, folder: Path) -> None:
        """Compare every file with what the manifest says of it.

        Raises:
            FailedError: One is missing or has changed; it is named.
        """
        for name, expected in self.files.items():
            path = folder / name
            found = StoredFile.of(path) if path.is_file() else None
            if found != expected:
                raise FailedError(
                    f"the golden copy {self.generation} is damaged",
                    found=f"{name}: {found or 'missing'}",
                    expected=str(expected),
                    remedy=f"remove {folder} to fall back on the generation before it, or take a"
                    " new checkpoint",
                )
