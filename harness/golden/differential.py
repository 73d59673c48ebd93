"""The differential reset: undo what was changed, in one transaction, while the application runs.

Lock every table first; only then is there something to be sure of. Find what is fresh and what is
gone, put it back, look again, and commit only if nothing is left to put back, nothing else was
written, and no definition has changed. Every doubt rolls back.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg import errors, sql

from harness.deadlines import eventually
from harness.golden import sequences
from harness.golden.anatomy import anatomies, listed
from harness.golden.baseline import Baseline
from harness.golden.catalogues import (
    changed_definitions,
    count_catalogues,
    fresh,
    refuse_bent_shadow,
    suspicious,
    written_to_catalogues,
)
from harness.golden.collect import collect
from harness.golden.custody import lock_shadow
from harness.golden.doubt import DoubtError
from harness.golden.find import find, find_again
from harness.golden.found import shadow_of
from harness.golden.manifest import Manifest
from harness.golden.masking import masked
from harness.golden.match import match
from harness.golden.renewed import Seen, renewed
from harness.golden.shadow import refuse_emptied
from harness.golden.survey import (
    counts,
    read_marks,
    read_state,
    refuse_another_time,
    refuse_blind,
    suspects,
)
from harness.golden.undo import SwappedError, undo
from harness.golden.verify import verify
from harness.postgres import mark
from harness.postgres.connection import load_sql
from harness.postgres.identity import prove_sandbox
from harness.postgres.rendering import rendered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Executor, Future
    from pathlib import Path

    from harness.golden.anatomy import Anatomy
    from harness.golden.changes import Changes
    from harness.golden.found import Found
    from harness.golden.match import Matched
    from harness.golden.survey import Marks
    from harness.postgres.connection import Connection, Run
    from harness.postgres.fence import Fence
    from harness.postgres.identity import Identity
    from harness.settings import Settings
    from harness.sides import Sandbox

# Below deadlock_timeout (a second, unless the DBA has set it): so the server never ends a request
# of the application's to let this wait end. Whoever wants to write waits behind it meanwhile, so it
# is short, and the application has its way in between.
_LOCK = sql.SQL("""
SET LOCAL lock_timeout = '100ms';
SET LOCAL max_parallel_workers_per_gather = 0;
LOCK TABLE ONLY {tables} IN SHARE ROW EXCLUSIVE MODE
""")
# To start a worker takes longer than to read a few pages, and less long than to read whole tables.
_WITH_HELP = "SET LOCAL max_parallel_workers_per_gather TO DEFAULT"
_BETWEEN_ATTEMPTS = 0.05
_WRITTEN = load_sql(__package__, "written.sql")


@dataclass(frozen=True, slots=True)
class Undone:
    """A differential reset that was verified and committed.

    Args:
        changes: What the rehearsal had changed, without secrets.
        tables: How many tables there are, all equal to the golden copy's.
        rows: How many rows they hold.
    """

    changes: Changes
    tables: int
    rows: int


class _BusyError(Exception):
    """Somebody is using a table or a sequence in a transaction; locks are given up meanwhile."""


def reset_differentially(
    sandbox: Sandbox, run: Run, settings: Settings, folder: Path, fence: Fence
) -> Undone:
    """Bring the sandbox back to the golden copy in a folder, by undoing what was changed.

    Args:
        sandbox: What is written.
        run: The run that the session belongs to.
        settings: How to look, how much to verify, and the deadlines.
        folder: The folder of the golden copy, with its baseline.
        fence: Held, or nothing is written.

    Raises:
        DoubtError: It cannot be done, or not for sure; nothing has been changed.
        RefusedError: The handshake failed.
        psycopg.Error: The session was lost.
    """
    before = Baseline.read(folder)
    # What needs no answer of the server is done beside, while the server works.
    with ThreadPoolExecutor(1) as beside:
        attempt = _Attempt(sandbox, run, settings, folder, fence, before, beside)
        try:
            undone, draft = eventually(
                attempt, settings.deadlines.lock, every=_BETWEEN_ATTEMPTS, on=_BusyError
            )
        except _BusyError as error:
            raise DoubtError(f"the tables could not be locked: {error}") from error
        Baseline.put(draft.result())
        return undone


@dataclass(frozen=True, slots=True)
class _Attempt:
    sandbox: Sandbox
    run: Run
    settings: Settings
    folder: Path
    fence: Fence
    before: Baseline
    beside: Executor

    def __call__(self) -> tuple[Undone, Future[Path]]:
        try:
            return self._try(one_by_one=False)
        except SwappedError:
            return self._try(one_by_one=True)

    def _try(self, *, one_by_one: bool) -> tuple[Undone, Future[Path]]:
        self.fence.assert_held()
        connection = self.fence.session
        try:
            with connection.transaction():
                return self._in_transaction(connection, one_by_one=one_by_one)
        except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
            raise _BusyError(error.diag.message_primary) from error
        except psycopg.Error as error:
            if connection.closed or error.diag.message_primary is None:
                raise
            raise DoubtError(f"PostgreSQL refused: {error.diag.message_primary}") from error

    def _in_transaction(
        self, connection: Connection, *, one_by_one: bool
    ) -> tuple[Undone, Future[Path]]:
        golden, before = self.settings.golden, self.before
        identity = self._prove(connection)
        _lock_everything(connection, before)
        marks, state = read_marks(connection, self.run), read_state(connection)
        refuse_emptied(connection)
        refuse_another_time(marks, before)
        refuse_blind(marks, golden.find_changes)
        defining = written_to_catalogues(connection)
        catalogues, is_altered = self._check_definitions(connection, marks, defining)
        # Whoever alters a table breaks an autovacuum off that is at work on it.
        by_pages = golden.find_changes != "scan" and not is_altered
        if not by_pages:
            connection.execute(_WITH_HELP)
        suspected = suspects(connection, marks, state, before, by_pages=by_pages)
        shadows = [shadow_of(suspect) for suspect in suspected]
        lock_shadow(connection, self.sandbox, shadows)
        most = self.settings.golden.most_changed_rows
        found = find(connection, suspected, marks, before, most)
        known = {} if is_altered else dict(before.anatomies)
        tables = [table.suspect.state.oid for table in found]
        known |= anatomies(connection, [table for table in tables if table not in known])
        matched = match(connection, found, known)
        # One that was made anew under the same name has a counter of its own.
        is_counted = counts(connection, marks, before) and not is_altered
        standing = sequences.stand(connection, before, is_counted=is_counted)
        changes = collect(connection, matched, standing.positions, before, golden.listed_rows)
        told = self.beside.submit(masked, changes)
        placed, written = matched, dict[str, int]()
        if not changes.is_nothing:
            undo(connection, matched, one_by_one=one_by_one)
            sequences.put_back(connection, changes.sequences)
            placed = self._look_again(connection, marks, found, known)
            written = _written(connection, matched)
        verify(
            connection, self.settings, self.folder, [suspect.state.name for suspect in suspected]
        )
        source = f"golden {before.generation}"
        mark.write(connection, self.run, identity.mark(), "complete", source)
        seen = Seen(marks, state, catalogues, defining, known, standing, placed, written)
        after = renewed(connection, before, seen)
        self.fence.assert_held()
        undone = Undone(
            told.result(),
            tables=len(before.tables),
            rows=sum(table.rows for table in before.tables.values()),
        )
        return undone, self.beside.submit(after.draft, self.folder)

    def _prove(self, connection: Connection) -> Identity:
        identity = prove_sandbox(connection, self.sandbox)
        own = (identity.system_identifier, identity.database_oid)
        if own != (self.before.system_identifier, self.before.database_oid):
            raise DoubtError("the shadow was made in another database")
        found = identity.mark()
        if found is None or found.content != "complete":
            raise DoubtError(f"the content is marked {found.content if found else 'empty'}")
        return identity

    def _check_definitions(
        self, connection: Connection, marks: Marks, written: int
    ) -> tuple[dict[str, int], bool]:
        """The rows of each catalogue now, and whether anything was written there meanwhile."""
        before = self.before
        if counts(connection, marks, before) and written == before.defining:
            return before.catalogues, False
        found = count_catalogues(connection, fresh(before.defined, before.own))
        is_altered = bool(suspicious(found, before))
        if is_altered:
            refuse_bent_shadow(connection, before)
            golden = Manifest.read(self.folder).fingerprint.objects
            changed = changed_definitions(connection, before, golden, self.settings)
            if changed:
                more = f", and {len(changed) - 1} more" if len(changed) > 1 else ""
                raise DoubtError(f"definitions have changed: {changed[0]}{more}")
        return {name: total for name, (total, _written) in found.items()}, is_altered

    def _look_again(
        self,
        connection: Connection,
        marks: Marks,
        before: Sequence[Found],
        known: Mapping[int, Anatomy],
    ) -> list[Matched]:
        found = find_again(connection, before, marks, self.before)
        again = match(connection, found, known)
        for table in again:
            if not table.is_golden:
                raise DoubtError(f"the rows of {table.anatomy.name} could not be put back exactly")
        return again


def _lock_everything(connection: Connection, before: Baseline) -> None:
    """Lock every table that holds rows; whoever writes to one later waits for the commit.

    Raises:
        DoubtError: One is not there any more.
    """
    # Counters are not read before: the first look of a transaction is the only one.
    tables = listed(before.tables, of="public", separator=", ONLY ")
    try:
        connection.execute(rendered(_LOCK, tables=tables))
    except errors.UndefinedTable as error:
        raise DoubtError(f"definitions have changed: {error.diag.message_primary}") from error


def _written(connection: Connection, matched: Sequence[Matched]) -> dict[str, int]:
    """How many row versions were written to each table that was looked into.

    Raises:
        DoubtError: Another table was written, too.
    """
    names = {table.anatomy.name for table in matched}
    written = {}
    for schema, name, versions in connection.execute(_WRITTEN):
        if schema != "public" or name not in names:
            raise DoubtError(f"putting rows back has also written to {schema}.{name}")
        written[name] = versions
    return written
