"""A copy that is spoilt on its way is named, golden comes back, and prod has not noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.lifecycle.checkpoint import checkpoint
from harness.lifecycle.refresh import refresh_from_prod
from harness.lifecycle.reset import reset
from harness.progress import Silent
from harness.sides import Sandbox
from steps.faulty_tools import (
    DUMPS_PROD,
    LOADS_ANYTHING,
    LOADS_NOTHING,
    with_faulty_pg_restore,
    with_faulty_tool,
)

from .evidence import (
    assert_golden,
    assert_nothing_left,
    content,
    fails,
    prod_unchanged,
    sandbox_unchanged,
)
from .tools import and_then

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    import psycopg

    from harness.local.platform import LocalPlatform
    from harness.settings import Settings


# What goes wrong, and what the error must name.
SPOILT_RESTORES = {
    "loads nothing": (LOADS_NOTHING, "table llx_actioncomm: expected"),
    "logs in as root": (
        'unset PGPASSWORD; exec "$real" "$@" --username=root',
        'pg_restore ended with 1 (pg_restore: error: connection to server at "127.0.0.1"',
    ),
    "loses one row": (
        and_then(
            "DELETE FROM public.llx_bank_url"
            " WHERE rowid = (SELECT 7 + min(rowid) FROM public.llx_bank_url)"
        ),
        "rows llx_bank_url: expected 196 rows, found 195 rows",
    ),
    "loads one row twice": (
        and_then(
            "DROP INDEX public.uk_user_param;"
            " INSERT INTO public.llx_user_param SELECT * FROM public.llx_user_param LIMIT 1"
        ),
        "rows llx_user_param: expected",
    ),
    "loads one row twice in the place of another": (
        and_then(
            "DROP INDEX public.uk_user_param;"
            " UPDATE public.llx_user_param SET (fk_user, param, value) ="
            " (SELECT fk_user, param, value FROM public.llx_user_param LIMIT 1)"
            " WHERE ctid = (SELECT max(ctid) FROM public.llx_user_param)"
        ),
        "found as many with hash",
    ),
    "loses an index": (
        and_then("DROP INDEX public.idx_bank_url_soc"),
        "index idx_bank_url_soc: expected CREATE INDEX",
    ),
    "loses a trigger": (
        and_then("DROP TRIGGER bank_url_time ON public.llx_bank_url"),
        "trigger bank_url_time on llx_bank_url: expected CREATE TRIGGER",
    ),
    "loses a function": (
        and_then("DROP FUNCTION public.note_time() CASCADE"),
        "function note_time(): expected CREATE",
    ),
    "sets a sequence back": (
        and_then(
            "SELECT setval('public.llx_const_rowid_seq', last_value - 1)"
            " FROM public.llx_const_rowid_seq"
        ),
        "sequence value llx_const_rowid_seq: expected",
    ),
    "forgets that a sequence was called": (
        and_then(
            "SELECT setval('public.llx_const_rowid_seq', last_value, false)"
            " FROM public.llx_const_rowid_seq"
        ),
        "(not called)",
    ),
    "loses a foreign key": (
        and_then("ALTER TABLE public.llx_bank_url DROP CONSTRAINT fk_bank_url_soc"),
        "constraint fk_bank_url_soc on llx_bank_url: expected FOREIGN KEY",
    ),
    "loses a default": (
        and_then("ALTER TABLE public.llx_bank_url ALTER visible DROP DEFAULT"),
        "column llx_bank_url.visible: expected",
    ),
    "changes one byte": (
        and_then(
            "UPDATE public.llx_societe SET nom = overlay(nom PLACING '!' FROM 3 FOR 1)"
            " WHERE rowid = (SELECT max(rowid) FROM public.llx_societe)"
        ),
        "rows llx_societe: expected 50 rows with hash",
    ),
    "rounds a number differently": (
        and_then(
            "ALTER TABLE public.llx_bank_url DISABLE TRIGGER USER;"
            " UPDATE public.llx_bank_url SET weight = (weight::text || '0')::numeric;"
            " ALTER TABLE public.llx_bank_url ENABLE TRIGGER USER"
        ),
        "rows llx_bank_url: expected",
    ),
}

# For a pg_dump that spoils what it writes: `$file` names it.
FIND_FILE = """
for argument in "$@"; do
    case "$argument" in --file=*) file=${argument#--file=} ;; esac
done
"""

SPOILT_DUMPS = {
    "is cut in half": (
        f"""{FIND_FILE}
"$real" "$@"
truncate -s "$(($(wc -c < "$file") / 2))" "$file"
""",
        "prod.dump cannot be relied on",
    ),
    "is garbage": (
        f'{FIND_FILE} yes garbage | head -n 1000 > "$file"',
        "prod.dump cannot be relied on",
    ),
    "is not written": ("exit 0", "prod.dump cannot be relied on"),
    "leaves out a table": (
        'exec "$real" --exclude-table=public.llx_bank_url "$@"',
        "no rows of 1 tables, llx_bank_url among them",
    ),
    "leaves out the rows of a table": (
        'exec "$real" --exclude-table-data=public.llx_bank_url "$@"',
        "no rows of 1 tables, llx_bank_url among them",
    ),
}


@pytest.mark.parametrize("fault", SPOILT_RESTORES)
def test_a_restore_that(
    fault: str, platform: LocalPlatform, settings: Settings, tmp_path: Path
) -> None:
    script, named = SPOILT_RESTORES[fault]
    faulty = with_faulty_pg_restore(settings, script, tmp_path)
    with prod_unchanged(settings):
        fails(
            1, lambda: refresh_from_prod(faulty, Silent()), named, "the sandbox holds golden copy"
        )
    assert_golden(settings)
    assert_nothing_left(platform)


@pytest.mark.parametrize("fault", SPOILT_DUMPS)
def test_a_dump_that(
    fault: str, platform: LocalPlatform, settings: Settings, tmp_path: Path
) -> None:
    script, named = SPOILT_DUMPS[fault]
    faulty = with_faulty_tool(settings, "pg_dump", script, tmp_path, where=DUMPS_PROD)
    with prod_unchanged(settings), sandbox_unchanged(settings):
        fails(1, lambda: refresh_from_prod(faulty, Silent()), named, "nothing has been wiped")
    assert_nothing_left(platform)


def test_what_the_way_back_fails_on_too_stays_incomplete_until_a_reset(
    platform: LocalPlatform, settings: Settings, tmp_path: Path
) -> None:
    faulty = with_faulty_tool(settings, "pg_restore", LOADS_NOTHING, tmp_path, where=LOADS_ANYTHING)
    with prod_unchanged(settings):
        fails(
            5,
            lambda: refresh_from_prod(faulty, Silent()),
            "could not be put back",
            "mend the cause",
        )
    assert content(settings) == "incomplete"
    fails(3, lambda: checkpoint(settings, Silent()), "marked incomplete", "reset")
    reset(settings, Silent())
    assert_golden(settings)
    assert_nothing_left(platform)


def test_what_an_extension_brought_is_neither_copied_nor_taken_for_a_stranger(
    settings: Settings, superuser: Callable[[str], psycopg.Connection[Any]]
) -> None:
    both = [superuser("erp"), superuser("erp-sandbox")]
    try:
        for database in both:
            database.execute("CREATE EXTENSION pg_trgm SCHEMA public")
        refresh_from_prod(settings, Silent())
    finally:
        for database in both:
            database.execute("DROP EXTENSION pg_trgm")


def test_a_table_that_went_to_another_login_is_named_and_refused_until_it_comes_home(
    platform: LocalPlatform,
    settings: Settings,
    superuser: Callable[[str], psycopg.Connection[Any]],
    tmp_path: Path,
) -> None:
    gives_away = and_then("SET ROLE NONE; ALTER TABLE public.llx_const OWNER TO SESSION_USER")
    faulty = with_faulty_pg_restore(settings, gives_away, tmp_path)
    login = Sandbox.of(settings).login.user
    with prod_unchanged(settings):
        # What is another's can neither be wiped nor loaded over.
        fails(5, lambda: refresh_from_prod(faulty, Silent()), f"relation llx_const of {login}")
    fails(3, lambda: reset(settings, Silent()), f"relation llx_const of {login}", "OWNER TO")
    assert content(settings) == "incomplete"
    superuser("erp-sandbox").execute("ALTER TABLE public.llx_const OWNER TO erp_sandbox_role")
    reset(settings, Silent())
    assert_golden(settings)
    assert_nothing_left(platform)
