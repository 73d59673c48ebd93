"""The file of a report: its owner's alone, whole or not there, and nobody else's is touched."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from harness.errors import ConfigurationError, FailedError
from harness.reports.file import ReportFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=[0o000, 0o022, 0o777])
def _umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_umask")
def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "changes.html"
    ReportFile.at(path).write("é\r\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == b"\xc3\xa9\r\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["changes.html"]


def test_an_older_report_is_replaced_and_then_is_private_too(tmp_path: Path) -> None:
    path = tmp_path / "changes.html"
    path.write_text("older")
    path.chmod(0o644)
    ReportFile.at(path).write("newer")
    assert path.read_text() == "newer"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("target", ["there", "nowhere"])
def test_a_symbolic_link_is_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "there").write_text("somebody's")
    path = tmp_path / "changes.html"
    path.symlink_to(tmp_path / target)
    with pytest.raises(ConfigurationError, match="symbolic link"):
        ReportFile.at(path)


def test_a_link_that_came_meanwhile_is_replaced_and_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("somebody's")
    path = tmp_path / "changes.html"
    file = ReportFile.at(path)
    path.symlink_to(victim)
    file.write("the report")
    assert victim.read_text() == "somebody's"
    assert not path.is_symlink()
    assert path.read_text() == "the report"


def test_what_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(ConfigurationError, match="no plain file"):
            ReportFile.at(path)


def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    path = tmp_path / "changes.html"
    path.write_text("theirs")
    os.chown(path, 65534, -1)
    with pytest.raises(ConfigurationError, match="of user 65534"):
        ReportFile.at(path)
    assert path.read_text() == "theirs"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in ("nowhere", "file"):
        with pytest.raises(ConfigurationError, match=folder):
            ReportFile.at(tmp_path / folder / "changes.html")


def test_where_writing_fails_the_older_report_stays(tmp_path: Path) -> None:
    path = tmp_path / "changes.html"
    path.write_text("older")
    file = ReportFile.at(path)
    with pytest.raises(UnicodeEncodeError):
        file.write("newer \ud800")
    assert path.read_text() == "older"
    path.unlink()
    path.mkdir()
    with pytest.raises(FailedError, match="could not be written"):
        file.write("newer")
    assert [entry.name for entry in tmp_path.iterdir()] == ["changes.html"]
