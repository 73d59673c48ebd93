"""The roles that a dump names, from a script that the user gives (`pg_dumpall --globals-only`).

The script holds passwords, so neither its text nor psql's quotations of it reach an error. Whatever
it makes is marked as made by the run, and no password in it works afterwards.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from psycopg import sql

from harness.errors import ConfigurationError
from harness.local import marks
from harness.local.undo import signals_wait

if TYPE_CHECKING:
    from pathlib import Path

    from harness.local.runs import LocalRun
    from harness.local.servers import LocalServer
    from harness.postgres.tools import ClientTools

_COMMENT = re.compile(rb"--[^\n]*")
# With VERBOSITY=sqlstate psql tells the line and the code, and quotes nothing.
_SAID = re.compile(r":(\d+): (?:ERROR|FATAL|PANIC):\s+(\w{5})\s*$", re.MULTILINE)
_ALREADY_THERE = {"42710", "42P04"}
_EXPECTED = "a script of roles as pg_dumpall --globals-only writes it"


def check(script: Path, server: LocalServer) -> None:
    """Refuse a script that cannot be read, or that names roles of the user's own server.

    Raises:
        ConfigurationError: It cannot be read, or would change roles that are there already.
    """
    try:
        text = _COMMENT.sub(b"", script.read_bytes())
    except OSError as error:
        raise ConfigurationError(
            f"the roles of prod cannot be read from {script}",
            found=error.strerror or str(error),
            expected=_EXPECTED,
            remedy="correct the path of --prod-globals; nothing has been laid out",
        ) from error
    if server.is_ours:
        return
    with server.connect() as connection:
        there = {name for kind, name in marks.names(connection) if kind == "role"}
    named = sorted(
        name
        for name in there
        if not name.startswith("pg_") and re.search(rb"\b%b\b" % re.escape(name.encode()), text)
    )
    if named:
        raise ConfigurationError(
            f"{script} names roles that your server already has",
            found=", ".join(named),
            expected="roles that are not there, since those that are would be changed",
            remedy="take their lines out, or leave --postgres out to start a server; nothing has"
            " been laid out",
        )


def make(script: Path, tools: ClientTools, server: LocalServer, run: LocalRun) -> None:
    """Run the script; mark what it makes, and take away the passwords.

    Args:
        script: The script.
        tools: Client tools; psql is taken from their folder.
        server: The server.
        run: The run that it is for.

    Raises:
        ConfigurationError: A statement failed for another reason than that its object exists.
    """
    with server.connect() as connection:
        before = marks.names(connection)
        try:
            finished = _run_psql(script, tools, server)
        finally:
            with signals_wait():
                for kind, name in sorted(marks.names(connection) - before):
                    marks.mark(connection, kind, name, run.id)
                    if kind == "role":
                        role = sql.Identifier(name)
                        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD NULL").format(role))
    failed = [f"line {line}: {code}" for line, code in finished if code not in _ALREADY_THERE]
    if failed:
        raise ConfigurationError(
            f"the roles of prod could not all be made from {script}",
            found=f"SQLSTATE by line: {', '.join(failed[:5])}",
            expected=_EXPECTED,
            remedy="mend these lines (the codes are explained in PostgreSQL's manual, appendix A);"
            " what was made has been removed",
        )


def _run_psql(script: Path, tools: ClientTools, server: LocalServer) -> list[tuple[str, str]]:
    own = tools.directory / "psql"
    # Any version will do: it only sends the statements.
    program = str(own) if os.access(own, os.X_OK) else shutil.which("psql")
    if program is None:
        raise ConfigurationError(
            "there is no psql to run --prod-globals with",
            found=f"none in {tools.directory}, none in PATH",
            expected="PostgreSQL's client",
            remedy="install it (Debian: postgresql-client), or leave --prod-globals out",
        )
    login = server.superuser
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    environment |= {f"PG{name.upper()}": value for name, value in login.extra}
    if login.password is not None:
        environment["PGPASSWORD"] = login.password
    # The server's log would quote a failed statement, password and all.
    environment["PGOPTIONS"] = "-c log_statement=none -c log_min_error_statement=panic"
    finished = subprocess.run(
        [
            program,
            "--no-psqlrc",
            "--quiet",
            "--no-password",
            "--set=VERBOSITY=sqlstate",
            f"--file={script}",
            f"--output={os.devnull}",
            f"--host={login.host}",
            f"--port={login.port}",
            f"--username={login.user}",
            f"--dbname={login.database}",
        ],
        env=environment | {"LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    said: list[tuple[str, str]] = _SAID.findall(finished.stderr)
    if finished.returncode != 0 and not any(code not in _ALREADY_THERE for _, code in said):
        last = said[-1][0] if said else "?"
        said.append((last, f"psql stopped with exit code {finished.returncode}"))
    return said
