"""The commands that tell what was changed: on stdout, in a file, as JSON; and where they refuse."""

from __future__ import annotations

import json
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from harness.cli import app
from harness.cli.changes import Report, taken_back
from harness.dolibarr.rehearsal import rename_company
from harness.errors import FailedError
from harness.golden.changes import Changes
from harness.lifecycle.checkpoint import checkpoint
from harness.lifecycle.refresh import refresh_from_prod
from harness.progress import Silent
from harness.sides import Sandbox
from tests.recovery.tiny import tiny_platform
from tests.settings_file import as_toml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typer.testing import Result

    from harness.settings import Settings

NAME = "Ferblanterie :bomb: <b>[red]"


@dataclass(frozen=True)
class Command:
    """The command on one sandbox."""

    settings: Settings
    config: Path

    def __call__(self, verb: str, *options: object) -> Result:
        target = ["--target=live", f"--sandbox-config={self.config}"]
        return CliRunner().invoke(app, [verb, *target, *map(str, options)])

    def rename(self) -> None:
        """Change one row of the sandbox."""
        rename_company(Sandbox.of(self.settings), NAME, self.settings.deadlines)


@pytest.fixture(scope="module")
def only_command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """A sandbox with a golden copy, for all tests here."""
    with tiny_platform(cluster=False) as platform:
        refresh_from_prod(platform.settings, Silent())
        checkpoint(platform.settings, Silent())
        config = tmp_path_factory.mktemp("config") / "sandbox.toml"
        config.write_text(as_toml(platform.settings), encoding="utf-8")
        yield Command(platform.settings, config)


@pytest.fixture
def command(only_command: Command) -> Iterator[Command]:
    """The sandbox as the golden copy is; it is again at the end."""
    yield only_command
    assert only_command("reset").exit_code == 0


def test_nothing_is_told_as_nothing(command: Command) -> None:
    told = command("changes")
    assert told.exit_code == 0
    assert told.stdout.endswith(": nothing changed\n")


def test_text_is_printed_as_it_is(command: Command) -> None:
    command.rename()
    told = command("changes").stdout
    assert "\nllx_const  1 updated\n" in told
    assert f"value  Ferblanterie → {NAME}\n" in told


@pytest.mark.parametrize(
    ("options", "read"),
    [
        (["--json"], lambda text: json.loads(text)["result"]),
        (["--format=json"], json.loads),
    ],
)
def test_a_program_reads_json(command: Command, options: list[str], read: Any) -> None:
    command.rename()
    told = read(command("changes", *options).stdout)
    assert told["totals"]["updated"] == 1
    assert told["tables"][0]["rows"][0]["after"] == {"value": NAME}


def test_the_name_of_the_file_chooses_the_form(command: Command, tmp_path: Path) -> None:
    command.rename()
    page, data = tmp_path / "changes.html", tmp_path / "changes.json"
    for path in (page, data):
        told = command("changes", "--output", path)
        assert told.exit_code == 0
        assert "llx_const  1 updated" in told.stdout
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert NAME in "".join(ET.parse(page).getroot().itertext())  # noqa: S314  made here
    assert json.loads(data.read_text())["totals"]["updated"] == 1
    both = command("changes", "--format=text", "--output", page)
    assert both.exit_code == 0
    assert page.read_text().startswith("since golden copy ")


def test_the_rows_are_bounded_and_the_totals_are_not(command: Command) -> None:
    command.rename()
    told = json.loads(command("changes", "--format=json", "--rows=0").stdout)
    assert (told["totals"]["updated"], told["tables"][0]["rows"]) == (1, [])


def test_a_reset_tells_what_it_took_back(command: Command, tmp_path: Path) -> None:
    command.rename()
    path = tmp_path / "taken-back.json"
    asked = json.loads(command("changes", "--format=json").stdout)
    told = command("reset", "--changes", path)
    assert told.exit_code == 0
    assert re.search(r"^  llx_const +1 updated$", told.stdout, re.MULTILINE)
    assert json.loads(path.read_text()) == asked
    assert json.loads(command("reset", "--json").stdout)["result"]["changes"]["nothing"] is True


def test_where_nobody_can_tell_no_older_report_stays(tmp_path: Path) -> None:
    path = tmp_path / "taken-back.html"
    path.write_text("of the last reset")
    report = Report.at(path)
    assert taken_back(None, report) == [("changed", "nobody can tell, so no report was written")]
    assert not path.exists()


def test_a_reset_whose_report_fails_says_that_it_is_done(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    report = Report.at(folder / "taken-back.html")
    folder.rmdir()
    with pytest.raises(FailedError) as caught:
        taken_back(Changes("g"), report)
    assert caught.value.__notes__ == ["  the reset itself is done; only its report is missing"]


@pytest.mark.parametrize("verb", ["changes", "reset"])
@pytest.mark.parametrize("name", ["a.pdf", "there/changes.txt", "link.txt"])
def test_a_file_that_cannot_be_is_refused_before_anything_is_done(
    command: Command, tmp_path: Path, verb: str, name: str
) -> None:
    command.rename()
    (tmp_path / "link.txt").symlink_to(tmp_path / "target")
    option = "--output" if verb == "changes" else "--changes"
    assert command(verb, option, tmp_path / name).exit_code == 2
    assert not (tmp_path / "target").exists()
    assert NAME in command("changes").stdout
