"""The pieces of the page; whatever came from a server is shown as it is, and obeyed by nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.reports.html import Html, element, joined
from harness.reports.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def shown(text: str) -> str:
    """A text with what would act made visible; HTML as it is."""
    return text if isinstance(text, Html) else visible(text)


def code(text: str) -> Html:
    """A statement or a name, as it is typed."""
    return element("code", shown(text))


def marked(kind: str, word: str) -> Html:
    """A word with a colour; the word alone says it all."""
    return element("span", word, class_=kind)


def chain(steps: Iterable[str]) -> Html:
    """Steps that lead somewhere, in their order."""
    return element("ol", *(element("li", shown(step)) for step in steps), class_="chain")


def below(*cells: str) -> Html:
    """Several things in one cell, one below the other."""
    return joined(element("div", shown(each)) for each in cells)


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> Html:
    """A table whose first column names its rows; a sentence in its place where it has none."""
    body = [
        element(
            "tr",
            element("th", shown(first), scope="row"),
            *(element("td", shown(each)) for each in rest),
        )
        for first, *rest in rows
    ]
    if not body:
        return element("p", f"{caption}: none.")
    heads = (element("th", each, scope="col") for each in head)
    return element(
        "div",
        element(
            "table",
            element("caption", caption),
            element("thead", element("tr", *heads)),
            element("tbody", *body),
        ),
        class_="scroll",
        # A table that is wider than the screen is scrolled, by keyboard too.
        tabindex="0",
    )


def listed(items: Iterable[str]) -> Html:
    """A list."""
    return element("ul", *(element("li", shown(each)) for each in items))
