"""The catalogue of attempts: one file for each group, one entry for each attempt.

An entry names what is attempted, by which statements, and how it must end. To add one is to add an
entry: `name`, `statement`, `expect`, and where it differs from the rule `database` (`prod`; rule:
`sandbox`), `alone` (it cannot be in a transaction, so it is not rolled back), `since` (the first
major version that knows it), `connect` (further parameters of the connection), `check` (a question
to prod whose answer must be true afterwards), `by` (`dump`: the login that reads prod; rule: those
of the sandbox) and `closes`. What stands above the first entry of a file goes for all of them.

`expect` lists what may come: SQLSTATEs, `refused to connect`, or `no effect`. In a statement stand
names in braces; `harness.integrity.names` tells what for.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping  # noqa: TC003  part of a dataclass
from dataclasses import dataclass, field
from importlib import resources
from string import Formatter
from typing import Any, Literal

REFUSED = "refused to connect"
NO_EFFECT = "no effect"
_OLDEST = 14


@dataclass(frozen=True, slots=True)
class Attack:
    """One attempt.

    Args:
        name: What is attempted, in plain words; unique and the same in every release.
        group: Which of the fourteen groups it belongs to.
        statement: The statements, with names in braces.
        expect: How it may end.
        closes: What closes it where it succeeds, with names in braces.
        database: Which database it connects to.
        alone: Not in a transaction; then it is one statement.
        since: First major version that it applies to.
        connect: Further parameters of its connection.
        check: A question to prod, whose answer must be true while the attempt lasts.
        by: Whose identities attempt it.
    """

    name: str
    group: int
    statement: str
    expect: tuple[str, ...]
    closes: str
    database: Literal["sandbox", "prod"] = "sandbox"
    alone: bool = False
    since: int = _OLDEST
    connect: Mapping[str, str] = field(default_factory=dict)
    check: str | None = None
    by: Literal["sandbox", "dump"] = "sandbox"

    @property
    def needs(self) -> frozenset[str]:
        """The names in braces."""
        return frozenset(name for _, name, _, _ in Formatter().parse(self.statement) if name)


def catalogue() -> tuple[Attack, ...]:
    """Every attempt, in the order of the groups."""
    entries = resources.files(__package__) / "entries"
    files = sorted(entries.iterdir(), key=lambda file: file.name)
    return tuple(
        attack for file in files for attack in _read(tomllib.loads(file.read_text("utf-8")))
    )


def _read(content: dict[str, Any]) -> list[Attack]:
    shared = {name: value for name, value in content.items() if name != "attack"}
    return [
        Attack(
            **{
                **shared,
                **entry,
                "statement": entry["statement"].strip(),
                "expect": tuple(entry["expect"]),
            }
        )
        for entry in content["attack"]
    ]
