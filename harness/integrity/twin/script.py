"""SQL scripts that PostgreSQL's dump programs write, statement by statement.

They are not handed to psql: it obeys lines that begin with a backslash, and names in a dump have
been used to smuggle such lines in. Here they are left out, and what is inside quotes is text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(
    r"""
    (?P<quoted>
        (?<!\w)[eE]'(?:[^'\\]|\\.|'')*'
      | '(?:[^']|'')*'
      | "(?:[^"]|"")*"
    )
  | (?P<dropped>--[^\n]* | ^\\[^\n]*)
  | (?P<end>;)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)


def statements(text: str) -> Iterator[str]:
    """Each statement of a script, without comments, its final semicolon and psql's commands.

    Args:
        text: The script: roles, databases and grants; dollar quotes do not occur in such.
    """
    pieces: list[str] = []
    for token in _TOKEN.finditer(text):
        if token["end"]:
            if statement := "".join(pieces).strip():
                yield statement
            pieces.clear()
        elif not token["dropped"]:
            pieces.append(token[0])
