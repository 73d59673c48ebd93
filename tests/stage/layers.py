"""The layers of the project's image: Debian with its tools, the dependencies, the project itself.

Each is a tar in the user's cache directory, called after what it was made from, and is made again
only when that has changed. The same contents as harness/manifests/Containerfile gives, without a
registry.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import FailedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[2]
USER = 10001
"""Who runs everything in the image: nobody of the machine's."""

# The major of the server that the stage runs, which is Debian's own.
_PACKAGES = ("ca-certificates", "libc6", "postgresql-client-15", "python3", "python3.11")
_PYTHON = "3.11"
_SITE = f"usr/local/lib/python{_PYTHON}/dist-packages"
_LEFT_OUT = ("doc", "info", "locale", "man")
# Wheels run on any glibc as old as they name, or newer.
_GLIBC = ("2014", "_2_17", "_2_28", "_2_34")
_BECOME_USER = f"echo sandbox:x:{USER}:{USER}::/nonexistent:/usr/sbin/nologin >> $1/etc/passwd"
_BECOME_GROUP = f"echo sandbox:x:{USER}: >> $1/etc/group"
_RECIPE = (
    "--variant=essential",
    f"--include={','.join(_PACKAGES)}",
    '--aptopt=APT::Install-Recommends "false"',
    *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in _LEFT_OUT),
    f"--customize-hook={_BECOME_USER}",
    f"--customize-hook={_BECOME_GROUP}",
)
_SHEBANG = "#!/usr/bin/python3"
# Other checkouts of the project share the cache.
_KEPT_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Layers:
    """The three layers, made where they are missing.

    Args:
        cache: The directory that they are kept in.
    """

    cache: Path

    def all(self) -> tuple[Path, ...]:
        """The lowest first.

        Raises:
            FailedError: A package cannot be had, or a program that makes them fails.
        """
        return self.base(), self.dependencies(), self.project()

    def base(self) -> Path:
        """Debian with Python and PostgreSQL's client tools, by the versions that apt knows of."""
        sources = _run(
            "apt-get",
            "indextargets",
            "--format=deb $(REPO_URI) $(RELEASE) $(COMPONENT)",
            "Created-By: Packages",
            "Origin: Debian",
        )
        versions = _run("apt-cache", "show", "--no-all-versions", "base-files", *_PACKAGES)
        with self._layer("base", sources, versions, *_RECIPE) as made:
            if made.folder is not None:
                _debian(made.folder, made.unfinished, sources)
        return made.path

    def dependencies(self) -> Path:
        """What the project asks for in pyproject.toml, from PyPI, below dist-packages."""
        asked = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
        with self._layer("dependencies", *asked["dependencies"]) as made:
            if made.folder is not None:
                site = made.folder / _SITE
                _pip(site, *asked["dependencies"])
                shutil.rmtree(site / "bin")  # commands of others, for this machine's interpreter
                _pack(made.folder, made.unfinished)
        return made.path

    def project(self) -> Path:
        """The project, installed from its wheel, with its command."""
        files = [ROOT / name for name in ("pyproject.toml", "README.md", "LICENSE")]
        for name in ("harness", "steps"):
            found = (ROOT / name).rglob("*")
            files += sorted(path for path in found if path.is_file() and path.suffix != ".pyc")
        told = [f"{path.relative_to(ROOT)} {_sum(path.read_bytes())}" for path in files]
        with self._layer("project", *told) as made:
            if made.folder is not None:
                _pip(made.folder / _SITE, "--no-deps", str(ROOT))
                _move_command(made.folder)
                _pack(made.folder, made.unfinished)
        return made.path

    @contextmanager
    def _layer(self, kind: str, *made_from: str) -> Iterator[_Made]:
        key = _sum("\n".join([platform.machine(), *made_from]).encode())[:16]
        path = self.cache / f"{kind}-{key}.tar"
        if path.exists():
            path.touch()
            yield _Made(path, None)
            return
        self.cache.mkdir(parents=True, exist_ok=True)
        for other in self.cache.glob(f"{kind}-*"):
            if other.stat().st_mtime < time.time() - _KEPT_SECONDS:
                other.unlink(missing_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{kind}-", dir=self.cache.parent) as folder:
            Path(folder).chmod(0o755)
            made = _Made(path, Path(folder))
            yield made
            made.unfinished.rename(path)


@dataclass(frozen=True, slots=True)
class _Made:
    """A layer in the making; there is no folder where it is there already."""

    path: Path
    folder: Path | None

    @property
    def unfinished(self) -> Path:
        return self.path.with_name(f"{self.path.name}.{os.getpid()}")


def _debian(folder: Path, target: Path, sources: str) -> None:
    """By mmdebstrap, which is one script: unpacked, and not installed."""
    _run("apt-get", "download", "-q", "mmdebstrap", cwd=folder)
    _run("dpkg-deb", "-x", str(next(folder.glob("*.deb"))), str(folder))
    programs = folder / "usr/bin"
    _run(
        str(programs / "mmdebstrap"),
        "--quiet",
        *_RECIPE,
        "--format=tar",
        "",
        str(target),
        "-",
        given=sources,
        path=f"{programs}:{os.environ['PATH']}",
    )


def _pip(site: Path, *asked: str) -> None:
    """Install for the image's interpreter, whichever runs here."""
    site.mkdir(parents=True)
    machine = platform.machine()
    _run(
        sys.executable,
        *("-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-warn-conflicts"),
        *("--target", str(site), "--only-binary=:all:"),
        *("--implementation=cp", f"--python-version={_PYTHON}"),
        *(f"--platform=manylinux{glibc}_{machine}" for glibc in _GLIBC),
        *asked,
    )


def _move_command(folder: Path) -> None:
    """To where it is on PATH, and run by the image's interpreter."""
    commands = folder / "usr/local/bin"
    (folder / _SITE / "bin").rename(commands)
    for command in commands.iterdir():
        _, *rest = command.read_text("utf-8").splitlines(keepends=True)
        command.write_text("".join([f"{_SHEBANG}\n", *rest]), "utf-8")


def _pack(folder: Path, target: Path) -> None:
    """Everything belongs to root, and can be read by everybody."""

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        executable = entry.isdir() or entry.mode & 0o100
        entry.mode = 0o755 if executable else 0o644
        # Whole seconds, as the byte code has noted them of its source.
        entry.mtime = int(entry.mtime)
        return entry

    with tarfile.open(target, "w") as tar:
        tar.add(folder / "usr", "usr", filter=plain)


def _run(*command: str, given: str = "", cwd: Path | None = None, path: str | None = None) -> str:
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "PATH": path or os.environ["PATH"]}
    ended = subprocess.run(
        command,
        input=given,
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        raise FailedError(
            f"a layer of the image cannot be made: {_shown(command)}",
            found=f"it ended with {ended.returncode}: {ended.stderr.strip()[-2000:]}",
            expected="Debian's packages and PyPI in reach, or a layer of an earlier run",
            remedy="mend what it complains of, and run the command again",
        )
    return ended.stdout


def _shown(command: Sequence[str]) -> str:
    return " ".join(command[:3])


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
