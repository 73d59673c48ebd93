"""The verbs of the lifecycle as commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from harness.cli.console import Terminal, megabytes, spent, table, told
from harness.cli.job import JobOption, answer_by_job
from harness.cli.options import (
    ConfigOption,
    JsonOption,
    Target,
    TargetOption,
    answering,
    settings_of,
)
from harness.lifecycle.checkpoint import checkpoint as take_checkpoint
from harness.lifecycle.recover import recover as put_right
from harness.lifecycle.refresh import refresh_from_prod as refresh
from harness.lifecycle.status import status as ask_status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.lifecycle.status import ClusterStatus, Status

verbs = typer.Typer()


@verbs.command("refresh-from-prod")
def refresh_from_prod(
    target: TargetOption = Target.local,
    config: ConfigOption = None,
    job: JobOption = False,  # noqa: FBT002
    json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Make the sandbox's database the same as prod's, and prove it object by object."""
    with answering(as_json=json) as answer:
        settings = settings_of(target, config)
        if job:
            answer_by_job(answer, settings, "refresh-from-prod")
            return
        done = refresh(settings, Terminal())
        report = done.report()
        answer.result(
            report,
            table(
                [
                    ("company", done.company),
                    ("equal to prod", ", ".join(_counted(report["equal"]))),
                    ("pg_restore", f"ended with {done.restored.exit_code}; content was verified"),
                    ("prod", f"no write by us; pg_dump {done.watched}"),
                    ("locks", f"at most {done.wiped.peak_locks:,} of {done.wiped.lock_table:,}"),
                    *told(done.told),
                    ("seconds", spent(done.seconds)),
                ]
            ),
        )


@verbs.command()
def checkpoint(
    target: TargetOption = Target.local,
    config: ConfigOption = None,
    json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Keep a golden copy of the sandbox as it is now."""
    with answering(as_json=json) as answer:
        done = take_checkpoint(settings_of(target, config), Terminal())
        answer.result(
            done,
            table(
                [
                    ("golden copy", done.generation),
                    ("holds", f"{done.tables:,} tables, {done.rows:,} rows"),
                    ("size", megabytes(done.bytes)),
                    ("shadow", f"none: {done.no_shadow}" if done.no_shadow else "ready"),
                    ("kept", f"{len(done.kept)} in {done.folder.parent}"),
                    ("seconds", spent(done.seconds)),
                ]
            ),
        )


@verbs.command()
def recover(
    target: TargetOption = Target.local,
    config: ConfigOption = None,
    job: JobOption = False,  # noqa: FBT002
    json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Finish the undo of a run that died: content, replicas, self-heal, Lease."""
    with answering(as_json=json) as answer:
        settings = settings_of(target, config)
        if job:
            answer_by_job(answer, settings, "recover")
            return
        done = put_right(settings, Terminal())
        answer.result(
            done,
            table(
                [
                    ("dead run", done.dead_run or "none had left anything"),
                    ("content", done.content),
                    ("put back", done.golden or "nothing had to be"),
                    *told(done.told),
                    ("seconds", spent(done.seconds)),
                ]
            ),
        )


@verbs.command()
def status(
    target: TargetOption = Target.local,
    config: ConfigOption = None,
    json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Say what the sandbox is at this moment."""
    with answering(as_json=json) as answer:
        found = ask_status(settings_of(target, config), Terminal())
        since = f", since {found.since}" if found.since else ""
        answer.result(
            found,
            table(
                [
                    ("prod", found.prod),
                    ("sandbox", found.sandbox),
                    ("", found.pins),
                    (
                        "content",
                        f"{found.content} {f'({found.source})' if found.source else ''}{since}",
                    ),
                    ("being written by", found.writer or "nobody"),
                    *_cluster(found.cluster),
                    ("golden copies", _golden(found)),
                    ("shadow", found.shadow),
                    ("changed pages", found.changed_pages),
                    ("client tools", f"{found.tools_version} in {found.tools_directory}"),
                ]
            ),
        )


def _golden(found: Status) -> str:
    if found.golden_obstacle is not None:
        return f"nobody knows: {found.golden_obstacle}"
    return ", ".join(found.golden) or "none"


def _cluster(found: ClusterStatus | None) -> list[tuple[str, object]]:
    if found is None:
        return []
    return [
        ("application", f"{found.ready} of {found.replicas} Ready"),
        ("self-heal", found.self_heal),
        ("Lease", found.lease),
        ("undo outstanding", f"of run {found.outstanding}" if found.outstanding else "none"),
    ]


def _counted(numbers: Mapping[str, int]) -> Iterator[str]:
    irregular = {"index": "indexes", "policy": "policies"}
    for kind, count in numbers.items():
        many = kind if kind.endswith("s") else irregular.get(kind, f"{kind}s")
        yield f"{count:,} {kind if count == 1 else many}"
