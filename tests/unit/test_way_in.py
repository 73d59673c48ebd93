"""The command's way in, while the command itself is not yet loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest

_STRUCK = """
import signal, sys

class Strike:
    def find_spec(name, path, target):
        if name == {module!r}:
            signal.raise_signal({number})

sys.meta_path.insert(0, Strike)
sys.argv = ["sandbox-lifecycle", "--version"]
from harness.__main__ import main
main()
"""


@pytest.mark.parametrize("number", ["signal.SIGTERM", "signal.SIGINT"])
@pytest.mark.parametrize("module", ["harness.cli", "psycopg", "typer"])
def test_a_signal_that_comes_while_it_is_loaded_ends_it(module: str, number: str) -> None:
    code = _STRUCK.format(module=module, number=number)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 4, done.stderr
    assert done.stdout == ""
    assert done.stderr == "interrupted before anything was begun; nothing has been changed\n"


_STRUCK_WHILE_READING = """
import signal, sys
import typer.core

def struck(*_given):
    signal.raise_signal({number})

typer.core.TyperGroup.parse_args = struck
sys.argv = ["sandbox-lifecycle", "status"]
from harness.__main__ import main
main()
"""


@pytest.mark.parametrize("number", ["signal.SIGTERM", "signal.SIGINT"])
def test_a_signal_that_comes_while_options_are_read_ends_it(number: str) -> None:
    code = _STRUCK_WHILE_READING.format(number=number)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 4, done.stderr
    assert done.stdout == ""
    assert done.stderr == "interrupted before anything was begun; nothing has been changed\n"


def test_it_runs_as_a_module_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "harness", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip()
