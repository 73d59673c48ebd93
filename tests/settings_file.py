"""Settings as the configuration file of a live target."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

if TYPE_CHECKING:
    from pathlib import Path

    from harness.settings import Settings


def write_settings(path: Path, settings: Settings) -> Path:
    """Write them to a file that nobody else can read, logins included; returns its path."""
    path.touch(mode=0o600)
    path.write_text(as_toml(settings), encoding="utf-8")
    return path


def as_toml(settings: Settings) -> str:
    """The same as a text."""
    values = settings.model_dump(exclude_none=True)
    tables = {name: table for name, table in values.items() if isinstance(table, dict)}
    lines = [f"{name} = {_plain(value)}" for name, value in values.items() if name not in tables]
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{key} = {_plain(value)}" for key, value in table.items())]
    return "\n".join(lines)


def _plain(value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    # Strings, numbers and lists of them read the same in TOML.
    return json.dumps(value, default=str, ensure_ascii=False)
