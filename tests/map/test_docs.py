"""The docs' map is what the command makes of its file of verdicts."""

from __future__ import annotations

from pathlib import Path

import pytest

from workspan.lab.map.gathered import gather
from workspan.lab.map.page import render

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "results"


def test_the_page_and_the_map_are_those_of_the_verdicts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.map_page import page, read

    found = gather(read(RESULTS / "verdicts.jsonl"))
    again = "run python -m benchmarks.map_page docs/results/verdicts.jsonl"
    assert (RESULTS / "map.md").read_text() == page(found, "verdicts.jsonl"), again
    drawn = (RESULTS / "evidence_map.html").read_text()
    assert drawn == render(found), again
    assert "on 14 models and 3 programs" in drawn  # a program is none


def test_every_idea_was_measured_but_on_what_no_recording_tells(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.map_page import read

    found = gather(read(RESULTS / "verdicts.jsonl"))
    gaps = {(row.idea, row.kind) for row in found.rows if row.verdict == "not measured"}
    assert gaps <= {
        ("effort", "reasoner"),
        ("evolution", "model"),
        ("retrieval", "model"),
        ("training_format", "model"),
    }
