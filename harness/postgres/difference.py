"""Compare two fingerprints, and name every object in which they differ."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.postgres.fingerprint import Fingerprint, Rows

_GRAVEST = ("table", "rows", "function", "trigger", "index", "sequence", "sequence value")
_SHOWN_OF_A_DEFINITION = 300
_SHOWN_BEFORE_THE_DIFFERENCE = 100


@dataclass(frozen=True, slots=True)
class Difference:
    """One object that is not as it should be.

    Args:
        kind: `rows`, `sequence value`, or a kind of object such as `index`.
        name: Its name.
        expected: What it should be, or `absent`.
        found: What it is, or `missing`.
    """

    kind: str
    name: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: expected {self.expected}, found {self.found}"


def differences(expected: Fingerprint, found: Fingerprint, *, grants: bool) -> list[Difference]:
    """Every difference, the gravest kinds first.

    Args:
        expected: What should be there.
        found: What is there.
        grants: Compare grants too. Off between the sides: the sandbox gets none of prod's.
    """
    return sorted(
        [
            *definitions_differ(expected.objects, found.objects, grants=grants),
            *_rows(expected.rows, found.rows),
            *_sequences(expected, found),
        ],
        key=lambda item: (_weight(item.kind), item.kind, item.name),
    )


def _weight(kind: str) -> int:
    """A table that is missing comes before each of its columns, which are missing too."""
    return _GRAVEST.index(kind) if kind in _GRAVEST else len(_GRAVEST)


def definitions_differ(
    expected: Mapping[str, Mapping[str, str]],
    found: Mapping[str, Mapping[str, str]],
    *,
    grants: bool = True,
) -> Iterator[Difference]:
    """Every object that is missing, surplus or defined otherwise.

    Args:
        expected: What should be there: definitions by kind and name.
        found: What is there.
        grants: Compare grants too.
    """
    for kind in sorted({*expected, *found} - (set() if grants else {"grant"})):
        wanted, present = expected.get(kind, {}), found.get(kind, {})
        for name in sorted({*wanted, *present}):
            if wanted.get(name) != present.get(name):
                yield Difference(
                    kind,
                    name,
                    _shown(wanted.get(name), present.get(name), where_absent="absent"),
                    _shown(present.get(name), wanted.get(name), where_absent="missing"),
                )


def _rows(expected: Mapping[str, Rows], found: Mapping[str, Rows]) -> Iterator[Difference]:
    # A table that is on one side only is named among the objects.
    for table in sorted(expected.keys() & found.keys()):
        wanted, present = expected[table], found[table]
        if wanted.count != present.count:
            yield Difference("rows", table, f"{wanted.count:,} rows", f"{present.count:,} rows")
        elif wanted.hash != present.hash:
            yield Difference(
                "rows",
                table,
                f"{wanted.count:,} rows with hash {wanted.hash}",
                f"as many with hash {present.hash}",
            )


def _sequences(expected: Fingerprint, found: Fingerprint) -> Iterator[Difference]:
    for name in sorted(expected.sequences.keys() & found.sequences.keys()):
        wanted, present = expected.sequences[name], found.sequences[name]
        if not wanted.allows(present):
            yield Difference("sequence value", name, str(wanted), str(present))


def _shown(definition: str | None, other: str | None, *, where_absent: str) -> str:
    """A definition on one line, cut to where it differs from the other."""
    if definition is None:
        return where_absent
    line, beside = " ".join(definition.split()), " ".join((other or "").split())
    same = len(os.path.commonprefix([line, beside]))  # noqa: RUF071  of characters, not of folders
    start = max(0, same - _SHOWN_BEFORE_THE_DIFFERENCE)
    start = start if len(line) > _SHOWN_OF_A_DEFINITION else 0
    part = line[start : start + _SHOWN_OF_A_DEFINITION]
    return ("…" if start else "") + (part or "present") + ("…" if line[start:] != part else "")
