"""The files that lie beside this package's code: SQL, shapes of tables, fixed rows."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGE = files(__package__)


def script(name: str) -> bytes:
    """SQL that is run as it stands."""
    return (_PACKAGE / "sql" / f"{name}.sql").read_bytes()


@cache
def shape(name: str) -> str:
    """The DDL that tables of one kind share, with `{name}` where theirs goes."""
    return (_PACKAGE / "shapes" / f"{name}.sql").read_text(encoding="utf-8")


class Rows(NamedTuple):
    """Some rows of a table, in COPY's text format."""

    table: str
    columns: str
    text: str


def fixed_rows() -> Iterator[Rows]:
    """The rows that are the same in every sample; the first line of a file names the columns."""
    for file in sorted((_PACKAGE / "rows").iterdir(), key=lambda file: file.name):
        header, _, text = file.read_text(encoding="utf-8").partition("\n")
        yield Rows(file.name.removesuffix(".tsv"), header.replace("\t", ", "), text)
