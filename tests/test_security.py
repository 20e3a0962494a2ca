"""docs/security.md names a test for each threat, and each of them is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(tests/test_\w+\.py)::(test_\w+)`")


@cache
def defined(name: str) -> set[str]:
    """Return the tests of a file."""
    tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_each_test_that_is_named_is_there() -> None:
    """A test that is renamed or gone takes its threat's defence from the page."""
    named = NAMED.findall(TEXT)
    gone = [f"{file}::{test}" for file, test in named if test not in defined(file)]

    assert gone == []
    assert len(named) == TEXT.count("tests/test_") - TEXT.count("`tests/test_security")


def test_each_threat_has_a_test() -> None:
    """Every row of a table of threats names what shows its defence."""
    tables = re.findall(
        r"^\| threat \| test \|\n\|[-|]+\n((?:\|.*\n)+)", TEXT, re.MULTILINE
    )
    rows = [row for table in tables for row in table.splitlines()]

    assert [row for row in rows if not NAMED.search(row)] == []
    assert len(tables) == TEXT.count("| threat | test |")
