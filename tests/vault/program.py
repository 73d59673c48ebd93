"""The program of a real Vault server: built once from `tests/stage/vault`, and kept in a cache."""

from __future__ import annotations

import fcntl
import os
import subprocess
from hashlib import sha256
from pathlib import Path

from harness.errors import ConfigurationError

MODULE = Path(__file__).parents[1] / "stage" / "vault"
_SOURCES = ("main.go", "go.mod", "go.sum")
_BUILD = ("build", "-p", "2", "-trimpath", "-ldflags", "-s -w")


def cache() -> Path:
    """Where it is kept: one folder for each set of sources."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    sources = b"".join((MODULE / name).read_bytes() for name in _SOURCES)
    return root / "sandbox-lifecycle" / "vault" / sha256(sources).hexdigest()[:16]


def program() -> Path | None:
    """The program, or None where it was not built yet."""
    found = cache() / "vault"
    return found if found.exists() else None


def provided() -> Path:
    """The program, built if it has to be: some five minutes.

    Raises:
        ConfigurationError: There is no Go to build it with, or the build fails.
    """
    folder = cache()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        # Two builds at once are one.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return program() or _build(folder)


def _build(folder: Path) -> Path:
    fresh, found = folder / f"vault.{os.getpid()}", folder / "vault"
    environment = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local"}
    try:
        command = ["nice", "-n", "10", "go", *_BUILD, "-o", str(fresh), "."]
        subprocess.run(command, cwd=MODULE, check=True, env=environment)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ConfigurationError(
            "the Vault of the tests cannot be built",
            found=str(error),
            expected=f"a Go that builds {MODULE.name}, and a module proxy that it reaches",
            remedy="install the Go that its go.mod names",
        ) from error
    fresh.rename(found)
    return found
