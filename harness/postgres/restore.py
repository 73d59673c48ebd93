"""Load a dump into the sandbox, as the sandbox's own login, and believe nothing but content."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from harness.postgres.connection import connect
from harness.postgres.identity import prove_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.postgres.connection import Run
    from harness.postgres.dump import Contents
    from harness.postgres.tools import ClientTools, Finished
    from harness.sides import Sandbox


def restore_public(
    sandbox: Sandbox,
    path: Path,
    contents: Contents,
    *,
    tools: ClientTools,
    run: Run,
    jobs: int,
    grants: bool,
    watch: Callable[[], None],
) -> Finished:
    """Load the listed contents of a dump; how pg_restore ends is reported, not judged.

    pg_restore connects by itself: a script piped through psql could carry commands to psql
    (CVE-2025-8714). Owners are left out, so that everything belongs to the sandbox's owner role.

    Args:
        sandbox: Where to.
        path: The dump.
        contents: What of it to load.
        tools: The client tools.
        run: The run that the sessions belong to.
        jobs: How many connections load at once.
        grants: Load grants too; prod's would name roles that have no business in the sandbox.
        watch: Called while it runs.
    """
    with connect(sandbox, run, "restore", tools.deadlines) as connection, connection.transaction():
        prove_sandbox(connection, sandbox)
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        listing = Path(scratch) / "contents"
        listing.write_text("\n".join(contents.lines) + "\n", encoding="utf-8")
        return tools.run(
            "pg_restore",
            [
                f"--role={sandbox.owner_role}",
                f"--use-list={listing}",
                f"--jobs={jobs}",
                "--no-owner",
                *([] if grants else ["--no-acl"]),
                str(path),
            ],
            login=sandbox.login,
            run=run,
            watch=watch,
        )
