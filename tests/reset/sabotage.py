"""What all sabotage begins and ends with: a golden copy, a rehearsal, and a reset that is exact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lifecycle.checkpoint import checkpoint
from harness.lifecycle.reset import reset
from harness.progress import Silent

if TYPE_CHECKING:
    from harness.lifecycle.reset import ResetDone
    from harness.settings import Settings

    from .ground import Ground

DIFFERENTIAL, DURABLE = "differential", "durable"

SCHEMA = """
CREATE TABLE public.llx_lines (rowid serial PRIMARY KEY, label text NOT NULL, n int);
CREATE TABLE public.llx_more (rowid serial PRIMARY KEY, label text);
CREATE TABLE public.llx_empty (rowid serial PRIMARY KEY);
INSERT INTO public.llx_lines (label, n)
    SELECT repeat('line ', 20) || i, i FROM generate_series(1, 200) AS i;
INSERT INTO public.llx_more (label) VALUES ('one'), ('two');
"""
REHEARSAL = (
    "INSERT INTO public.llx_lines (label, n) VALUES ('new', 1000)",
    "UPDATE public.llx_lines SET label = 'changed' WHERE n IN (3, 120)",
    "DELETE FROM public.llx_lines WHERE n = 7",
    "DELETE FROM public.llx_more",
    "SELECT nextval('public.llx_more_rowid_seq')",
)


def take_golden(ground: Ground, settings: Settings, schema: str = SCHEMA) -> Settings:
    """Lay the sandbox and take a golden copy of it, with a shadow."""
    ground.lay(schema)
    assert checkpoint(settings, Silent()).no_shadow is None
    return settings


def assert_next_reset_is_exact(
    ground: Ground, settings: Settings, way: str, word: str = ""
) -> ResetDone:
    """The next reset is exact, and after it the fast way is open again."""
    done = reset(settings, Silent())
    ground.assert_golden()
    assert done.way == way, done.reason
    assert (done.reason is None) == (way == DIFFERENTIAL)
    assert word in (done.reason or ""), done.reason
    ground.work(*REHEARSAL)
    after = reset(settings, Silent())
    ground.assert_golden()
    assert after.way == DIFFERENTIAL, after.reason
    return done
