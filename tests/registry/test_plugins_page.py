"""What docs/plugins.md shows can be pasted."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

import workspan as ws
from workspan.cli.main import main
from workspan.registry.table import GROUPS
from workspan.spec import write
from workspan.testing.scripted import ScriptedEngine
from workspan.testing.strategy_suite import chatter

PAGE = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_runs_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    strategy, suites, policy, check = blocks("python")
    (tmp_path / "mine.py").write_text(strategy + "\n\n" + check)
    monkeypatch.chdir(tmp_path)
    text = "best_of_n(n=2, verifier=mine.py:check)"
    for form in ("mine.py:Majority(n=3)", text):
        assert write(ws.parse_strategy(form, imports=True)) == form

    async def answered() -> ws.Result:
        strategy = ws.parse_strategy("mine.py:Majority(n=3)", imports=True)
        problem = ws.Problem.ask("What is 2 + 2?", kind="number")
        return await ws.run(strategy, problem, ScriptedEngine(chatter))

    result = anyio.run(answered)
    assert result.strategy == "mine.py:Majority(n=3)"
    assert len(result.answer.candidates) == 3
    exec(suites, {"Majority": type(ws.parse_strategy("mine.py:Majority", imports=True))})
    exec(policy, {"dataclass": dataclass, "__name__": __name__})
    with pytest.raises(SystemExit) as ended:
        main(["strategies", "mine.py:Majority", "--json"])
    assert ended.value.code == 0
    told = json.loads(capsys.readouterr().out)
    assert told["summary"] == "Draw n chains and take the most common answer."
    assert told["parameters"][0] == {
        "name": "n",
        "type": "int",
        "default": "8",
        "doc": "Chains drawn.",
    }


def test_its_entry_points_are_of_our_groups() -> None:
    (table,) = blocks("toml")
    groups = tomllib.loads(table)["project"]["entry-points"]
    assert set(groups) <= {f"workspan.{group}" for group in GROUPS}
