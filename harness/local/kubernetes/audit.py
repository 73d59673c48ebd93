"""What was asked for and allowed, as an API server's audit log tells it: which rights are used."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.local.kubernetes.identity import User
    from harness.local.kubernetes.rbac import Access
    from harness.local.kubernetes.resources import Obj


class Audit:
    """Each access once, by whom it was made, since the stand-in began."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, Access], None] = {}

    def note(self, user: User, access: Access) -> None:
        """Note one that was allowed."""
        self._seen[user.name, access] = None

    def told(self) -> list[Obj]:
        """All of them, in the order in which they were first made."""
        return [{"user": user, **asdict(access)} for user, access in self._seen]
