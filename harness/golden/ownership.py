"""Which table each sequence of a golden copy numbers, as its definition says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.postgres.fingerprint import Fingerprint

# As catalogue.sql writes it under an empty search path: names quoted where SQL wants them quoted.
_OWNED_BY = re.compile(r'owned by public\.("(?:[^"]|"")+"|[^".]+)\.')


def tables_of_sequences(golden: Fingerprint) -> dict[str, str]:
    """The table by sequence; a sequence that no column owns is left out."""
    found = {
        name: _OWNED_BY.search(definition)
        for name, definition in golden.objects.get("sequence", {}).items()
    }
    return {name: _plain(match.group(1)) for name, match in found.items() if match}


def _plain(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
