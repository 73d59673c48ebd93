"""What was measured of a reset as a table, and whether the limits were held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Column, Table

from tests.benchmarks.verdict import Verdict, megabytes, milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.benchmarks.reset_measured import Measured
    from tests.benchmarks.triggers import TriggersOrScan

_CLONES = ("FILE_COPY", "WAL_LOG")
# By the size that was asked for: the largest part of the other way's time that a reset may take.
_OF_THE_CLONE = {300: 1 / 8, 3000: 1 / 50}
_OF_THE_RESTORE = {300: 1 / 80}
_SMALLEST, _LARGEST = 20, 3000
_MOST_GROWTH = 3
_MOST_BY_A_POOL = 2

_TITLES = {
    "connect": "a session and one answer",
    "locks": "every table locked, and let go",
    "pages": "reset, by changed pages",
    "pages, pool": "the same, behind PgBouncer",
    "scan": "reset, by counters and scan",
    "scan, pool": "the same, behind PgBouncer",
    "durable": "reset without a shadow",
    "restore": "DROP OWNED + pg_restore -j2",
    "FILE_COPY": "TEMPLATE, FILE_COPY",
    "WAL_LOG": "TEMPLATE, WAL_LOG",
}


def verdicts(measured: Sequence[Measured]) -> Iterator[Verdict]:
    """Every limit that what was measured can be held against."""
    for one in measured:
        pages = one.median("pages")
        clone = _ratio(pages, one.median(*_CLONES))
        restore = _ratio(pages, one.median("restore"))
        if clone and one.megabytes in _OF_THE_CLONE:
            limit = _OF_THE_CLONE[one.megabytes]
            yield Verdict(f"{one.label}: reset / the faster clone", clone, limit)
        if restore and one.megabytes in _OF_THE_RESTORE:
            limit = _OF_THE_RESTORE[one.megabytes]
            yield Verdict(f"{one.label}: reset / DROP OWNED + restore", restore, limit)
        pooled = _ratio(one.median("pages, pool"), pages)
        if pooled:
            yield Verdict(f"{one.label}: reset with a pool / without", pooled, _MOST_BY_A_POOL)
    sizes = {one.megabytes: one.median("pages") for one in measured}
    growth = _ratio(sizes.get(_LARGEST), sizes.get(_SMALLEST))
    if growth:
        yield Verdict("reset at the largest size / at the smallest", growth, _MOST_GROWTH)


def table(measured: Sequence[Measured]) -> Table:
    """One column for each database."""
    result = Table(
        Column("", no_wrap=True),
        *(Column(one.label, justify="right", no_wrap=True) for one in measured),
    )
    for section in _sections(measured):
        rows = [row for row in section if any(row[1:])]
        for row in rows:
            result.add_row(*row)
        if rows:
            result.add_section()
    return result


def notes(measured: Sequence[Measured]) -> Iterator[str]:
    """What a table does not say."""
    for one in measured:
        if one.triggers is not None:
            yield f"{one.label}: {_decision(one.triggers)}"


def _sections(measured: Sequence[Measured]) -> Iterator[Iterable[tuple[str, ...]]]:
    yield (
        ("content", *(one.origin for one in measured)),
        ("database", *(megabytes(one.database_bytes) for one in measured)),
        ("with the shadow", *(megabytes(one.shadowed_bytes) for one in measured)),
        ("golden dump", *(megabytes(one.dump_bytes) for one in measured)),
        ("rows", *(f"{one.rows:,}" for one in measured)),
        ("checkpoint", *(f"{one.checkpoint_seconds:,.1f} s" for one in measured)),
    )
    names = dict.fromkeys(name for one in measured for name in one.ways)
    yield (
        (
            _TITLES.get(name, f"by changed pages, {name}"),
            *(milliseconds(one.ways[name]) if name in one.ways else "" for one in measured),
        )
        for name in names
    )
    yield (
        (f"{title} / reset by {way}", *(_times(one, others, way) for one in measured))
        for way in ("pages", "scan")
        for title, others in (
            ("faster clone", _CLONES),
            ("DROP OWNED + restore", ("restore",)),
            ("reset without a shadow", ("durable",)),
        )
    )
    commands = dict.fromkeys(name for one in measured for name in one.commands)
    for name in commands:
        done = [one.commands.get(name) for one in measured]
        yield (
            (f"command, {name}", *(f"{run.seconds:.2f} s" if run else "" for run in done)),
            ("its peak memory", *(megabytes(run.own_peak) if run else "" for run in done)),
            ("with its client tools", *(megabytes(run.tree_peak) if run else "" for run in done)),
        )


def _times(one: Measured, others: tuple[str, ...], way: str) -> str:
    times = _ratio(one.median(*others), one.median(way))
    return f"{times:,.1f}" if times else ""


def _ratio(value: float | None, of: float | None) -> float | None:
    """None where either was not measured."""
    return value / of if value and of else None


def _decision(found: TriggersOrScan) -> str:
    return (
        "triggers that note keys make single-row writes"
        f" {found.together.slower:.0f} % slower ({found.together.added * 1e6:.0f} µs each),"
        f" {found.committed.slower:.0f} % where each is committed; a scan takes"
        f" {found.scan_per_million * 1e3:.0f} ms per million rows"
        f" ({found.scanned_rows:,} looked at), as much as triggers add to"
        f" {found.writes_worth_a_scan:,.0f} writes"
    )
