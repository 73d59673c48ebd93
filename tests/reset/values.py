"""Types of columns, and values that are easily taken for one another, or for something else.

A value is an SQL expression. Few of each, so that rows meet: in a unique index, or as equal rows.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st
from psycopg import sql

NULL = "NULL"
# Longer than a page can hold, and of digits that compress badly: out of line it goes.
LONG_TEXT = "(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 300) AS i)"
LONGER_TEXT = "(SELECT string_agg(md5(i::text), '') FROM generate_series(2, 301) AS i)"

_TEXTS = (
    "", " ", "a", "A", "b", "\\N", "\\.", "\t", "a\r\nb", "'", '"', "\\", "%s", "{}", "NULL",
    "$$", "$body$", "🧾 ☕", "é", "e\u0301", "(1,2)", "-- x", "/*", "x" * 2000,
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A type of column.

    Args:
        name: The type, in SQL.
        values: Expressions of it, NULL aside.
        key: Whether it can be a key.
    """

    name: str
    values: st.SearchStrategy[str]
    key: bool = False

    @property
    def nullable(self) -> st.SearchStrategy[str]:
        """Its expressions, NULL among them."""
        return st.one_of(self.values, self.values, self.values, st.just(NULL))


def quoted(text: str) -> str:
    """The text as a literal."""
    return sql.Literal(text).as_string(None)


def _of(name: str, *texts: str, key: bool = False) -> Kind:
    literals = [f"{quoted(text)}::{name}" for text in texts]
    return Kind(name, st.sampled_from(literals), key=key)


_any_text = st.text(
    st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), max_size=6
)
TEXT = Kind(
    "text",
    st.one_of(
        st.sampled_from([quoted(text) for text in _TEXTS]),
        st.sampled_from([quoted(text) for text in _TEXTS]),
        _any_text.map(quoted),
        st.sampled_from([LONG_TEXT, LONGER_TEXT]),
    ),
)
KEY_TEXT = Kind("text", st.sampled_from([quoted(text) for text in _TEXTS[:16]]), key=True)
INTEGER = Kind("integer", st.integers(1, 12).map(str), key=True)

KINDS = (
    INTEGER,
    TEXT,
    TEXT,
    KEY_TEXT,
    _of("bigint", "-9223372036854775808", "9223372036854775807", "1", "2", "3", key=True),
    _of("numeric", "1", "1.0", "1.00", "0", "-0.5", "NaN", "Infinity", "1e40", "2", key=True),
    _of("numeric(12,2)", "1", "2.50", "-3.33", "0", key=True),
    _of("real", "0", "-0", "0.1", "1e-40", "NaN", "Infinity", "16777217"),
    _of("double precision", "0", "-0", "0.1", "1e-300", "NaN", "-Infinity", "0.30000000000000004"),
    _of("boolean", "true", "false"),
    _of("point", "(0,0)", "(-0,0)", "(1.5,2)", "(1e-9,0)"),
    _of("json", "{}", '{"a": 1}', '{"a":1}', '{"a": 1, "a": 2}', "[]", '"\\\\N"', "null"),
    _of("jsonb", "{}", '{"a": 1}', '{"a": 1.0}', '{"b": [1, null]}', '"x"', "null"),
    _of("bytea", "\\x", "\\x00", "\\x5c4e", "\\xff00ff", key=True),
    _of(
        "timestamp with time zone",
        "2024-02-29 12:00:00.000001+00", "infinity", "2024-03-31 02:30:00+02", "epoch",
        "0044-03-15 12:00+00 BC",
        key=True,
    ),
    _of("date", "2024-02-29", "infinity", "0001-01-01", "9999-12-31", key=True),
    _of("interval", "1 day", "24:00", "1 mon", "30 days", "-1 s"),
    _of("uuid", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-4fff-bfff-ffffffffffff",
        "3c014f96-11f5-4819-917f-cdf215e4137b", key=True),
    _of("integer[]", "{}", "{1,NULL,2}", "{{1,2},{3,4}}", "[0:1]={1,2}"),
    _of("text[]", "{}", '{"",NULL,"NULL","a\\"b\\\\"}', '{"🧾"}'),
    _of("character varying(20)", "", "a", "a ", "\\N", key=True),
    _of("character(4)", "", "a", "ab  ", "\t"),
    _of("inet", "10.0.0.1", "10.0.0.1/8", "::1"),
    _of("bit varying", "", "0", "101"),
    _of("tsvector", "a:1", "a:2 b:1", ""),
    _of("int4range", "empty", "[1,3)", "(,)"),
    _of("public.mood", "good", "bad", "o'k", key=True),
    _of("public.positive", "1", "2", "3"),
    _of("public.pair", "(1,a)", "(,)", '(2,"\\"")'),
)  # fmt: skip
KEYS = tuple(kind for kind in KINDS if kind.key)

TYPES = """
CREATE TYPE public.mood AS ENUM ('bad', 'good', 'o''k');
CREATE DOMAIN public.positive AS integer CHECK (VALUE > 0);
CREATE TYPE public.pair AS (a integer, b text);
"""
