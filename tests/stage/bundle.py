"""The programs of a stage, built once and kept in the user's cache directory.

One program of our own from Go modules, and what Debian has, unpacked and not installed. A bundle is
named after everything that it was made from, so one that is there is the right one. It is made
under another name and renamed, so one that is there is whole.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ConfigurationError, FailedError
from tests.stage import images, oci

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KUBERNETES = "1.36.1"
ARGOCD = "3.5.7"
_COMPONENTS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kubectl",
    "argocd-application-controller",
    "argocd-repo-server",
    "argocd-git-ask-pass",
)
_PACKAGES = (
    "busybox-static",
    "containerd",
    "containernetworking-plugins",
    "libjemalloc2",
    "liblzf1",
    "redis-server",
    "redis-tools",
    "runc",
)
_UNFINISHED = "build-"
_SOURCES = Path(__file__).with_name("go")
_ARGOCD_MODULE = "github.com/argoproj/argo-cd/v3"
# ApplicationSets are left out: nothing of the stage reads them, and theirs is ten times as long.
_DEFINITIONS = ("application-crd.yaml", "appproject-crd.yaml")
# Argo CD calls it for each commit. None is signed here, which is no error.
_VERIFY = '#!/bin/sh\ngit verify-commit "$1" 2>&1 || true\n'


def provided(*, drop_go_caches: bool = False) -> Path:
    """The bundle, made first if it is not there: five minutes on two cores.

    Args:
        drop_go_caches: Build with caches of its own and remove them afterwards (3.7 GB), instead of
            using the user's.

    Raises:
        ConfigurationError: It is not there, and this machine cannot make it.
        FailedError: Making it failed.
    """
    versions = _debian_versions()
    base = cache_directory()
    bundle = base / _key(versions)
    if bundle.exists():
        return bundle
    _refuse_without_go(bundle)
    with _locked(base):
        for left in base.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(left)  # its builder was killed: else it would hold the lock
        if not bundle.exists():  # else another build has just made it
            with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=base) as made:
                _make(Path(made) / "bundle", versions, drop_go_caches=drop_go_caches)
                (Path(made) / "bundle").rename(bundle)
    return bundle


def cache_directory() -> Path:
    """Where bundles are kept: `$XDG_CACHE_HOME` or `~/.cache`, then `sandbox-lifecycle/stage`."""
    given = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(given).expanduser() / "sandbox-lifecycle" / "stage"


def program(bundle: Path, name: str) -> Path:
    """The path of one program of a bundle."""
    for folder in ("bin", "debian/usr/bin", "debian/usr/sbin", "debian/bin"):
        if (path := bundle / folder / name).exists():
            return path
    raise FailedError(
        f"the bundle has no {name}",
        found=f"nothing of that name in {bundle}",
        remedy=f"rm -r {bundle}, then start again: it is built anew",
    )


def _key(versions: Mapping[str, str]) -> str:
    told = hashlib.sha256()
    scripts = [Path(script) for script in (__file__, images.__file__, oci.__file__)]
    for path in [*sorted(path for path in _SOURCES.rglob("*") if path.is_file()), *scripts]:
        told.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    for package, version in sorted(versions.items()):
        told.update(f"{package}={version}\0".encode())
    told.update(os.uname().machine.encode())
    return told.hexdigest()[:16]


def _debian_versions() -> dict[str, str]:
    if shutil.which("apt-cache") is None:
        raise ConfigurationError(
            "a stage cannot be had on this machine",
            found="no apt-cache: this is no Debian",
            expected="Debian 12 or a relative, whose containerd, runc and Redis are used",
            remedy="run it in a virtual machine with Debian 12",
        )
    told = _run("apt-cache", "policy", *_PACKAGES, environment={**os.environ, "LC_ALL": "C"})
    found = dict(re.findall(r"^(\S+):\n.*\n\s+Candidate: (?!\(none\))(\S+)", told, re.MULTILINE))
    if missing := sorted(set(_PACKAGES) - set(found)):
        raise ConfigurationError(
            "Debian's packages for a stage are not known here",
            found=f"no candidate for {', '.join(missing)}",
            expected="one for each",
            remedy="apt-get update",
        )
    return found


def _refuse_without_go(bundle: Path) -> None:
    if shutil.which("go") is None:
        raise ConfigurationError(
            "the programs of the stage cannot be built",
            found=f"neither {bundle} nor a program `go` on PATH",
            expected="one of them",
            remedy="install Go 1.26, or copy the bundle from a machine that has built it",
        )


@contextmanager
def _locked(base: Path) -> Iterator[None]:
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(base, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _make(bundle: Path, versions: Mapping[str, str], *, drop_go_caches: bool) -> None:
    own = bundle.with_name("go")
    environment = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": ""}
    if drop_go_caches:
        # Beside the bundle, and gone with the build; read-only files would be in the way of that.
        environment |= {
            "GOCACHE": str(own / "build"),
            "GOMODCACHE": str(own / "modules"),
            "GOFLAGS": "-modcacherw",
        }
    programs = bundle / "bin"
    programs.mkdir(parents=True, mode=0o755)
    bundle.chmod(0o755)
    stage = programs / "stage"
    _go(environment, "build", "-p", "2", *_marked(), "-o", str(stage), ".")
    pause = programs / "pause"
    _go(environment, "build", "-trimpath", "-ldflags=-s -w", "-o", str(pause), "./pause")
    for name in _COMPONENTS:
        (programs / name).hardlink_to(stage)
    stage.unlink()
    verify = programs / "git-verify-wrapper.sh"
    verify.write_text(_VERIFY)
    verify.chmod(0o755)
    module = _go(environment, "list", "-m", "-f", "{{.Dir}}", _ARGOCD_MODULE).strip()
    (bundle / "definitions").mkdir()
    for name in _DEFINITIONS:
        shutil.copyfile(Path(module) / "manifests" / "crds" / name, bundle / "definitions" / name)
    _unpack(bundle, versions)
    busybox = program(bundle, "busybox")
    images.write(bundle / "images", pause=pause, busybox=busybox)


def _marked() -> list[str]:
    """Options that tell the components their versions: else the API server calls itself v0.0.0."""
    major, minor, _ = KUBERNETES.split(".")
    words = ["-s", "-w"]
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"):
        told = {"gitVersion": f"v{KUBERNETES}", "gitMajor": major, "gitMinor": minor}
        told["gitTreeState"] = "clean"
        words += [f"-X {package}.{name}={value}" for name, value in told.items()]
    words.append(f"-X {_ARGOCD_MODULE}/common.version={ARGOCD}")
    return ["-trimpath", "-buildvcs=false", f"-ldflags={' '.join(words)}"]


def _unpack(bundle: Path, versions: Mapping[str, str]) -> None:
    archives = bundle.with_name("archives")
    archives.mkdir()
    asked = [f"{package}={version}" for package, version in versions.items()]
    _run("apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *asked, directory=archives)
    for archive in sorted(archives.glob("*.deb")):
        _run("dpkg", "-x", str(archive), str(bundle / "debian"))


def _go(environment: Mapping[str, str], *arguments: str) -> str:
    # Five minutes of both cores: whatever else runs on the machine goes first.
    return _run("nice", "-n", "10", "go", *arguments, environment=environment, directory=_SOURCES)


def _run(
    *command: str, environment: Mapping[str, str] | None = None, directory: Path | None = None
) -> str:
    done = subprocess.run(
        command, env=environment, cwd=directory, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise FailedError(
            f"{command[0]} failed while the programs of the stage were made",
            found=f"exit code {done.returncode}: {done.stderr.strip()[-2000:]}",
            remedy=f"try it by hand: {' '.join(command)}",
        )
    return done.stdout
