"""Benchmarks by name: from a file first, from the hub else, and gated ones from a file alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from workspan.errors import DataError, SpecError
from workspan.tasks import open_tasks
from workspan.tasks.benchmarks import FOLDER, Benchmark


def of(spec: str) -> Benchmark:
    found = open_tasks(spec)
    assert isinstance(found, Benchmark)
    return found


def rows(path: Path, *tasks: str) -> None:
    told = (
        {"id": f"{task}/{i}", "question": f"What is {i}?", "answer": str(i), "task": task}
        for task in tasks
        for i in range(4)
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in told))


def test_each_name_stands_for_the_hubs_data_set() -> None:
    assert of("gsm8k").sets == ("hf:openai/gsm8k:main:test",)
    assert len(of("bbh").sets) == 27
    assert of("bbh(subset='navigate')").sets == ("hf:lukaemon/bbh:navigate:test",)
    assert of("aime(year=2025)").sets == ("hf:MathArena/aime_2025:train",)
    assert len(of("aime").sets) == 2


def test_a_file_of_that_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    rows(tmp_path / "gsm8k.jsonl", "gsm8k")
    assert len(of("gsm8k").load()) == 4
    own = tmp_path / "other.jsonl"
    rows(own, "a", "b")
    assert len(of(f"gsm8k(file={str(own)!r})").load()) == 8
    assert len(of(f"gsm8k(file={str(own)!r})").load(3, 1)) == 3


def test_a_subset_is_chosen_by_the_task_of_the_row(tmp_path: Path) -> None:
    path = tmp_path / "bbh.jsonl"
    rows(path, "bbh_navigate", "bbh_snarks")
    found = of(f"bbh(subset='snarks', file={str(path)!r})").load()
    assert [task.problem.id for task in found] == [f"bbh_snarks/{i}" for i in range(4)]
    with pytest.raises(DataError, match="no row is of the task 'hyperbaton'"):
        of(f"bbh(subset='hyperbaton', file={str(path)!r})").load()


def test_what_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER, raising=False)
    with pytest.raises(SpecError, match="no subset 'naviagte': did you mean 'navigate'"):
        of("bbh(subset='naviagte')")
    with pytest.raises(SpecError, match="years 2024, 2025, not 1999"):
        of("aime(year=1999)")
    with pytest.raises(DataError, match="behind a gate"):
        of("gpqa_diamond").load()
