"""The golden store: a generation is whole or not there, and is checked before it is used."""

from __future__ import annotations

import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from harness.errors import ConfigurationError, FailedError
from harness.golden.manifest import MANIFEST, Manifest, StoredFile
from harness.golden.store import Draft, Generation, GoldenStore
from harness.postgres.fingerprint import Fingerprint, Position, Rows

FINGERPRINT = Fingerprint(
    rows={"llx_facture": Rows(3, "184467440737095516150")},
    sequences={"s": Position(7, is_called=True, until=9, until_called=True)},
    objects={"index": {"idx": "CREATE INDEX idx ON llx_facture"}},
)


@pytest.fixture
def store(tmp_path: Path) -> GoldenStore:
    return GoldenStore(tmp_path / "golden", keep=2)


def seal(draft: Draft) -> Generation:
    draft.dump.write_bytes(b"a dump")
    return draft.seal(
        Manifest(
            generation=draft.generation,
            taken=draft.taken,
            run="0123abcd",
            source="prod",
            company="A & B",
            database="erp-sandbox",
            system_identifier=2**63 - 1,
            server_version=180006,
            tools_version="18.6",
            files={draft.dump.name: StoredFile.of(draft.dump)},
            fingerprint=FINGERPRINT,
        )
    )


def take(store: GoldenStore) -> Generation:
    with store.draft("0123abcd") as draft:
        return seal(draft)


def test_what_was_sealed_is_read_back_the_same(store: GoldenStore) -> None:
    taken = take(store)
    found = store.latest()
    assert found == taken
    assert found.dump.read_bytes() == b"a dump"
    assert found.manifest.fingerprint == FINGERPRINT


def test_a_draft_that_was_not_sealed_is_gone(store: GoldenStore) -> None:
    with store.draft("0123abcd") as draft:
        draft.dump.write_bytes(b"half a du")
    assert store.latest() is None
    assert list(store.directory.iterdir()) == []


def test_what_a_killed_run_left_is_no_generation_and_goes_with_the_next(store: GoldenStore) -> None:
    left = store.directory / ".partial-20260101T000000.000000Z-dead0000"
    left.mkdir(parents=True)
    (left / MANIFEST).write_text("{}")
    assert store.latest() is None
    taken = take(store)
    assert [path.name for path in store.directory.iterdir()] == [taken.folder.name]


def test_only_the_newest_are_kept(store: GoldenStore) -> None:
    taken = [take(store).manifest.generation for _ in range(4)]
    assert store.generations() == taken[:1:-1]


def test_nobody_else_can_read_it(store: GoldenStore) -> None:
    folder = take(store).folder
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}
    assert modes == {0o700, 0o600}


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (lambda dump: dump.write_bytes(b"a dumb"), "sandbox.dump"),
        (lambda dump: dump.write_bytes(b"a dum"), "sandbox.dump"),
        (lambda dump: dump.unlink(), "missing"),
        (lambda dump: (dump.parent / MANIFEST).write_text("{"), "manifest"),
        (lambda dump: (dump.parent / MANIFEST).write_text('{"format": 2}'), "manifest"),
    ],
)
def test_damage_is_named_and_no_older_one_is_taken_instead(
    store: GoldenStore, damage: object, named: str
) -> None:
    take(store)
    damage(take(store).dump)  # type: ignore[operator]
    with pytest.raises(FailedError, match=named):
        store.latest()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = GoldenStore(tmp_path / "file" / "golden", keep=1)
    with pytest.raises(ConfigurationError, match=r"golden\.directory"), store.draft("0123abcd"):
        pass


def test_no_folder_is_no_golden_copy(store: GoldenStore) -> None:
    store.refuse_unreadable()
    assert store.generations() == []
    take(store)
    (store.directory / ".logins").mkdir(mode=0)
    store.refuse_unreadable()


def test_a_file_in_the_place_of_the_folder_is_told(store: GoldenStore) -> None:
    store.directory.touch()
    with pytest.raises(ConfigurationError, match="nobody knows which golden copies") as refused:
        store.refuse_unreadable()
    assert "Not a directory" in str(refused.value)


_LOOKED_AT_BY_A_USER = """
import os, pathlib, sys
from harness.golden.store import GoldenStore
if os.geteuid() == 0:
    os.setuid(65534)
print(GoldenStore(pathlib.Path(sys.argv[1]), 1).obstacle())
"""


@pytest.mark.parametrize("closed", ["the folder", "a generation"])
def test_what_this_user_may_not_read_is_told_and_not_taken_for_nothing(closed: str) -> None:
    # pytest's own folders are closed to other users.
    with tempfile.TemporaryDirectory() as place:
        store = GoldenStore(Path(place), keep=1)
        taken = take(store)
        for folder in (store.directory, taken.folder):
            folder.chmod(0o755)
        look = [sys.executable, "-c", _LOOKED_AT_BY_A_USER, place]
        assert subprocess.check_output(look, text=True) == "None\n"
        folder = store.directory if closed == "the folder" else taken.folder
        folder.chmod(0)
        try:
            assert "Permission denied" in subprocess.check_output(look, text=True)
        finally:
            folder.chmod(0o700)
