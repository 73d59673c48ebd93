"""Files that hold one secret, in their first line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


def first_line(path: Path | None, name: str) -> str:
    """The secret in a file.

    Args:
        path: The file; None where the settings name none.
        name: The setting, for the error's text.

    Raises:
        ConfigurationError: It cannot be read, or is empty.
    """
    try:
        found = path.read_text(encoding="utf-8").partition("\n")[0].strip() if path else ""
    except (OSError, UnicodeDecodeError) as error:
        told = error.strerror if isinstance(error, OSError) else "no text"
        raise _unusable(name, f"{path}: {told}") from error
    if not found:
        raise _unusable(name, f"{path}: empty")
    return found


def _unusable(name: str, found: str) -> ConfigurationError:
    return ConfigurationError(
        f"the file of {name} cannot be used",
        found=found,
        expected="a file whose first line is the secret",
        remedy=f"correct {name} or the file's permissions; nothing has been changed",
    )
