"""The leash: whatever kills the harness ends its client tools, and their workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.deadlines import Deadline, Deadlines, eventually
from harness.errors import FailedError
from harness.postgres.tools import ClientTools

SOON = Deadline(10, "a killed process is gone at once; a busy machine takes longer to show it")

# A harness that runs one tool, which starts a worker of its own; all three say who they are.
HARNESS = """
import sys
from pathlib import Path
from harness.deadlines import Deadlines
from harness.postgres.tools import ClientTools
ClientTools(Path(sys.argv[1]), "18", Deadlines()).run("tool", [sys.argv[2]])
"""
TOOL = """#!/bin/sh
sleep 600 &
echo "$$ $!" > "$1.new"
mv "$1.new" "$1"
wait
"""


@pytest.fixture
def tools(tmp_path: Path) -> ClientTools:
    return ClientTools(tmp_path, "18", Deadlines())


def program(folder: Path, script: str) -> None:
    path = folder / "tool"
    path.write_text(script)
    path.chmod(0o755)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def assert_gone(pids: list[int]) -> None:
    assert [pid for pid in pids if is_alive(pid)] == []


def test_kill_9_of_the_harness_ends_the_tool_and_its_worker(tmp_path: Path) -> None:
    program(tmp_path, TOOL)
    noted = tmp_path / "pids"
    with subprocess.Popen([sys.executable, "-c", HARNESS, tmp_path, noted]) as harness:
        pids = [int(pid) for pid in eventually(noted.read_text, SOON).split()]
        assert all(map(is_alive, pids))
        os.kill(harness.pid, signal.SIGKILL)
    eventually(lambda: assert_gone(pids), SOON)


def test_an_error_of_the_watcher_ends_the_tool_and_comes_through(
    tmp_path: Path, tools: ClientTools
) -> None:
    program(tmp_path, TOOL)
    noted = tmp_path / "pids"

    def watch() -> None:
        if noted.exists():
            raise FailedError("the fence is gone")

    with pytest.raises(FailedError, match="the fence is gone"):
        tools.run("tool", [str(noted)], watch=watch)
    eventually(lambda: assert_gone([int(pid) for pid in noted.read_text().split()]), SOON)


def test_exit_codes_come_through(tmp_path: Path, tools: ClientTools) -> None:
    program(tmp_path, "#!/bin/sh\nexit 3\n")
    assert tools.run("tool", []).exit_code == 3
    program(tmp_path, "#!/bin/sh\nkill -9 $$\n")
    assert tools.run("tool", []).exit_code == 128 + signal.SIGKILL


def test_a_message_is_kept_without_the_row_that_it_quotes(
    tmp_path: Path, tools: ClientTools
) -> None:
    said = r"""
pg_restore: error: COPY failed for table "llx_user": ERROR:  invalid input
DETAIL:  Key (pass_crypted)=(s3cr3t) already exists.
CONTEXT:  COPY llx_user, line 3: "1\tadmin\ts3cr3t"
pg_restore: warning: errors ignored on restore: 1
"""
    program(tmp_path, f"#!/bin/sh\ncat >&2 <<'EOT'{said}EOT\nexit 1\n")
    finished = tools.run("tool", [])
    assert len(finished.messages) == 2
    assert "s3cr3t" not in repr(finished)


def test_the_operators_environment_does_not_reach_a_tool(
    tmp_path: Path, tools: ClientTools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGHOST", "somewhere.else")
    monkeypatch.setenv("PGSERVICE", "prod")
    monkeypatch.setenv("SANDBOX_LIFECYCLE_PROD__DSN", "postgresql://v-erp:s3cr3t@db/erp")
    program(tmp_path, '#!/bin/sh\nenv > "$1"\n')
    tools.run("tool", [str(tmp_path / "seen")])
    assert "s3cr3t" not in (tmp_path / "seen").read_text()
    assert not [
        line
        for line in (tmp_path / "seen").read_text().splitlines()
        if line[:2] == "PG" and not line.startswith("PGCONNECT_TIMEOUT")
    ]


def test_a_tool_that_cannot_be_started_is_told(tmp_path: Path, tools: ClientTools) -> None:
    path = tmp_path / "pg_tool"
    path.write_text("#!/no/such/interpreter\n")
    path.chmod(0o755)
    done = tools.run("pg_tool", [])
    assert done.exit_code == 127
    assert "No such file or directory" in str(done)


def test_a_tool_gets_nothing_that_is_open_here(tmp_path: Path, tools: ClientTools) -> None:
    program(tmp_path, '#!/bin/sh\nls /proc/self/fd > "$1"\n')
    assert tools.run("tool", [str(tmp_path / "open")]).exit_code == 0
    # Its standard streams, and the folder that it reads.
    assert (tmp_path / "open").read_text().split() == ["0", "1", "2", "3"]
