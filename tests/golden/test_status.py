"""What `status` says of golden copies: which there are, none, or that nobody knows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from harness.cli import app
from harness.lifecycle.checkpoint import checkpoint
from harness.lifecycle.refresh import refresh_from_prod
from harness.progress import Silent
from tests.recovery.tiny import tiny_platform
from tests.settings_file import write_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.settings import Settings


@dataclass(frozen=True)
class Told:
    """The answer, for a person and for a program."""

    text: dict[str, str]
    result: dict[str, Any]


def ask(settings: Settings, folder: Path) -> Told:
    command = ["status", "--target=live", f"--sandbox-config={write_settings(folder, settings)}"]
    text, as_json = (CliRunner().invoke(app, [*command, *more]) for more in ([], ["--json"]))
    assert (text.exit_code, as_json.exit_code) == (0, 0), text.output
    lines = (line.partition("  ") for line in text.stdout.splitlines())
    return Told(
        {label: said.strip() for label, _, said in lines}, json.loads(as_json.stdout)["result"]
    )


@pytest.fixture(scope="module")
def settings() -> Iterator[Settings]:
    with tiny_platform(cluster=False) as platform:
        refresh_from_prod(platform.settings, Silent())
        yield platform.settings


def test_none_and_each_one_are_told(settings: Settings, tmp_path: Path) -> None:
    config = tmp_path / "sandbox.toml"
    assert ask(settings, config).text["golden copies"] == "none"
    taken = [checkpoint(settings, Silent()).generation for _ in range(2)]
    told = ask(settings, config)
    assert told.text["golden copies"] == ", ".join(reversed(taken))
    assert told.text["shadow"] == "ready"
    assert (told.result["golden"], told.result["golden_obstacle"]) == ([*reversed(taken)], None)


def test_a_folder_that_cannot_be_read_is_not_taken_for_an_empty_one(
    settings: Settings, tmp_path: Path
) -> None:
    directory = tmp_path / "golden"
    directory.touch()
    golden = settings.golden.model_copy(update={"directory": directory})
    elsewhere = settings.model_copy(update={"golden": golden})
    told = ask(elsewhere, tmp_path / "sandbox.toml")
    obstacle = f"[Errno 20] Not a directory: '{directory}'"
    assert told.text["golden copies"] == f"nobody knows: {obstacle}"
    assert told.text["shadow"] == f"none: {obstacle}"
    assert (told.result["golden"], told.result["golden_obstacle"]) == ([], obstacle)
