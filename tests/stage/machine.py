"""What a machine is like, as far as a stage could have changed it: compared before and after."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from harness.deadlines import Deadline, eventually

# What the kernel counts or draws, and what every process that starts moves.
_MOVING = (
    "fs/",
    "kernel/ns_last_pid",
    "kernel/pty/",
    "kernel/random/",
    "kernel/seccomp/",
    "kernel/sched_",
    "net/netfilter/nf_conntrack_count",
    "net/ipv4/route/",
    "net/ipv6/route/",
)
# A stage and what it starts write nowhere else: this was traced.
_WATCHED = (
    "/etc",
    "/opt",
    "/root/.config",
    "/root/.kube",
    "/run",
    "/usr/libexec",
    "/var/cache",
    "/var/lib",
    "/var/log",
)
_DEPTH = 4
_AGAIN = Deadline(10, "the kernel takes its time")


def picture() -> dict[str, list[str]]:
    """Everything that is to be the same before a stage and after it."""
    rules = shutil.which("nft") and ["nft", "list", "ruleset"]
    return {
        "settings": sorted(_settings()),
        "addresses": _lines("ip", "-o", "address"),
        "links": [line.split(":")[1] for line in _lines("ip", "-o", "link")],
        "routes": [*_lines("ip", "route", "show", "table", "all")],
        "network namespaces": _lines("lsns", "-t", "net", "-n", "-o", "NS"),
        "filter": _lines(*rules) if rules else _lines("iptables", "-S"),
        "translation": _lines("iptables", "-t", "nat", "-S") if not rules else [],
        "mounts": sorted(
            line.split()[4]
            for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
        ),
        "control groups": sorted(map(str, Path("/sys/fs/cgroup").glob("*/*stage*"))),
        "files": sorted(path for root in _WATCHED for path in _below(root, _DEPTH)),
        "processes": sorted(_processes()),
    }


def differences(before: dict[str, list[str]], after: dict[str, list[str]]) -> dict[str, list[str]]:
    """What went and what came, by kind; empty where nothing changed."""
    changed = {
        kind: [f"- {line}" for line in sorted(set(old) - set(after[kind]))]
        + [f"+ {line}" for line in sorted(set(after[kind]) - set(old))]
        for kind, old in before.items()
    }
    return {kind: lines for kind, lines in changed.items() if lines}


def await_as_before(before: dict[str, list[str]]) -> None:
    """Return once the machine is as it was; a network namespace goes after its last process."""

    def must() -> None:
        found = differences(before, picture())
        assert found == {}, found

    eventually(must, _AGAIN)


def _settings() -> list[str]:
    found = []
    for directory, _, files in os.walk("/proc/sys"):
        for file in files:
            path = Path(directory, file)
            name = str(path.relative_to("/proc/sys"))
            if not name.startswith(_MOVING):
                with suppress(OSError):  # some can be written only
                    found.append(f"{name} = {path.read_text(errors='replace').strip()}")
    return found


def _below(root: str, depth: int) -> list[str]:
    found = []
    with suppress(OSError):
        for entry in os.scandir(root):
            found.append(entry.path)
            if depth > 1 and entry.is_dir(follow_symlinks=False):
                found += _below(entry.path, depth - 1)
    return found


def _processes() -> set[str]:
    """Programs of a bundle, and whatever runs in a stage's control group; others come and go."""
    found = set()
    here = Path("/proc/self/ns/net").readlink()
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            program = str((entry / "exe").readlink())
            # Somebody else's stage, in a network of its own, is not meant.
            ours = "/sandbox-lifecycle/stage/" in program and (entry / "ns/net").readlink() == here
            if ours or ":/sandbox-lifecycle-stage" in (entry / "cgroup").read_text():
                found.add(program)
    return found


def _lines(*command: str) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return sorted(line.strip() for line in done.stdout.splitlines())
