"""Each threat names a test, and each test file is named by a threat."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs" / "gateway-threats.md"
ROWS = [
    line.strip("|\n ").split(" | ")
    for line in PAGE.read_text().splitlines()
    if line.startswith("| ") and not line.startswith(("| threat", "| ---"))
]


def test_each_threat_has_a_guard_and_a_test_that_is_there() -> None:
    assert len(ROWS) > 15
    for threat, guard, tests in ROWS:
        assert threat
        assert guard
        named = re.findall(r"`([^`]+\.py)`", tests)
        assert named, threat
        for name in named:
            text = (HERE / name).read_text()
            assert "def test_" in text
            assert "assert" in text or "raises" in text, name


def test_each_file_of_tests_is_named() -> None:
    named = {name for row in ROWS for name in re.findall(r"`(test_[^`/]+\.py)`", row[2])}
    there = {path.name for path in HERE.glob("test_*.py")} - {Path(__file__).name}
    assert there == named
