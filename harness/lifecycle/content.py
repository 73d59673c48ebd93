"""Replace the content of the sandbox, verify it, and go back to golden where that fails."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.deadlines import eventually
from harness.dolibarr.gate import gate, strangers
from harness.errors import FailedError, LifecycleError, RefusedError, UndoOutstandingError
from harness.postgres import mark
from harness.postgres.connection import connect
from harness.postgres.difference import differences
from harness.postgres.dump import check_dump
from harness.postgres.fence import end_own_tools
from harness.postgres.fingerprint import fingerprint_of
from harness.postgres.identity import prove_sandbox
from harness.postgres.restore import restore_public
from harness.postgres.wipe import refuse_locked, wipe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.golden.store import Generation
    from harness.lifecycle.operation import Operation
    from harness.postgres.dump import Contents
    from harness.postgres.fence import Fence
    from harness.postgres.fingerprint import Fingerprint
    from harness.postgres.mark import Content, Mark
    from harness.postgres.tools import Finished
    from harness.postgres.wipe import Wiped

_NAMED_DIFFERENCES = 20


@dataclass(frozen=True, slots=True)
class Replacement:
    """New content for the sandbox.

    Args:
        source: What it is, for the mark: `prod`, or `golden GENERATION`.
        dump: The dump that holds it.
        contents: What of the dump to load.
        fingerprint: What the database must hold afterwards.
        company: The company that it must belong to.
        grants: Whether the dump's grants belong to the sandbox.
    """

    source: str
    dump: Path
    contents: Contents
    fingerprint: Fingerprint
    company: str | None
    grants: bool


@dataclass(frozen=True, slots=True)
class Replaced:
    """How a replacement went; it was verified.

    Args:
        wiped: What the wipe took.
        restored: How pg_restore ended; evidence, not a verdict.
    """

    wiped: Wiped
    restored: Finished


def replace_content(op: Operation, fence: Fence, new: Replacement) -> Replaced:
    """Mark the content incomplete, wipe, restore, verify, and only then mark it complete.

    Raises:
        FailedError: The content is not what it must be; every difference is named.
        RefusedError: The handshake failed, or a table is locked; nothing has been wiped.
    """
    fence.assert_held()
    with op.phase("wipe the sandbox"):
        end_own_tools(op.sandbox, op.run, op.deadlines)
        refuse_locked(op.sandbox, op.run, op.deadlines)
        _write_mark(op, "incomplete", new.source)
        wiped = wipe(op.sandbox, op.run, fence, op.deadlines)
    fence.assert_held()
    with op.phase("restore"):
        restored = restore_public(
            op.sandbox,
            new.dump,
            new.contents,
            tools=op.tools,
            run=op.run,
            jobs=op.settings.tools.jobs,
            grants=new.grants,
            watch=fence.watch,
        )
    with op.phase("verify"):
        _verify(op, new, restored)
    fence.assert_held()
    _write_mark(op, "complete", new.source)
    return Replaced(wiped, restored)


def from_golden(op: Operation, golden: Generation) -> Replacement:
    """The content of a golden copy, its dump checked.

    Raises:
        FailedError: The dump is not usable; nothing has been wiped.
    """
    manifest = golden.manifest
    contents = check_dump(
        golden.dump, manifest.fingerprint.rows, op.tools, origin=f"taken by run {manifest.run}"
    )
    return Replacement(
        source=f"golden {manifest.generation}",
        dump=golden.dump,
        contents=contents.without(op.settings.checks.provisioner_functions),
        fingerprint=manifest.fingerprint,
        company=manifest.company,
        grants=True,
    )


@contextmanager
def putting_back(op: Operation, fence: Fence) -> Iterator[None]:
    """If the block fails once content was touched, put the last golden content back.

    Signals wait meanwhile. Without a golden copy the content stays marked incomplete, and the error
    says so.

    Raises:
        UndoOutstandingError: Putting back failed too, or an interrupt left nothing to put back.
    """
    with op.interrupts.held_off():
        try:
            with op.interrupts.let_through():
                yield
        except BaseException as error:
            _put_back(op, fence, error)
            raise


def read_mark(op: Operation) -> Mark:
    """The sandbox's mark; `empty` where there is none yet."""
    with connect(op.sandbox, op.run, "mark", op.deadlines, read_only=True) as session:
        return mark.read(session) or mark.Mark("empty")


def refuse_unless_complete(op: Operation, verb: str) -> Mark:
    """Keep a verb off content that nobody vouches for.

    Raises:
        RefusedError: The content is empty or incomplete.
    """
    found = read_mark(op)
    if found.content != "complete":
        generations = op.golden.generations()
        raise RefusedError(
            f"{verb} needs content that can be relied on",
            found=f"the content of {op.sandbox.login.database} is marked {found.content}"
            + (f" since {found.since}" if found.since else ""),
            expected="complete, as a verified refresh or reset leaves it",
            remedy="sandbox-lifecycle reset puts the last golden copy back"
            if generations
            else "sandbox-lifecycle refresh-from-prod; there is no golden copy to go back to",
        )
    return found


def _put_back(op: Operation, fence: Fence, error: BaseException) -> None:
    outstanding = "the content stays marked incomplete until a refresh-from-prod succeeds"
    try:
        # The server may just be coming back from a crash.
        if eventually(lambda: read_mark(op), op.deadlines.connect).content != "incomplete":
            return
        golden = op.golden.latest()
        if golden is not None:
            with op.phase("put the last golden content back"):
                replace_content(op, fence, from_golden(op, golden))
            error.add_note(f"  the sandbox holds golden copy {golden.manifest.generation} again")
            return
    except Exception as failure:  # noqa: BLE001  whatever it was, it is reported as outstanding
        raise UndoOutstandingError(
            "the run failed, and the last golden content could not be put back",
            found=f"{_told(error)}; then: {_told(failure)}",
            expected="the content of the last checkpoint",
            remedy=f"mend the cause, then sandbox-lifecycle reset; until then {outstanding}",
        ) from error
    if isinstance(error, Exception):
        error.add_note(f"  there is no golden copy to put back: {outstanding}")
        return
    raise UndoOutstandingError(
        "the run was interrupted after the content had been wiped",
        found="no golden copy to put back",
        expected="a checkpoint taken earlier",
        remedy=f"sandbox-lifecycle refresh-from-prod; {outstanding}",
    ) from error


def _told(error: BaseException) -> str:
    """What failed and what was found, without the advice that fitted when it happened."""
    if isinstance(error, LifecycleError):
        return f"{error.what}: {error.found}"
    return str(error).partition("\n")[0] or type(error).__name__


def _write_mark(op: Operation, content: Content, source: str) -> None:
    with connect(op.sandbox, op.run, "mark", op.deadlines) as session, session.transaction():
        identity = prove_sandbox(session, op.sandbox)
        mark.write(session, op.run, identity.mark(), content, source)


def _verify(op: Operation, new: Replacement, restored: Finished) -> None:
    checks = op.settings.checks
    with connect(op.sandbox, op.run, "verify", op.deadlines, read_only=True) as session:
        # First of all: what belongs to somebody else cannot even be read.
        wrong = [
            f"{stranger}, expected of {op.sandbox.owner_role}"
            for stranger in strangers(session, op.sandbox.owner_role, checks.provisioner_functions)
        ]
        if not wrong:
            found = fingerprint_of(op.sandbox, op.run, op.settings)
            wrong += map(str, differences(new.fingerprint, found, grants=new.grants))
            wrong += gate(session, found, company=new.company, minimum_tables=checks.minimum_tables)
    if wrong:
        more = len(wrong) - _NAMED_DIFFERENCES
        raise FailedError(
            f"the sandbox is not what {new.source} was",
            found="\n    ".join(
                [f"{len(wrong)} differences, after {restored}", *wrong[:_NAMED_DIFFERENCES]]
                + ([f"and {more} more"] if more > 0 else [])
            ),
            expected="every table, row, key, index, trigger, function and sequence the same",
            remedy="look for the cause among pg_restore's messages, then run the command again",
        )
