"""Client tools with a fault, in the place of the real ones: faults are injected at the boundary.

Each is a few lines of shell in front of the real tool. As a rule it strikes only where prod's dump
is made or loaded, so that the way back to the golden copy can be seen to work.
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

# Patterns of the arguments of a tool that does one thing, as the shell's `case` matches them.
DUMPS_PROD = '--file=*"/prod.dump "'
DUMPS_SANDBOX = '--file=*"/sandbox.dump "'
LOADS_PROD = '--use-list=*"/prod.dump "'
LOADS_GOLDEN = '--use-list=*"/sandbox.dump "'
LOADS_ANYTHING = "--use-list="

LOADS_NOTHING = "exit 0"
ENDS_WITH_1 = '"$real" "$@"; exit 1'

# For a fault that changes what is loaded: afterwards `$list` names the file of the contents.
FIND_LIST = """
for argument in "$@"; do
    case "$argument" in --use-list=*) list=${argument#--use-list=} ;; esac
done
"""


def leaves_out_rows_of(table: str) -> str:
    """The fault of losing one table's rows without a word."""
    return f"""{FIND_LIST}
sed -i '/ TABLE DATA public {table} /d' "$list"
exec "$real" "$@"
"""


def with_faulty_pg_restore(settings: Settings, fault: str, folder: Path) -> Settings:
    """The same target, with a pg_restore that fails in one way when it loads prod's dump."""
    return with_faulty_tool(settings, "pg_restore", fault, folder, where=LOADS_PROD)


def with_faulty_tool(
    settings: Settings, program: str, fault: str, folder: Path, *, where: str
) -> Settings:
    """The same target, with one tool that fails in one way.

    Args:
        settings: The target.
        program: Name of the tool.
        fault: What is done instead, as shell; `$real` is the real program.
        folder: An empty folder for the tools.
        where: Pattern of the arguments with which the fault strikes.
    """
    real = status(settings, Silent()).tools_directory
    for name in PROGRAMS:
        _write(folder / name, f'exec {shlex.quote(str(real / name))} "$@"')
    _write(
        folder / program,
        f"""real={shlex.quote(str(real / program))}
case " $* " in
    *{where}*) ;;
    *) exec "$real" "$@" ;;
esac
{fault}""",
    )
    return settings.with_tools(directory=folder)


def _write(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
