"""Same seeds, same answers and accounts as the build that was recorded, over every example."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import same_as_before

BEFORE: dict[str, Any] = json.loads(
    (Path(__file__).parent / "recorded" / "same_as_before.json").read_text()
)
EXAMPLES = list(dict.fromkeys(name.rsplit(" | ", 2)[0] for name in BEFORE["runs"]))


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_does_what_it_did(example: str) -> None:
    for budget in same_as_before.BUDGETS:
        for seed in same_as_before.SEEDS:
            now = json.loads(json.dumps(same_as_before.one(example, budget, seed)))
            assert now == BEFORE["runs"][f"{example} | {budget} | {seed}"]


def test_a_comparison_does_what_it_did() -> None:
    assert json.loads(json.dumps(same_as_before.compared())) == BEFORE["compared"]
