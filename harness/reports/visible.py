"""Text from elsewhere, so that nothing in it acts on a terminal or hides from a reader."""

from __future__ import annotations

import re

# What moves a cursor, colours a terminal, turns the direction of writing, or is not seen at all.
_ACTING = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff"
    "\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
_PICTURES = 0x2400  # Unicode's pictures of the control characters: ␀ to ␟
_LAST_PICTURED = 0x1F
_DELETE, _PICTURE_OF_DELETE = "\x7f", "␡"


def visible(text: str) -> str:
    """The text with each character that would act, or not be seen, replaced by a picture of it."""
    return _ACTING.sub(lambda found: _picture(found.group()), text)


def _picture(character: str) -> str:
    if character == _DELETE:
        return _PICTURE_OF_DELETE
    code = ord(character)
    return chr(_PICTURES + code) if code <= _LAST_PICTURED else f"⟨U+{code:04X}⟩"
