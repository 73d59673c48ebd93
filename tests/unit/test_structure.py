"""Rules of the structure that no checker knows."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STEPS = sorted((ROOT / "steps").glob("*.py"))
MODULES = sorted(path for name in ("harness", "steps") for path in (ROOT / name).rglob("*.py"))


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def test_conftest_joins_the_local_sandbox_to_the_steps_and_no_step_knows_it() -> None:
    assert any(name.startswith("harness.local") for name in imports(ROOT / "conftest.py"))
    knowing = [
        path.name for path in STEPS if any("harness.local" in name for name in imports(path))
    ]
    assert knowing == []


@pytest.mark.parametrize("path", STEPS, ids=lambda path: path.name)
def test_steps_speak_neither_sql_nor_to_a_driver(path: Path) -> None:
    assert {name.partition(".")[0] for name in imports(path)}.isdisjoint({"psycopg", "kubernetes"})


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_no_longer_than_one_reads_in_a_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


def test_nothing_sleeps() -> None:
    # The API stand-in is a server with clocks of its own: its controllers wait for their next pass.
    sleeping = [
        str(path.relative_to(ROOT))
        for path in MODULES
        if ".sleep(" in path.read_text(encoding="utf-8")
        and not path.is_relative_to(ROOT / "harness/local/kubernetes")
    ]
    assert sleeping == []


def test_a_command_loads_nothing_that_only_one_verb_needs() -> None:
    loaded = "import sys, harness.cli; print(*sys.modules, sep='\\n')"
    modules = subprocess.check_output([sys.executable, "-c", loaded], text=True).split()
    assert "harness.cli" in modules
    # A web server, what proves, and what starts servers.
    assert "aiohttp" not in modules
    assert "harness.integrity" not in modules
    assert "harness.local.platform" not in modules
