"""The objects, their one revision counter, and the log on disk that outlives any death.

One thread owns the store. A change is first appended to the log by a single write, then applied,
then told to the subscribers; a line torn by a kill is dropped at the next start.
"""

from __future__ import annotations

import copy
import errno
import json
import os
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.local.kubernetes.resources import BY_QUALIFIED
from harness.local.kubernetes.status import expired

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.local.kubernetes.resources import Obj, Resource

Change = Literal["ADDED", "MODIFIED", "DELETED"]

FIRST_REVISION = 1000
"""A fresh store begins here, so that revision 1 is too old, as on a server that has lived."""

_LOG_LINES_KEPT = 20_000
"""Lines after which the log is rewritten: some 40 MB of Application statuses."""


@dataclass(frozen=True, slots=True)
class Event:
    """One change. `old` of a new object is None; `new` of a deletion is its last state."""

    change: Change
    resource: Resource
    old: Obj | None
    new: Obj

    @property
    def revision(self) -> int:
        """The revision that this change made."""
        return int(self.new["metadata"]["resourceVersion"])


class Store:
    """Every object by resource, namespace and name; what is read is a copy.

    Args:
        directory: Where the log is kept.
        history: How many changes a watch can be resumed from.
    """

    def __init__(self, directory: Path, history: int = 1000) -> None:
        self._path = directory / "objects.jsonl"
        self._objects: dict[tuple[str, str, str], Obj] = {}
        self._history: deque[Event] = deque(maxlen=history)
        self._subscribers: list[Callable[[Event], None]] = []
        self.revision = FIRST_REVISION
        self._load()
        self._log = -1
        self._rewrite()
        self.oldest = self.revision

    def get(self, resource: Resource, namespace: str, name: str) -> Obj | None:
        """The object, or None."""
        return copy.deepcopy(self._objects.get((resource.qualified, namespace, name)))

    def find(self, resource: Resource, namespace: str = "") -> list[Obj]:
        """Every object of a kind in one namespace, or in all, by namespace and name."""
        wanted = resource.qualified
        keys = [
            key
            for key in self._objects
            if key[0] == wanted and (not namespace or key[1] == namespace)
        ]
        return [copy.deepcopy(self._objects[key]) for key in sorted(keys)]

    def everything(self) -> list[tuple[Resource, Obj]]:
        """Every object of every kind."""
        return [
            (BY_QUALIFIED[kind], copy.deepcopy(obj)) for (kind, _, _), obj in self._objects.items()
        ]

    def commit(self, change: Change, resource: Resource, obj: Obj) -> Obj:
        """Make one change durable, give it the next revision, and tell the subscribers."""
        new = copy.deepcopy(obj)
        new["metadata"]["resourceVersion"] = str(self.revision + 1)
        line = {"change": change, "resource": resource.qualified, "object": new}
        self._append(json.dumps(line).encode() + b"\n")
        self.revision += 1
        key = _key(resource, new)
        event = Event(change, resource, self._objects.get(key), new)
        self._apply(change, key, new)
        if len(self._history) == self._history.maxlen:
            self.oldest = self._history[0].revision
        self._history.append(event)
        if self._lines > _LOG_LINES_KEPT:
            self._rewrite()
        for tell in list(self._subscribers):
            tell(event)
        return copy.deepcopy(new)

    def since(self, revision: int) -> list[Event]:
        """Every change after a revision, or 410 where the history no longer reaches it."""
        if revision < self.oldest:
            raise expired(revision, self.oldest)
        return [event for event in self._history if event.revision > revision]

    def forget(self) -> None:
        """Drop the history, as a server's compaction does after five minutes."""
        self._history.clear()
        self.oldest = self.revision

    def subscribe(self, tell: Callable[[Event], None]) -> Callable[[], None]:
        """Call `tell` on every change from now on; returns how to stop that."""
        self._subscribers.append(tell)
        return lambda: self._subscribers.remove(tell)

    def _append(self, line: bytes) -> None:
        size = os.fstat(self._log).st_size
        if os.write(self._log, line) != len(line):
            os.ftruncate(self._log, size)  # half a line would swallow the next one too
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
        self._lines += 1

    def _apply(self, change: Change, key: tuple[str, str, str], obj: Obj) -> None:
        if change == "DELETED":
            self._objects.pop(key, None)
        else:
            self._objects[key] = obj

    def _load(self) -> None:
        if not self._path.exists():
            return
        for line in self._path.read_bytes().split(b"\n"):
            try:
                entry = json.loads(line)
            except ValueError:  # the empty end, or the line that a kill tore
                continue
            if "revision" in entry:
                self.revision = entry["revision"]
                continue
            obj = entry["object"]
            self.revision = max(self.revision, int(obj["metadata"]["resourceVersion"]))
            self._apply(entry["change"], _key(BY_QUALIFIED[entry["resource"]], obj), obj)

    def _rewrite(self) -> None:
        """Replace the log by what it amounts to."""
        lines = [{"revision": self.revision}] + [
            {"change": "ADDED", "resource": kind, "object": obj}
            for (kind, _, _), obj in self._objects.items()
        ]
        fresh = self._path.with_suffix(".new")
        fresh.write_text("".join(json.dumps(line) + "\n" for line in lines))
        fresh.chmod(0o600)  # Secrets are in it
        fresh.replace(self._path)
        if self._log >= 0:
            os.close(self._log)
        self._log = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        self._lines = len(lines)


def _key(resource: Resource, obj: Obj) -> tuple[str, str, str]:
    metadata = obj["metadata"]
    return resource.qualified, metadata.get("namespace", ""), metadata["name"]
