"""Names as they are: a role can be called something that a terminal or a browser would obey."""

from __future__ import annotations

import unicodedata

# Control characters, and those that show as nothing or turn the direction of what follows.
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def visible(text: str, keep: str = "") -> str:
    """The text with every character that would not show written out.

    Args:
        text: What a server said.
        keep: Characters to leave as they are.
    """
    return "".join(
        f"\\u{{{ord(each):x}}}"
        if each not in keep and unicodedata.category(each) in _INVISIBLE
        else each
        for each in text
    )
