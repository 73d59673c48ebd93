"""Client tools out of a container, for a host that has none of the server's major version.

A tool is copied with every library that it loads and with the dynamic loader that loads them, so
that it runs on the host as an ordinary child process, whatever C library the host has.
"""

from __future__ import annotations

import io
import posixpath
import re
import shlex
import struct
import sys
import tarfile
from typing import TYPE_CHECKING, Any

from harness.errors import ConfigurationError, FailedError
from harness.postgres.tools import find_tools
from harness.settings import ToolSettings

if TYPE_CHECKING:
    from pathlib import Path

    from harness.deadlines import Deadlines
    from harness.local.runs import LocalRun

_PROGRAMS = ("pg_dump", "pg_restore", "psql", "pg_dumpall")
_LOADED = re.compile(r"^\s*(\S+) => (/\S+)", re.MULTILINE)
_PT_INTERP = 3
_LINKS_FOLLOWED = 10


def client_tools_of(
    container: Any, programs: str, major: int, run: LocalRun, deadlines: Deadlines
) -> Path | None:
    """A directory with the container's client tools, or None where the host has its own.

    Looked for on the host first, in PATH, Debian's directories and the wheel: these come with no
    copying. Only Linux runs what comes out of a container.

    Args:
        container: The running container.
        programs: The directory of PostgreSQL's programs in it.
        major: The server's major version.
        run: The run, in whose directory they are put.
        deadlines: The table of deadlines.
    """
    if sys.platform != "linux":
        return None
    try:
        find_tools(ToolSettings(), major, deadlines)
    except ConfigurationError:
        return extract_client_tools(container, programs, run.subdirectory("client-tools"))
    return None


def extract_client_tools(container: Any, programs: str, directory: Path) -> Path:
    """Copy the client tools out of a container.

    Args:
        container: The running container, as testcontainers has it.
        programs: Their directory in the container.
        directory: Where to; an existing, empty directory.

    Returns:
        The directory of the programs to call.

    Raises:
        FailedError: A program or a library is not where the container says.
    """
    folders = {name: directory / name for name in ("bin", "programs", "libraries")}
    for folder in folders.values():
        folder.mkdir()
    for name in _PROGRAMS:
        inside = posixpath.join(programs, name)
        program = _read(container, inside)
        _write_program(folders["programs"] / name, program)
        loader = _interpreter(program)
        for library, path in {loader: loader, **_loaded(container, loader, inside)}.items():
            copy = folders["libraries"] / posixpath.basename(library)
            if not copy.exists():
                _write_program(copy, _read(container, path))
        _write_wrapper(folders, name, posixpath.basename(loader))
    return folders["bin"]


def _write_wrapper(folders: dict[str, Path], name: str, loader: str) -> None:
    command = [
        str(folders["libraries"] / loader),
        "--library-path",
        str(folders["libraries"]),
        str(folders["programs"] / name),
    ]
    _write_program(folders["bin"] / name, f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n'.encode())


def _write_program(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o755)


def _loaded(container: Any, loader: str, program: str) -> dict[str, str]:
    """Name and path of each library, by the loader itself: not every image has ldd."""
    return dict(_LOADED.findall(_run(container, [loader, "--list", program])))


def _run(container: Any, command: list[str]) -> str:
    code, output = container.get_wrapped_container().exec_run(command)
    text = output.decode(errors="replace")
    if code != 0:
        raise FailedError(
            "client tools cannot be taken from the container",
            found=f"{shlex.join(command)} ended with {code}: {text.strip()}",
            expected="the programs of an image like the official postgres",
            remedy="install client tools on the host, or name their folder in tools.directory",
        )
    return str(text)


def _read(container: Any, path: str) -> bytes:
    """The content of a file in the container, through whatever links lead to it."""
    for _link in range(_LINKS_FOLLOWED):
        stream, _status = container.get_wrapped_container().get_archive(path)
        with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
            member = archive.getmembers()[0]
            if member.issym():
                path = posixpath.join(posixpath.dirname(path), member.linkname)
                continue
            content = archive.extractfile(member)
            if content is not None:
                return content.read()
        break
    raise FailedError(
        "client tools cannot be taken from the container",
        found=f"{path} is no file there",
        expected="a program or a library",
        remedy="install client tools on the host, or name their folder in tools.directory",
    )


def _interpreter(program: bytes) -> str:
    """The path of the dynamic loader, from the program's ELF header (64 bits, little-endian)."""
    (table,) = struct.unpack_from("<Q", program, 32)
    size, count = struct.unpack_from("<HH", program, 54)
    for index in range(count):
        kind, _flags, offset, _address, _physical, length = struct.unpack_from(
            "<IIQQQQ", program, table + index * size
        )
        if kind == _PT_INTERP:
            return program[offset : offset + length].rstrip(b"\0").decode()
    raise FailedError(
        "client tools cannot be taken from the container",
        found="a program that is linked statically, or not for Linux on 64 bits",
        expected="a dynamically linked program",
        remedy="install client tools on the host, or name their folder in tools.directory",
    )
