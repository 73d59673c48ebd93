"""What was changed since the checkpoint, asked before a reset: nothing is locked or written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.golden.anatomy import anatomies
from harness.golden.baseline import Baseline
from harness.golden.catalogues import changed_definitions, read_columns, refuse_bent_shadow
from harness.golden.changes import Changes, SequenceChange
from harness.golden.collect import collect
from harness.golden.doubt import DoubtError
from harness.golden.find import find
from harness.golden.manifest import Manifest
from harness.golden.match import match
from harness.golden.shadow import refuse_emptied
from harness.golden.survey import read_marks, read_state, refuse_another_time, suspects
from harness.postgres.connection import connect, read_only_transaction
from harness.postgres.difference import definitions_differ, differences
from harness.postgres.fingerprint import measure, read_sequences

if TYPE_CHECKING:
    from pathlib import Path

    from harness.golden.match import Matched
    from harness.golden.survey import Marks, TableState
    from harness.postgres.connection import Connection, Run
    from harness.postgres.fingerprint import Position
    from harness.settings import Settings
    from harness.sides import Sandbox


def changes_since(sandbox: Sandbox, run: Run, settings: Settings, folder: Path) -> Changes:
    """Compare the sandbox with the golden copy in a folder, row by row where that can be done.

    Args:
        sandbox: What is looked at.
        run: The run that the session belongs to.
        settings: How to look, and how much to list.
        folder: The folder of the golden copy.

    Raises:
        FailedError: The golden copy's manifest cannot be read.
    """
    manifest = Manifest.read(folder)
    with connect(sandbox, run, "changes", settings.deadlines, read_only=True) as connection:
        try:
            with read_only_transaction(connection):
                return _by_shadow(connection, run, settings, folder, manifest)
        except DoubtError as doubt:
            with read_only_transaction(connection):
                return _by_fingerprint(connection, settings, manifest, doubt)


def _by_shadow(
    connection: Connection, run: Run, settings: Settings, folder: Path, manifest: Manifest
) -> Changes:
    before = Baseline.read(folder)
    marks, state = read_marks(connection, run), read_state(connection)
    refuse_emptied(connection)
    refuse_another_time(marks, before)
    refuse_bent_shadow(connection, before)
    objects = changed_definitions(connection, before, manifest.fingerprint.objects, settings)
    comparable, uncounted = _comparable(connection, state, before)
    matched: list[Matched] = []
    for table in comparable.values():
        try:
            matched += _match(connection, marks, table, before, settings)
        except DoubtError as doubt:
            uncounted[table.name] = doubt.reason
    sequences = read_sequences(connection)
    found = collect(connection, matched, sequences, before, settings.golden.listed_rows)
    return replace(found, objects=tuple(objects), uncounted=uncounted)


def _comparable(
    connection: Connection, state: dict[str, TableState], before: Baseline
) -> tuple[dict[str, TableState], dict[str, str]]:
    """Tables that are what their shadow is a copy of; and why the others are not."""
    columns = read_columns(connection)
    comparable, uncounted = {}, {}
    for name in before.tables.keys() | state.keys():
        was, now = before.tables.get(name), state.get(name)
        if now is None:
            uncounted[name] = "it was dropped or renamed"
        elif was is None:
            uncounted[name] = "it was made anew or renamed"
        elif was.columns != columns[name]:
            uncounted[name] = "it has other columns"
        else:
            comparable[name] = now
    return comparable, uncounted


def _match(
    connection: Connection, marks: Marks, table: TableState, before: Baseline, settings: Settings
) -> list[Matched]:
    golden = settings.golden
    # Without a lock a vacuum may pass between two looks: pages would say nothing any more.
    suspected = suspects(connection, marks, {table.name: table}, before, by_pages=False)
    found = find(connection, suspected, marks, before, golden.most_changed_rows)
    return match(connection, found, anatomies(connection, [table.oid]))


def _by_fingerprint(
    connection: Connection, settings: Settings, manifest: Manifest, doubt: DoubtError
) -> Changes:
    """Without a shadow: which tables differ, and not in which rows."""
    golden = manifest.fingerprint
    found = measure(connection, settings.checks.provisioner_functions)
    return Changes(
        generation=manifest.generation,
        sequences=tuple(
            SequenceChange(
                name,
                golden.sequences[name].latest if name in golden.sequences else None,
                found.sequences[name].latest if name in found.sequences else None,
            )
            for name in sorted(golden.sequences.keys() | found.sequences.keys())
            if not _is_where_it_stood(golden.sequences.get(name), found.sequences.get(name))
        ),
        objects=tuple(map(str, definitions_differ(golden.objects, found.objects))),
        uncounted={
            difference.name: f"it has other rows; {doubt.reason}"
            for difference in differences(golden, found, grants=True)
            if difference.kind == "rows"
        },
    )


def _is_where_it_stood(golden: Position | None, found: Position | None) -> bool:
    return golden is not None and found is not None and golden.allows(found)
