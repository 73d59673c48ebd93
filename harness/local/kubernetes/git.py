"""The repository that Argo CD follows: manifests by path, one revision, kept on disk."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.local.kubernetes.resources import Obj

Manifests = dict[str, list["Obj"]]


class Git:
    """A repository without history.

    Args:
        directory: Where its content is kept.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / "git.json"
        self._subscribers: list[Callable[[], None]] = []
        self._manifests: Manifests = {}
        self._commits = 0
        self.reachable = True
        if self._path.exists():
            state = json.loads(self._path.read_text())
            self._manifests, self._commits = state["manifests"], state["commits"]
            self.reachable = state["reachable"]

    @property
    def revision(self) -> str:
        """The commit at the head."""
        return hashlib.sha1(str(self._commits).encode()).hexdigest()  # noqa: S324  git's own form

    def manifests(self, path: str) -> list[Obj]:
        """What the directory `path` holds."""
        return self._manifests.get(path, [])

    def change(self, manifests: Manifests | None = None, *, reachable: bool | None = None) -> None:
        """Push a commit that sets the paths named, or make the repository answer or not."""
        if manifests is not None:
            self._manifests |= manifests
            self._commits += 1
        self.reachable = self.reachable if reachable is None else reachable
        state = {
            "manifests": self._manifests,
            "commits": self._commits,
            "reachable": self.reachable,
        }
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(state))
        fresh.replace(self._path)
        for tell in self._subscribers:
            tell()

    def subscribe(self, tell: Callable[[], None]) -> None:
        """Call `tell` on every change from now on (a webhook)."""
        self._subscribers.append(tell)
