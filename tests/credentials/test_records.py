"""What is noted of a run's token: locked while the run lives, and found by whoever comes next."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from harness.credentials.vault.records import Record, dead, recorded
from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

RECORD = Record(run="0123abcd", address="https://vault.example:8200", accessor="AbC123")
_DYING = """
import os, sys
from pathlib import Path
from harness.credentials.vault.records import Record, recorded
record = Record.model_validate_json(sys.argv[2])
with recorded(record.path(Path(sys.argv[1])), record):
    os.kill(os.getpid(), 9)
"""


def test_a_run_that_is_alive_is_not_taken_for_dead(tmp_path: Path) -> None:
    with recorded(RECORD.path(tmp_path), RECORD), dead(tmp_path) as found:
        assert found == []


def test_a_run_that_was_killed_is_found(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _DYING, str(tmp_path), RECORD.model_dump_json()]
    assert subprocess.run(command, check=False).returncode == -9
    with dead(tmp_path) as found:
        assert found == [(RECORD.path(tmp_path), RECORD)]


def test_only_one_at_a_time_sees_to_the_dead(tmp_path: Path) -> None:
    RECORD.path(tmp_path).write_text(RECORD.model_dump_json(), encoding="utf-8")
    with dead(tmp_path) as found:
        assert len(found) == 1
        with dead(tmp_path) as others:
            assert others == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        RECORD.model_dump_json().replace("AbC123", "../secret"),
        RECORD.model_dump_json().replace("}", ', "sql": "DROP"}'),
    ],
)
def test_what_is_no_record_is_not_followed(tmp_path: Path, text: str) -> None:
    path = tmp_path / "0123abcd.json"
    path.write_text(text, encoding="utf-8")
    with dead(tmp_path) as found:
        assert found == [(path, None)]


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(RECORD.model_dump_json(), encoding="utf-8")
    folder = tmp_path / "records"
    folder.mkdir()
    RECORD.path(folder).symlink_to(elsewhere)
    with dead(folder) as found:
        assert found == []


def test_it_is_for_this_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "golden" / ".logins"
    with recorded(RECORD.path(folder), RECORD):
        assert RECORD.path(folder).stat().st_mode & 0o777 == 0o600
        assert folder.stat().st_mode & 0o777 == 0o700


def test_where_it_cannot_be_noted_the_run_does_not_begin(tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.touch()
    with (
        pytest.raises(ConfigurationError) as refused,
        recorded(RECORD.path(occupied / "folder"), RECORD),
    ):
        pass
    assert "vault.records" in (refused.value.remedy or "")
    assert list(tmp_path.iterdir()) == [occupied]
