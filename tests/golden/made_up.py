"""Changes that a test makes up."""

from __future__ import annotations

from harness.golden.changes import Changes, RowChange, SequenceChange, TableChanges

HOSTILE = [
    "<script>alert(1)</script>",
    "</bdi></td></table><img src=x onerror=alert(1)>",
    "\"quotes\" and 'quotes' & &amp; <!-- ]]>",
    "emoji 🧾👩‍👩‍👧 and ﷽",
    "".join(map(chr, range(1, 0x20))) + "\x7f\x9b31mred",
    "שלום \u202eevil\u202c مرحبا",
    "\x1b[2J\x1b]0;title\x07",
    "a" * 22_000 + "\n" + "b" * 22_000,
    "(null)",
    "",
    " blank ",
    "C:\\temp\\N [bold]markup[/bold] :bomb:",
]


def inserted(**values: str | None) -> RowChange:
    return RowChange("inserted", {"rowid": values["rowid"]}, {}, values)


def deleted(**values: str | None) -> RowChange:
    return RowChange("deleted", {"rowid": values["rowid"]}, values, {})


def updated(rowid: str, before: dict[str, str | None], after: dict[str, str | None]) -> RowChange:
    return RowChange("updated", {"rowid": rowid}, before, after)


def table(name: str, *rows: RowChange, more: int = 0) -> TableChanges:
    """A table with these rows, and so many more inserted ones that are not listed."""
    kinds = [row.kind for row in rows]
    return TableChanges(
        table=name,
        inserted=kinds.count("inserted") + more,
        updated=kinds.count("updated"),
        deleted=kinds.count("deleted"),
        rows=rows,
    )


SALE = Changes(
    generation="20260102T030405.000006Z-0123abcd",
    tables=(
        table(
            "llx_facture",
            updated("12", {"paye": "0", "note": None}, {"paye": "1", "note": "late"}),
            inserted(rowid="13", ref="FA2601-0001", note_public=None, ref_ext=None),
            deleted(rowid="7", ref="FA2512-0002"),
            more=1_200,
        ),
        table("llx_société", inserted(rowid="5", nom="Rehearsal Ltd")),
    ),
    sequences=(
        SequenceChange("llx_facture_rowid_seq", (12, True), (13, True)),
        SequenceChange("llx_new_seq", None, (1, False)),
    ),
    objects=("index idx_facture: expected CREATE INDEX, found missing",),
    uncounted={"llx_odd": "its columns are others now"},
    listed=3,
)
"""Something of everything."""
