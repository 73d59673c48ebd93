"""Scripts of the dump programs are cut into statements, and nothing in quotes cuts them."""

from __future__ import annotations

import pytest

from harness.integrity.twin.script import statements


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("CREATE ROLE a;\nALTER ROLE a LOGIN;\n", ["CREATE ROLE a", "ALTER ROLE a LOGIN"]),
        ("-- CREATE ROLE b;\nCREATE ROLE a;", ["CREATE ROLE a"]),
        ("\\restrict x;y\nCREATE ROLE a;\n\\unrestrict x\n", ["CREATE ROLE a"]),
        ("SET a TO 'it''s; --\n\\connect\n';", ["SET a TO 'it''s; --\n\\connect\n'"]),
        ("COMMENT ON ROLE a IS E'\\';\\\\';", ["COMMENT ON ROLE a IS E'\\';\\\\'"]),
        ("COMMENT ON ROLE a IS 'ends with\\';", ["COMMENT ON ROLE a IS 'ends with\\'"]),
        ('CREATE ROLE "a""; --\n";', ['CREATE ROLE "a""; --\n"']),
        ("SET \"e\" TO '';SET a TO '';", ["SET \"e\" TO ''", "SET a TO ''"]),
        ("\n;;\n", []),
    ],
)  # fmt: skip
def test_statements(script: str, expected: list[str]) -> None:
    assert list(statements(script)) == expected
