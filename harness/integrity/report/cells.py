"""The pieces of a page, in which every text that came from a server is escaped, once and here."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from harness.integrity.report.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Markup:
    """A text that is markup already."""

    text: str


Cell = str | int | Markup
"""What stands in a table: a text is escaped, markup is not."""


def shown(cell: Cell) -> str:
    """A cell as markup."""
    if isinstance(cell, Markup):
        return cell.text
    return escape(visible(str(cell), keep="\n"), quote=True)


def code(text: str) -> Markup:
    """A statement or a name, as it is typed."""
    return Markup(f"<code>{shown(text)}</code>")


def marked(kind: str, text: str) -> Markup:
    """A word with a colour; the word alone says it all."""
    return Markup(f'<span class="{kind}">{shown(text)}</span>')


def chain(steps: Iterable[str]) -> Markup:
    """Steps that lead somewhere, in their order."""
    listed = "".join(f"<li>{shown(step)}</li>" for step in steps)
    return Markup(f'<ol class="chain">{listed}</ol>')


def row(*cells: Cell) -> tuple[Cell, ...]:
    """One row of a table."""
    return cells


def several(*cells: Cell) -> Markup:
    """Several things in one cell, one below the other."""
    return Markup("<br>".join(shown(each) for each in cells))


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A table whose first column names its rows; a sentence instead where it has none."""
    told = [
        f'<tr><th scope="row">{shown(first)}</th>'
        + "".join(f"<td>{shown(each)}</td>" for each in rest)
        + "</tr>"
        for first, *rest in rows
    ]
    if not told:
        return f"<p>{shown(caption)}: none.</p>"
    heads = "".join(f'<th scope="col">{shown(each)}</th>' for each in head)
    return (
        f'<div class="scroll"><table><caption>{shown(caption)}</caption>\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n" + "\n".join(told) + "\n</tbody></table></div>"
    )


def listed(items: Iterable[Cell]) -> str:
    """A list."""
    return "<ul>" + "".join(f"<li>{shown(each)}</li>" for each in items) + "</ul>"
