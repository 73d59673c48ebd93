"""A dump's table of contents: what is the environment's stays out, everything else goes in."""

from __future__ import annotations

from harness.postgres.dump import Contents

LINES = """\
9; 2615 2200 SCHEMA - public pg_database_owner
9600; 0 0 COMMENT - SCHEMA public pg_database_owner
9601; 0 0 ACL - SCHEMA public pg_database_owner
946; 1255 16394 FUNCTION public user_lookup(text) provisioner
9552; 0 0 ACL public FUNCTION user_lookup(i_username text, OUT uname text) provisioner
9553; 0 0 COMMENT public FUNCTION user_lookup(i_username text) provisioner
947; 1255 16395 FUNCTION public user_lookup_history(text) erp_role
948; 1255 16396 FUNCTION public unix_timestamp(timestamp without time zone) erp_role
215; 1259 16397 TABLE public llx_user_lookup erp_role
5001; 0 16397 TABLE DATA public llx_user_lookup erp_role
5002; 0 16398 TABLE DATA public a table with blanks erp_role
5003; 2618 16399 RULE public user_lookup(x) erp_role""".splitlines()


def test_the_schema_and_the_provisioners_functions_stay_out() -> None:
    kept = Contents(tuple(LINES)).without(["user_lookup"]).lines
    assert kept == tuple(LINES[6:])


def test_without_provisioners_functions_only_the_schema_stays_out() -> None:
    assert Contents(tuple(LINES)).without([]).lines == tuple(LINES[3:])


def test_a_functions_name_is_no_pattern() -> None:
    assert Contents(tuple(LINES)).without(["user.lookup"]).lines == tuple(LINES[3:])


def test_tables_are_those_whose_rows_are_there() -> None:
    assert Contents(tuple(LINES)).tables == {"llx_user_lookup", "a table with blanks"}
