"""The one reason to leave the fast way: what it cannot undo exactly, or cannot be sure of."""

from __future__ import annotations


class DoubtError(Exception):
    """The fast way must not be taken, or has to be left; nothing that it did may be committed.

    Args:
        reason: What was found, in one line.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
