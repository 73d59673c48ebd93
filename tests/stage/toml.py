"""Tables of plain values as TOML, which Python can only read."""

from __future__ import annotations

import json
from typing import Any


def written(tables: dict[str, dict[str, Any]]) -> str:
    """One level of tables; what is None is left out, as TOML has no word for it."""
    return "\n".join(f"[{name}]\n{_lines(table)}" for name, table in tables.items())


def _lines(table: dict[str, Any]) -> str:
    # Strings, numbers and truths read the same in JSON.
    return "".join(
        f"{name} = {json.dumps(value, ensure_ascii=False)}\n"
        for name, value in table.items()
        if value is not None
    )
