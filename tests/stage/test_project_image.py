"""The image as a file, and what is in it, run as a container would run it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from typing import IO, TYPE_CHECKING, Any

import pytest

from tests.stage.layers import USER
from tests.stage.oci import Image
from tests.stage.project_image import NAME, write_image

if TYPE_CHECKING:
    from pathlib import Path


def _held(tar: tarfile.TarFile, digest: str) -> IO[bytes]:
    file = tar.extractfile(f"blobs/{digest.replace(':', '/')}")
    assert file is not None
    return file


def _manifest(tar: tarfile.TarFile) -> Any:
    index = tar.extractfile("index.json")
    assert index is not None
    (told,) = json.load(index)["manifests"]
    assert set(told["annotations"].values()) == {NAME}
    return json.load(_held(tar, told["digest"]))


def test_an_image_names_its_layers_lowest_first_by_what_they_hold(tmp_path: Path) -> None:
    for name in ("low", "high"):
        (tmp_path / name).write_bytes(name.encode())
    layers = tuple(tmp_path / name for name in ("low", "high"))
    Image(NAME, layers, {"User": "7"}).write(tmp_path / "image.tar")
    with tarfile.open(tmp_path / "image.tar") as tar:
        manifest = _manifest(tar)
        config = json.load(_held(tar, manifest["config"]["digest"]))
        digests = [layer["digest"] for layer in manifest["layers"]]
        assert [_held(tar, digest).read() for digest in digests] == [b"low", b"high"]
    assert config["rootfs"]["diff_ids"] == digests
    assert config["config"] == {"User": "7"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image of this checkout, unpacked."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.skip("the image is made and entered by root, on Debian")
    folder = tmp_path_factory.mktemp("image")
    write_image(folder / "image.tar")
    target = folder / "root"
    target.mkdir()
    with tarfile.open(folder / "image.tar") as tar:
        for layer in _manifest(tar)["layers"]:
            with tarfile.open(fileobj=_held(tar, layer["digest"])) as unpacked:
                # Debian's own Python is older than filters are.
                unpacked.extraction_filter = getattr(tarfile, "fully_trusted_filter", None)
                unpacked.extractall(target)  # noqa: S202  made by us
    return target


def _enter(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/usr/sbin/chroot", f"--userspec={USER}:{USER}", root, *command],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_its_command_starts_as_a_user_without_rights(root: Path) -> None:
    done = _enter(root, "sandbox-lifecycle", "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert _enter(root, "id", "-un").stdout == "sandbox\n"


def test_it_has_the_client_tools_of_the_stages_server(root: Path) -> None:
    for tool in ("pg_dump", "pg_restore"):
        done = _enter(root, f"/usr/lib/postgresql/15/bin/{tool}", "--version")
        assert "(PostgreSQL) 15." in done.stdout


def test_the_small_erp_runs_from_it(root: Path) -> None:
    done = _enter(root, "python3", "-c", "import harness.local.erp.__main__")
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_in_it_is_another_users_to_write(root: Path) -> None:
    done = _enter(root, "find", "/usr", "-writable", "-not", "-type", "l")
    assert done.stdout == ""
