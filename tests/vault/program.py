"""The program of a real Vault server: built once from `tests/stage/vault`, and kept in a cache."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

MODULE = Path(__file__).parents[1] / "stage" / "vault"
_SOURCES = ("main.go", "go.mod", "go.sum")
_BUILD = ("build", "-p", "2", "-trimpath", "-ldflags", "-s -w")


def cache() -> Path:
    """Where it is kept: one folder for each set of sources."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    sources = b"".join((MODULE / name).read_bytes() for name in _SOURCES)
    return root / "sandbox-lifecycle" / "vault" / sha256(sources).hexdigest()[:16]


def program() -> Path | None:
    """The program, built if it has to be; None where there is neither it nor Go."""
    folder = cache()
    found = folder / "vault"
    if found.exists():
        return found
    go, nice = shutil.which("go"), shutil.which("nice")
    if go is None or nice is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        # Two test runs at once are one build.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not found.exists():
            fresh = folder / f"vault.{os.getpid()}"
            subprocess.run(
                [nice, "-n", "10", go, *_BUILD, "-o", fresh, "."],
                cwd=MODULE,
                check=True,
                env={**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local"},
            )
            fresh.rename(found)
    return found
