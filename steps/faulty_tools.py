"""Client tools with a fault, in the place of the real ones: faults are injected at the boundary.

Each is a few lines of shell in front of the real pg_restore. It strikes only where prod's dump is
loaded, so that the way back to the golden copy can be seen to work.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from harness.lifecycle.status import status
from harness.postgres.tools import PROGRAMS
from harness.progress import Silent

if TYPE_CHECKING:
    from pathlib import Path

    from harness.settings import Settings

_LOADS_PROD = '--use-list=*"/prod.dump "*'

LOADS_NOTHING = "exit 0"
ENDS_WITH_1 = '"$real" "$@"; exit 1'


def leaves_out_rows_of(table: str) -> str:
    """The fault of losing one table's rows without a word."""
    return f"""
for argument in "$@"; do
    case "$argument" in --use-list=*) list=${{argument#--use-list=}} ;; esac
done
sed -i '/ TABLE DATA public {table} /d' "$list"
exec "$real" "$@"
"""


def with_faulty_pg_restore(settings: Settings, fault: str, folder: Path) -> Settings:
    """The same target, with a pg_restore that fails in one way when it loads prod's dump.

    Args:
        settings: The target.
        fault: What is done instead, as shell; `$real` is the real program.
        folder: An empty folder for the tools.
    """
    real = status(settings, Silent()).tools_directory
    for name in PROGRAMS:
        _write(folder / name, f'exec {shlex.quote(str(real / name))} "$@"')
    _write(
        folder / "pg_restore",
        f"""real={shlex.quote(str(real / "pg_restore"))}
case " $* " in
    *{_LOADS_PROD}) ;;
    *) exec "$real" "$@" ;;
esac
{fault}""",
    )
    return settings.with_tools(directory=folder)


def _write(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
