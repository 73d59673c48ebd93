"""Statements put together as text: composed of its parts, one takes as long to send as to run."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterable


def rendered(template: sql.SQL, **parts: sql.Composable) -> sql.SQL:
    """The same as `template.format(**parts)`, as one piece."""
    texts = {name: part.as_string() for name, part in parts.items()}
    return sql.SQL(template.as_string().format(**texts))


def joined(separator: str, parts: Iterable[sql.Composable]) -> sql.SQL:
    """The same as `sql.SQL(separator).join(parts)`, as one piece."""
    return sql.SQL(separator.join(part.as_string() for part in parts))


@lru_cache(maxsize=10_000)
def name(*parts: str) -> sql.SQL:
    """The name of something in the database, quoted; as many parts as have a dot in between."""
    return sql.SQL(sql.Identifier(*parts).as_string())


@lru_cache(maxsize=10_000)
def text(value: str) -> sql.SQL:
    """A short text that will be needed again, quoted."""
    return sql.SQL(sql.Literal(value).as_string())
