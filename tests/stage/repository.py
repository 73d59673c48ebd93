"""The git repository that Argo CD reads: bare, of one branch, written to by whoever tests."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import FailedError

if TYPE_CHECKING:
    from collections.abc import Mapping

BRANCH = "main"
_NOTHING = "0" * 40


def make(path: Path) -> None:
    """Make an empty repository, with a first commit that holds nothing."""
    path.mkdir()
    _git(path, "init", "--bare", "--quiet", f"--initial-branch={BRANCH}")
    push(path, {}, "Begin")


def push(path: Path, files: Mapping[str, str | None], message: str) -> str:
    """Commit changes of files to the branch.

    Args:
        path: The repository.
        files: New content by path; None removes one.
        message: Of the commit.

    Returns:
        The new revision.

    Raises:
        FailedError: git refuses, or the branch has moved meanwhile.
    """
    known = newest(path)
    with tempfile.TemporaryDirectory(prefix="index-", dir=path) as scratch:
        # An index of its own instead of a checkout: two who push are not in each other's way.
        environment = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
        if known:
            _git(path, "read-tree", known, environment=environment)
        entries = []
        for name, content in files.items():
            if content is None:
                entries.append(f"0 {_NOTHING}\t{name}\0")
                continue
            blob = _git(path, "hash-object", "-w", "--stdin", given=content).strip()
            entries.append(f"100644 {blob}\t{name}\0")
        given = "".join(entries)
        _git(path, "update-index", "-z", "--index-info", given=given, environment=environment)
        tree = _git(path, "write-tree", environment=environment).strip()
    parents = ["-p", known] if known else []
    revision = _git(path, "commit-tree", tree, *parents, "-m", message).strip()
    _git(path, "update-ref", f"refs/heads/{BRANCH}", revision, known)
    return revision


def newest(path: Path) -> str:
    """The revision that the branch is at; empty before the first."""
    return _git(path, "for-each-ref", "--format=%(objectname)", f"refs/heads/{BRANCH}").strip()


def read(path: Path, name: str) -> str:
    """A file as the branch has it.

    Raises:
        FailedError: There is none.
    """
    return _git(path, "show", f"{BRANCH}:{name}")


def _git(
    path: Path, *words: str, given: str = "", environment: Mapping[str, str] | None = None
) -> str:
    who = {"NAME": "stage", "EMAIL": "stage@stage.invalid"}
    roles = ("AUTHOR", "COMMITTER")
    names = {f"GIT_{role}_{key}": told for role in roles for key, told in who.items()}
    # None of the settings of whoever runs the tests.
    own = {"PATH": os.environ["PATH"], "HOME": str(path), "GIT_CONFIG_NOSYSTEM": "1", **names}
    done = subprocess.run(
        ["git", *words],  # noqa: S607  whichever is on PATH, as Argo CD uses it
        cwd=path,
        input=given,
        env={**own, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise FailedError(
            f"git {words[0]} failed in {path}",
            found=done.stderr.strip(),
            remedy="see whether the disk is full",
        )
    return done.stdout
