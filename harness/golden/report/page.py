"""The report as one HTML page: nothing is loaded, nothing runs, and any content stays text."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from harness.golden.report.words import (
    ARROW,
    LINE_FEED,
    NULL,
    counts,
    is_cut,
    key_of,
    many,
    nulls,
    pairs,
    position,
    shown,
    totals,
    unlisted,
    values,
)
from harness.reports.html import Html, element, page
from harness.reports.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.golden.changes import Changes, RowChange, TableChanges

# About five lines; the rest is one click away.
_WIDTH = 400
_WIDTH_OF_A_KEY = 80
_TITLE = "What the rehearsal changed"
_STYLE = resources.files(__package__).joinpath("page.css").read_text(encoding="utf-8")
_SIGNS = {"updated": "~", "inserted": "+", "deleted": "-"}


def html_text(changes: Changes) -> str:
    """The report as a page."""
    return page(
        f"{_TITLE} since {visible(changes.generation)}",
        _STYLE,
        element("header", *_header(changes)),
        element("main", *_main(changes)),
    )


def _header(changes: Changes) -> Iterator[Html]:
    yield element("h1", _TITLE)
    yield element("p", f"Since golden copy {visible(changes.generation)}: {totals(changes)}.")
    if changes.tables:
        yield element(
            "p",
            f"Totals are exact; of each table and kind at most {many(changes.listed, 'row')} are"
            " listed."
            f" {NULL} is SQL's NULL, and ••• a secret that is not shown.",
            class_="faint",
        )
    if not changes.is_nothing:
        yield element("nav", *_contents(changes), aria_label="Contents")


def _contents(changes: Changes) -> Iterator[Html]:
    rows = [
        element(
            "tr",
            element("th", _link(f"table-{number}", visible(table.table)), scope="row"),
            *(
                element("td", f"{count:,}", class_="count")
                for count in (table.inserted, table.updated, table.deleted)
            ),
        )
        for number, table in enumerate(changes.tables, 1)
    ]
    if rows:
        yield _grid("Tables", ("table", "inserted", "updated", "deleted"), rows)
    links = [element("li", _link(name, words)) for name, words, _ in _others(changes)]
    if links:
        yield element("ul", *links)


def _others(changes: Changes) -> Iterator[tuple[str, str, Html]]:
    """What changed beside the rows: the id, the title and the content of each section."""
    if changes.sequences:
        rows = [
            element(
                "tr",
                element("th", visible(item.sequence), scope="row"),
                element("td", element("del", position(item.before))),
                element("td", element("ins", position(item.after))),
            )
            for item in changes.sequences
        ]
        grid = _grid("Last values", ("sequence", "before", "after"), rows)
        yield "sequences", f"{many(len(rows), 'sequence')} moved", grid
    if changes.objects:
        items = [element("li", visible(line)) for line in changes.objects]
        yield "objects", f"{many(len(items), 'object')} changed", element("ul", *items)
    if changes.uncounted:
        items = [
            element("li", f"{visible(name)}: {visible(why)}")
            for name, why in changes.uncounted.items()
        ]
        yield "uncounted", f"{many(len(items), 'table')} not compared", element("ul", *items)


def _main(changes: Changes) -> Iterator[Html]:
    for number, table in enumerate(changes.tables, 1):
        yield element("section", *_table(number, table))
    for name, title, content in _others(changes):
        yield element("section", element("h2", title, id=name), content)


def _table(number: int, table: TableChanges) -> Iterator[Html]:
    yield element("h2", visible(table.table), id=f"table-{number}")
    yield element("p", counts(table))
    for row in table.rows:
        yield _row(row)
    if more := unlisted(table):
        yield element("p", f"and {many(more, 'more row')}", class_="faint")


def _row(row: RowChange) -> Html:
    title = f"{_SIGNS[row.kind]} {row.kind}: {key_of(row, width=_WIDTH_OF_A_KEY)}"
    if row.kind == "updated":
        rows = [
            element(
                "tr",
                element("th", visible(column), scope="row"),
                element("td", element("del", _value(before, after))),
                element("td", element("ins", _value(after, before))),
            )
            for column, before, after in pairs(row)
        ]
        return _grid(title, ("column", "before", f"{ARROW} after"), rows, class_="row")
    mark = "ins" if row.kind == "inserted" else "del"
    rows = [
        element(
            "tr",
            element("th", visible(column), scope="row"),
            element("td", element(mark, _value(value))),
        )
        for column, value in values(row)
    ]
    if empty := ", ".join(map(visible, nulls(row))):
        rows.append(element("tr", element("th", NULL, scope="row"), element("td", empty)))
    return _grid(title, ("column", "value"), rows, class_="row")


def _value(value: str | None, beside: str | None = None) -> Html:
    if value is None:
        return element("em", NULL)
    # Apart from what surrounds it: a text from right to left must not turn its neighbours round.
    part = element("bdi", _broken(shown(value, beside, width=_WIDTH)))
    if not is_cut(value, width=_WIDTH):
        return part
    return element("details", element("summary", part), element("pre", _broken(visible(value))))


def _broken(text: str) -> str:
    """The text with its lines broken where they were, behind the picture of the line feed."""
    return text.replace(LINE_FEED, f"{LINE_FEED}\n")


def _grid(title: str, columns: Sequence[str], rows: Sequence[Html], **attributes: str) -> Html:
    return element(
        "table",
        element("caption", title),
        element("thead", element("tr", *(element("th", name, scope="col") for name in columns))),
        element("tbody", *rows),
        **attributes,
    )


def _link(name: str, text: str) -> Html:
    return element("a", text, href=f"#{name}")
