"""The application goes on while a golden copy is taken: the next reset is exact all the same."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from harness.lifecycle.checkpoint import checkpoint
from harness.lifecycle.reset import reset
from harness.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.progress import Advance

    from .ground import Ground

SCHEMA = """
CREATE TABLE public.llx_lines (rowid serial PRIMARY KEY, label text, n int);
CREATE INDEX llx_lines_n ON public.llx_lines (n);
CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touches BEFORE UPDATE ON public.llx_lines
    FOR EACH ROW EXECUTE FUNCTION public.touch();
CREATE FUNCTION public.unused() RETURNS int LANGUAGE sql AS 'SELECT 1';
GRANT SELECT ON public.llx_lines TO PUBLIC;
COMMENT ON TABLE public.llx_lines IS 'lines';
INSERT INTO public.llx_lines (label, n) SELECT 'line ' || i, i FROM generate_series(1, 100) AS i;
"""
# What somebody does meanwhile; nothing of it is in the golden copy, whose snapshot is older.
DEEDS = {
    "insert": "INSERT INTO public.llx_lines (label) VALUES ('meanwhile')",
    "update": "UPDATE public.llx_lines SET label = 'meanwhile' WHERE n = 7",
    "delete": "DELETE FROM public.llx_lines WHERE n = 7",
    "truncate": "TRUNCATE public.llx_lines",
    "setval": "SELECT setval('public.llx_lines_rowid_seq', 1000)",
    "vacuum": "VACUUM (FREEZE) public.llx_lines",
    "drop index": "DROP INDEX public.llx_lines_n",
    "drop trigger": "DROP TRIGGER touches ON public.llx_lines",
    "drop function": "DROP FUNCTION public.unused()",
    "revoke": "REVOKE SELECT ON public.llx_lines FROM PUBLIC",
    "drop comment": "COMMENT ON TABLE public.llx_lines IS NULL",
    "create table": "CREATE TABLE public.llx_new (rowid int)",
    "drop table": "DROP TABLE public.llx_lines",
    "add column": "ALTER TABLE public.llx_lines ADD COLUMN more text",
    "disable trigger": "ALTER TABLE public.llx_lines DISABLE TRIGGER touches",
    "rewrite": "ALTER TABLE public.llx_lines ALTER COLUMN n TYPE int USING n + 1",
    "large object": "SELECT lo_create(0)",
    "bend the shadow": "UPDATE golden.llx_lines SET label = 'bent' WHERE n = 7",
}


class At:
    """A listener that does something when one phase begins.

    Args:
        title: How the title of the phase begins.
        deed: What is done, once.
    """

    def __init__(self, title: str, deed: Callable[[], None]) -> None:
        self._title = title
        self._deed = deed
        self.is_done = False

    @contextmanager
    def phase(self, title: str, total: int | None = None) -> Iterator[Advance]:
        del total
        if title.startswith(self._title) and not self.is_done:
            self.is_done = True
            self._deed()
        yield lambda _steps: None


@pytest.mark.parametrize("phase", ["seal the golden copy", "freeze the shadow"])
@pytest.mark.parametrize("deed", DEEDS)
def test_what_is_done_while_a_golden_copy_is_taken_is_undone(
    ground: Ground, phase: str, deed: str
) -> None:
    settings = ground.settings
    ground.lay(SCHEMA)
    listener = At(phase, lambda: ground.work(DEEDS[deed]))
    checkpoint(settings, listener)
    assert listener.is_done
    ground.work("INSERT INTO public.llx_const (name, value) VALUES ('later', 'x')")
    done = reset(settings, Silent())
    ground.assert_golden()
    with ground.superuser() as session:
        left = session.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchone()
    assert left == (0,), done.reason
