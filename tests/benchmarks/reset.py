"""The time of a reset, against the other ways to have the sandbox as it was.

All on one server, one database and one rehearsal: 61 rows of 12 tables. Ways take turns, round by
round, so that what else the machine does falls on all of them alike. Before each measurement the
server has written a checkpoint and the rehearsal was done, both off the clock; the first result of
each way is compared with the golden copy, off the clock too.

- **pages**, **scan**: the verb `reset`, called in this process, with either way of finding changes.
- **pool**: the same behind a PgBouncer whose connections stay open, the rehearsal in one of them.
- **durable**: the verb without a shadow.
- **restore**: `DROP OWNED`, then `pg_restore -j2` of the golden dump, by hand.
- **FILE_COPY**, **WAL_LOG**: `CREATE DATABASE … TEMPLATE`, the sessions ended, the old database
  renamed away (dropped off the clock), the clone renamed, grants and comment given to it.
- **connect**, **locks**: bounds below which nothing can be.
- **10 rows** and more: the verb by pages after so many changed rows, on a checkpoint taken before
  the first of them.

The server's settings are PostgreSQL's own, so it is durable (fsync on). Memory and the time from
start to end are those of the command `sandbox-lifecycle`, in a process of its own.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from psycopg import sql

from harness.errors import ConfigurationError, FailedError
from harness.lifecycle.checkpoint import checkpoint
from harness.lifecycle.refresh import refresh_from_prod
from harness.lifecycle.reset import reset
from harness.local.platform import LocalOptions, local_platform
from harness.postgres.connection import load_sql
from harness.progress import Silent
from tests.benchmarks import ways
from tests.benchmarks.clones import Clones
from tests.benchmarks.ground import Ground
from tests.benchmarks.reset_measured import Command, Measured
from tests.benchmarks.server import settings_of, size_of, superuser, verb_command
from tests.benchmarks.triggers import measure_triggers
from tests.benchmarks.watching import run_watched
from tests.pooler import pgbouncer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from harness.progress import Progress
    from harness.settings import Settings
    from tests.benchmarks.ways import GoBack

    Way = Callable[[], AbstractContextManager[GoBack]]

# The sample: what a schema without rows takes, and what one unit of scale adds.
_SCHEMA_MEGABYTES = 31
_UNIT_MEGABYTES = 18.7
_SMALLEST_SCALE = 0.05

PARTS = (
    "bounds",
    "pages",
    "scan",
    "pool",
    "durable",
    "restore",
    "template",
    "rows",
    "command",
    "triggers",
)
"""What can be measured by itself; the pool only together with `pages` or `scan`."""

_CHANGED_ROWS = load_sql(__package__, "changed_rows.sql")
_COUNTS = (10, 1_000, 100_000)
# A database has at least five times as many rows as are changed.
_ROWS_PER_CHANGE = 5
_SLOW_SECONDS = 10
_SLOW_REPEATS = 3


@dataclass(frozen=True, slots=True)
class Database:
    """A database to measure on.

    Args:
        label: What it is called in the results.
        megabytes: The size that it should have, or None where it has the size of a dump.
        options: The platform that it is part of.
    """

    label: str
    megabytes: int | None
    options: LocalOptions


def databases(
    postgres: str, sizes: str, prod_dump: Path | None, prod_globals: Path | None
) -> Iterator[Database]:
    """The databases that were asked for, the smallest first, that of a dump last.

    Raises:
        ConfigurationError: The server is somebody's own, or a size is no number.
    """
    if postgres.partition(":")[0] not in {"docker", "binaries"}:
        raise ConfigurationError(
            "this benchmark needs a server of its own",
            found="a connection string",
            expected="docker, binaries or binaries:DIRECTORY",
            remedy="give one of these: databases are renamed and dropped",
        )
    wanted = [size.strip() for size in sizes.split(",") if size.strip()]
    if not all(size.isdecimal() for size in wanted):
        raise ConfigurationError(
            "the sizes are not understood",
            found=f"--sizes {sizes}",
            expected="numbers of megabytes with commas in between",
            remedy="for example --sizes 20,300,3000",
        )
    options = LocalOptions(postgres=postgres, cluster=False)
    for size in sorted(map(int, wanted)):
        scale = max(_SMALLEST_SCALE, (size - _SCHEMA_MEGABYTES) / _UNIT_MEGABYTES)
        yield Database(f"{size} MB", size, replace(options, scale=scale))
    if prod_dump is not None:
        dumped = replace(options, prod_dump=prod_dump, prod_globals=prod_globals)
        yield Database(prod_dump.name, None, dumped)


def measure(
    database: Database, parts: Collection[str], repeat: int, progress: Progress
) -> Measured:
    """Start a local platform with one database, measure, and remove it.

    Args:
        database: The database.
        parts: Which of `PARTS`.
        repeat: How often each way is measured; at most three times where it takes over ten seconds.
        progress: Told of every measurement.

    Raises:
        ConfigurationError: There is no such part, or no PgBouncer.
        FailedError: A way back did not bring the content back, or took another way.
    """
    unknown = set(parts) - set(PARTS)
    if unknown:
        raise ConfigurationError(
            "nobody knows what is to be measured",
            found=f"--only {' '.join(sorted(unknown))}",
            expected=", ".join(PARTS),
            remedy="give one of these, or leave it out for everything",
        )
    if "pool" in parts and pgbouncer() is None:
        raise ConfigurationError(
            "there is no PgBouncer to measure behind",
            found="no program pgbouncer",
            expected="one in PATH or in /usr/sbin",
            remedy="apt-get install pgbouncer, or name with --only what else is to be measured",
        )
    label = database.label
    with local_platform(database.options, progress) as platform:
        ground = Ground(platform, Clones(platform))
        with progress.phase(f"{label}: make the sandbox and its template"):
            refresh_from_prod(ground.settings, Silent())
            with superuser(platform, ground.sandbox.login.database) as session:
                session.execute("VACUUM (ANALYZE)")
            database_bytes = size_of(platform, ground.sandbox)
            ground.clones.make_template()
        with progress.phase(f"{label}: checkpoint"):
            started = time.monotonic()
            taken = checkpoint(ground.settings, Silent())
            checkpoint_seconds = time.monotonic() - started
            # What a first call loads and plans is no part of any measurement.
            reset(ground.settings, Silent())
        shadowed_bytes = size_of(platform, ground.sandbox)
        chosen = _ways(ground, parts)
        seconds = _in_turn(ground, chosen, repeat, progress, label)
        commands = _commands(ground, parts, progress, label)
        if "rows" in parts:
            further = _by_changed_rows(ground, taken.rows, repeat, progress, label)
            seconds, commands = seconds | further[0], commands | further[1]
        return Measured(
            label=label,
            megabytes=database.megabytes,
            origin=platform.prod_origin,
            server=platform.description,
            settings=settings_of(platform),
            database_bytes=database_bytes,
            shadowed_bytes=shadowed_bytes,
            dump_bytes=taken.bytes,
            rows=taken.rows,
            checkpoint_seconds=checkpoint_seconds,
            ways=seconds,
            commands=commands,
            triggers=measure_triggers(ground, repeat, progress) if "triggers" in parts else None,
        )


def _ways(ground: Ground, parts: Collection[str]) -> dict[str, Way]:
    chosen: dict[str, Way] = {}
    if "bounds" in parts:
        chosen |= {
            "connect": partial(ways.bare_connect, ground),
            "locks": partial(ways.bare_locks, ground),
        }
    for find_changes in ("pages", "scan"):
        if find_changes in parts:
            chosen[find_changes] = partial(ways.differential, ground, find_changes)
            if "pool" in parts:
                chosen[f"{find_changes}, pool"] = partial(ways.pooled, ground, find_changes)
    if "durable" in parts:
        chosen["durable"] = partial(ways.durable, ground)
    if "restore" in parts:
        chosen["restore"] = partial(ways.by_hand, ground)
    if "template" in parts:
        chosen |= {
            strategy: partial(ways.template, ground, strategy)
            for strategy in ground.clones.strategies
        }
    return chosen


def _in_turn(
    ground: Ground, chosen: dict[str, Way], repeat: int, progress: Progress, label: str
) -> dict[str, tuple[float, ...]]:
    seconds: dict[str, list[float]] = {name: [] for name in chosen}
    for number in range(1, repeat + 1):
        for name, way in chosen.items():
            so_far = seconds[name]
            if number > _SLOW_REPEATS and max(so_far) > _SLOW_SECONDS:
                continue
            with progress.phase(f"{label}: {name}, {number} of {repeat}"):
                so_far.append(_time(ground, way, compare=not so_far))
    return {name: tuple(taken) for name, taken in seconds.items()}


def _by_changed_rows(
    ground: Ground, rows: int, repeat: int, progress: Progress, label: str
) -> tuple[dict[str, tuple[float, ...]], dict[str, Command]]:
    seconds: dict[str, tuple[float, ...]] = {}
    commands: dict[str, Command] = {}
    for count in _COUNTS:
        if rows < count * _ROWS_PER_CHANGE:
            continue
        checkpoint(ground.settings, Silent())
        work, name = _CHANGED_ROWS.format(rows=sql.Literal(count)), f"{count:,} rows"
        way = partial(ways.differential, ground, "pages", work)
        seconds |= _in_turn(ground, {name: way}, repeat, progress, label)
        with progress.phase(f"{label}: command, {name}"):
            ground.rehearse(work)
            commands[name] = _run(ground, ground.settings)
    return seconds, commands


def _time(ground: Ground, way: Way, *, compare: bool) -> float:
    with way() as go_back:
        started = time.monotonic()
        go_back()
        taken = time.monotonic() - started
        if compare:
            ground.refuse_other_content()
    return taken


def _commands(
    ground: Ground, parts: Collection[str], progress: Progress, label: str
) -> dict[str, Command]:
    if "command" not in parts:
        return {}
    commands = {}
    for find_changes in ("pages", "scan"):
        with progress.phase(f"{label}: command, {find_changes}"):
            ground.rehearse()
            commands[find_changes] = _run(
                ground, ground.settings.with_golden(find_changes=find_changes)
            )
    with progress.phase(f"{label}: command, durable"), ground.clones.in_place():
        ground.rehearse()
        commands["durable"] = _run(ground, ways.durable_settings(ground))
    return commands


def _run(ground: Ground, settings: Settings) -> Command:
    done = run_watched(verb_command(settings, "reset", ground.platform.run.path))
    if done.exit_code != 0:
        raise FailedError(
            "the reset failed, so there is nothing to measure",
            found=f"exit code {done.exit_code}: {done.errors}{done.output}",
            expected="exit code 0",
        )
    return Command(done.seconds, done.own_peak, done.tree_peak)
