"""A sweep's file: what it may say, and what is said where it can't be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workspan.errors import DataError, InputError
from workspan.lab.sweeping.written import Sweep, read_sweep, sweep_of
from workspan.spec import write

LEAST: dict[str, Any] = {
    "strategies": ["single"],
    "budgets": ["1k work"],
    "tasks": ["demo"],
    "engines": [{"name": "a", "engine": "scripted"}],
}


def of(**more: Any) -> Sweep:
    return sweep_of(LEAST | more)


def test_a_table_of_a_strategy_stands_for_each_of_its_values() -> None:
    found = of(strategies=["single", {"of": "self_consistency(max_tokens=9)", "n": [1, 2]}])
    assert [write(one) for one in found.strategies] == [
        "single",
        "self_consistency(n=1, max_tokens=9)",
        "self_consistency(n=2, max_tokens=9)",
    ]
    both = of(strategies=[{"of": "grid", "breadth": [2, 4], "depth": [8, 16]}])
    assert len({write(one) for one in both.strategies}) == 4


def test_an_engine_has_its_own_tasks_and_efforts_or_the_sweeps() -> None:
    found = of(
        efforts=["low", "high"],
        engines=[
            {"name": "a", "engine": "http://h/v1", "set": {"context": 4096, "seed": False}},
            {"name": "b", "engine": "reasoner", "tasks": ["deep(d=2)"], "efforts": [""]},
            {"recording": "chains.parquet"},
        ],
    )
    first, second, third = found.engines
    assert (first.tasks, first.efforts) == (("demo",), ("low", "high"))
    assert first.settings == {"context": "4096", "seed": "false"}
    assert (second.tasks, second.efforts) == (("deep(d=2)",), ("",))
    assert (third.name, third.recording) == ("chains", "chains.parquet")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"budget": ["1k work"]}, "no key 'budget': did you mean 'budgets'"),
        ({"engines": [{"nam": "a"}]}, "no key 'nam': did you mean 'name'"),
        ({"engines": []}, "needs engines"),
        ({"strategies": []}, "needs strategies"),
        ({"budgets": []}, "needs budgets"),
        ({"strategies": ["singel"]}, "did you mean 'single'"),
        ({"strategies": ["single", "single()"]}, "'single' is given twice"),
        ({"strategies": [{"of": "single", "n": [1]}]}, "no parameter 'n'"),
        ({"strategies": [{"of": "single", "m": 1}]}, "known: max_tokens, temperature"),
        ({"strategies": [{"of": "self_consistency", "n": [0]}]}, "must be at least 1"),
        ({"strategies": ["single", {"of": "esc", "n": []}]}, r"n = \[\] leaves no strategy"),
        ({"budgets": ["1k wrok"]}, "did you mean 'work'"),
        ({"budgets": ["1k work", "1000 work"]}, "given twice"),
        ({"budgets": "1k work"}, "budgets is a list"),
        ({"seeds": [1.5]}, "seeds takes whole numbers"),
        ({"limit": 0}, "at least 1 problem"),
        ({"total": "9 span"}, "total limits work, calls, prefill and money"),
        ({"total": "60s"}, "total limits work, calls, prefill and money"),
        ({"name": "a\nb"}, "legible"),
        ({"tasks": []}, "which tasks for a"),
        ({"engines": [{"engine": "x", "recording": "y"}]}, "not both"),
        ({"engines": [{"name": "a", "set": {"effort": "low"}}]}, "stands in efforts"),
        ({"engines": [{"name": "a"}, {"name": "a"}]}, "'a' is given twice"),
        ({"efforts": ["-1k"]}, "an effort is one word.*'-1k'"),
        ({"efforts": ["1e3k"]}, "an effort is one word.*'1e3k'"),
        ({"efforts": ["low,,high"]}, "an effort is one word.*'low,,high'"),
        ({"efforts": ["low", "low"]}, "the effort 'low' is given twice"),
        ({"engines": [{"name": "a", "efforts": ["8k"]}]}, "words.*'8k'.*workspan which"),
    ],
)
def test_what_can_not_be_is_refused_with_what_can(more: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        of(**more)


def test_a_file_is_named_where_it_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text("strategies = [")
    with pytest.raises(DataError, match=r"plan.toml: is no TOML"):
        read_sweep(path)
    path.write_text("strategies = ['single']\nbudgets = ['1 wrk']\n[[engines]]\ntasks=['demo']")
    with pytest.raises(InputError, match=r"plan.toml: .*wrk"):
        read_sweep(path)
    with pytest.raises(InputError, match=r"missing\.toml"):
        read_sweep(tmp_path / "missing.toml")
