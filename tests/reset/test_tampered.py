"""Whoever tampers with the shadow or the baseline: a reset notices, or has no need of it."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from harness.errors import RefusedError
from harness.lifecycle.checkpoint import checkpoint
from harness.lifecycle.reset import reset
from harness.progress import Silent

from .sabotage import DURABLE, REHEARSAL, assert_next_reset_is_exact, take_golden

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.settings import Settings

    from .ground import Ground

BASELINE = "baseline.json"


@pytest.fixture(params=["pages", "scan"])
def settings(request: pytest.FixtureRequest, ground: Ground) -> Settings:
    return take_golden(ground, ground.settings.with_golden(find_changes=request.param))


TAMPERING = {
    "UPDATE": ["UPDATE golden.llx_lines SET label = 'bent' WHERE n = 3"],
    "UPDATE of what was not changed": ["UPDATE golden.llx_lines SET label = 'bent' WHERE n = 150"],
    "UPDATE of a place": ["UPDATE golden.llx_lines SET _place = '(99,1)' WHERE n = 3"],
    "DELETE": ["DELETE FROM golden.llx_lines WHERE n = 7"],
    "DELETE of everything": ["DELETE FROM golden.llx_lines"],
    "INSERT": ["INSERT INTO golden.llx_lines SELECT * FROM golden.llx_lines WHERE n = 7"],
    "TRUNCATE": ["TRUNCATE golden.llx_lines"],
    "TRUNCATE, and filled with what there is": [
        "TRUNCATE golden.llx_lines",
        "INSERT INTO golden.llx_lines SELECT ctid, * FROM public.llx_lines",
    ],
    "DROP": ["DROP TABLE golden.llx_lines"],
    "DROP of everything": ["DROP SCHEMA golden CASCADE"],
    "made anew": [
        "DROP TABLE golden.llx_lines",
        "CREATE UNLOGGED TABLE golden.llx_lines AS SELECT ctid AS _place, * FROM public.llx_lines",
    ],
    "ALTER": ["ALTER TABLE golden.llx_lines ALTER COLUMN label TYPE text USING 'bent'"],
    "a view in its place": [
        "ALTER TABLE golden.llx_lines RENAME TO aside",
        "CREATE VIEW golden.llx_lines AS SELECT * FROM golden.aside",
    ],
    "a row policy": [
        "ALTER TABLE golden.llx_lines ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE golden.llx_lines FORCE ROW LEVEL SECURITY",
    ],
    "VACUUM FULL": ["VACUUM FULL golden.llx_lines"],
    "UPDATE, covered up": [
        "UPDATE golden.llx_lines SET label = 'bent' WHERE n = 3",
        "VACUUM (FREEZE) golden.llx_lines",
    ],
}


@pytest.mark.parametrize("name", TAMPERING)
def test_the_shadow_is_tampered_with(ground: Ground, settings: Settings, name: str) -> None:
    ground.work(*REHEARSAL, *TAMPERING[name])
    if name in ("UPDATE of what was not changed", "a row policy"):
        # Nothing of it is needed, or it does not bind whoever owns it: either way will do.
        reset(settings, Silent())
        ground.assert_golden()
    else:
        assert_next_reset_is_exact(ground, settings, DURABLE)


def test_the_shadow_is_tampered_with_in_a_session_that_stays(
    ground: Ground, settings: Settings
) -> None:
    ground.work(*REHEARSAL)
    with ground.application() as session:
        session.execute("SELECT 1")
        session.execute("UPDATE golden.llx_lines SET label = 'bent' WHERE n = 3")
        hasty = settings.model_copy(update={"deadline_scale": 0.02})
        with pytest.raises(RefusedError):
            reset(hasty, Silent())
    assert_next_reset_is_exact(ground, settings, DURABLE, "shadow")


@pytest.mark.parametrize(
    "deletion",
    [
        ("DELETE FROM {}.llx_lines WHERE n = 7",),
        ("DELETE FROM {}.llx_lines",),
        ("DELETE FROM {}.llx_lines WHERE n > 100", "VACUUM (FREEZE) {}.llx_lines"),
    ],
)
def test_a_row_is_deleted_here_and_there(
    ground: Ground, settings: Settings, deletion: tuple[str, ...]
) -> None:
    for schema in ("public", "golden"):
        ground.work(*(statement.format(schema) for statement in deletion))
    assert_next_reset_is_exact(ground, settings, DURABLE, "shadow")


def test_the_golden_copy_of_the_shadow_is_removed(ground: Ground, settings: Settings) -> None:
    """As the error of a damaged golden copy advises, to go back to the one before."""
    keeping = settings.with_golden(generations=3)
    ground.work("UPDATE public.llx_lines SET label = 'later' WHERE n = 3")
    removed = checkpoint(keeping, Silent()).folder
    shutil.rmtree(removed)
    assert_next_reset_is_exact(ground, keeping, DURABLE, "no shadow")


def damage_by(change: Callable[[dict[str, object]], object]) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        values = json.loads(path.read_bytes())
        change(values)
        path.write_text(json.dumps(values), encoding="utf-8")

    return damage


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:200])


def make_unreadable(path: Path) -> None:
    path.write_bytes(b"\xff\x00")


DAMAGES: dict[str, Callable[[Path], None]] = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b"") and None,
    "cut short": cut_short,
    "not text": make_unreadable,
    "of a later format": damage_by(lambda values: values.update(format=2)),
    "of another generation": damage_by(lambda values: values.update(generation="20200101-other")),
    "of another database": damage_by(lambda values: values.update(database_oid=1)),
    "of another server": damage_by(lambda values: values.update(system_identifier=1)),
    "from the future": damage_by(lambda values: values.update(threshold=2**40)),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_the_baseline_is_damaged(ground: Ground, settings: Settings, name: str) -> None:
    ground.work(*REHEARSAL)
    (folder,) = settings.golden.directory.iterdir()
    DAMAGES[name](folder / BASELINE)
    assert_next_reset_is_exact(ground, settings, DURABLE)
