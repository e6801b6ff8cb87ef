"""How much there is to read for a change: files and lines, by `docs/howto/change.md`.

A file counts whole, but for the section of a page and the table of a file of tables that are named.
Run with ``python -m benchmarks.reading``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
_OURS = "src/workspan/"


class Change(NamedTuple):
    """One kind of change."""

    read: tuple[str, ...]
    """Files; after a # a page's section, or the name of a table."""
    touched: int
    """Files, the changelog and tests included."""
    before: tuple[int, int]
    """Files and lines to read, as they were counted before the rooms were moved."""


CHANGES: Mapping[str, Change] = {
    "a strategy": Change(
        (
            "docs/plugins.md#A strategy",
            f"{_OURS}strategies/parallel/self_consistency.py",
            f"{_OURS}registry/_rows.py#_STRATEGIES",
        ),
        4,
        (10, 948),
    ),
    "a stop rule of auto": Change(
        (
            "docs/plugins.md#A rule of `auto`",
            f"{_OURS}strategies/auto/policies/state.py",
            f"{_OURS}strategies/auto/policies/stated.py",
            f"{_OURS}strategies/auto/fit/rules.py",
            "tests/strategies/auto/test_policy_suites.py",
        ),
        4,
        (17, 1797),
    ),
    "a field that an endpoint refuses": Change(
        (f"{_OURS}engines/endpoint/lessons.py", f"{_OURS}testing/faults/refusing.py"),
        3,
        (12, 2072),
    ),
    "a field that is asked otherwise": Change(
        (
            f"{_OURS}engines/endpoint/lessons.py",
            f"{_OURS}testing/faults/refusing.py",
            f"{_OURS}engines/endpoint/dialect.py",
        ),
        4,
        (12, 2072),
    ),
    "a setting of endpoints": Change(
        (
            f"{_OURS}engines/endpoint/lessons.py",
            f"{_OURS}engines/endpoint/dialect.py",
            f"{_OURS}engines/endpoint/engine.py",
            f"{_OURS}engines/settings.py",
        ),
        6,
        (12, 2072),
    ),
    "a journal field": Change(
        (
            "docs/design.md#Journals",
            f"{_OURS}data/entry.py",
            f"{_OURS}core/attempt.py",
            f"{_OURS}core/journal.py",
        ),
        4,
        (8, 1519),
    ),
}


def lines(name: str) -> int:
    """Count the lines of a file, of a page's section or of a table."""
    path, _, part = name.partition("#")
    text = (ROOT / path).read_text().splitlines()
    if not part:
        return len(text)
    is_page = path.endswith(".md")
    starts = re.compile(r"## " if is_page else r"\S.* = |\S.*: .* = ")
    begins = [i for i, line in enumerate(text) if starts.match(line)]
    head = f"## {part}" if is_page else part
    for first, after in pairwise([*begins, len(text)]):
        if text[first].startswith(head):
            return after - first
    raise SystemExit(f"{path} has no {part}")


def table() -> list[str]:
    """Return the rows of a table in Markdown."""
    rows = ["| change | read: files, lines | before | ratio | touched |", "|---|---|---|---|---|"]
    for name, one in CHANGES.items():
        n, total = len(one.read), sum(map(lines, one.read))
        files, held = one.before
        ratio = f"{n / files:.2f}, {total / held:.2f}"
        told = f"{n}, {total:,} | {files}, {held:,} | {ratio} | {one.touched}"
        rows.append(f"| {name} | {told} |")
    return rows


if __name__ == "__main__":
    print("\n".join(table()))
