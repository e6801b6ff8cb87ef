"""The names of this project's other distributions: said to be missing, and nobody else's."""

from __future__ import annotations

import importlib.metadata
import json
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from typer.testing import CliRunner

from workspan.claims import names
from workspan.cli.main import app
from workspan.errors import MissingDependency, PluginError
from workspan.registry import table as registry
from workspan.registry._rows import OFFICIAL, ROWS
from workspan.registry.table import GROUPS, table
from workspan.spec import parse_strategy, parse_verifier
from workspan.spec.engines import open_engine
from workspan.tasks import open_tasks

ROOT = Path(__file__).parents[2]


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hide this project's other distributions, as where none of them is installed."""
    found: Any = importlib.metadata.entry_points

    def others(**asked: Any) -> list[Any]:
        return [one for one in found(**asked) if one.dist and one.dist.name not in OFFICIAL]

    monkeypatch.setattr(importlib.metadata, "entry_points", others)
    registry._scan.cache_clear()
    yield
    registry._scan.cache_clear()


def test_the_names_are_those_of_the_distribution() -> None:
    project = tomllib.loads((ROOT / "evidence" / "pyproject.toml").read_text())["project"]
    brought = project["entry-points"]
    assert {f"workspan.{group}" for group in OFFICIAL["workspan-evidence"]} == {*brought}
    for group, known in OFFICIAL["workspan-evidence"].items():
        assert [*known] == [*brought[f"workspan.{group}"]]
        assert not {*known} & {*ROWS[group]}
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == ours["version"]
    assert any(f"=={ours['version']}" in one for one in project["dependencies"])


ASKED: list[tuple[str, Callable[[], object]]] = [
    ("the engine reasoner", lambda: anyio.run(open_engine, "reasoner")),
    ("the engine reasoner", lambda: anyio.run(open_engine, "reasoner:graphs")),
    ("the engine reasoner", lambda: anyio.run(open_engine, "reasoner(model='graphs')")),
    ("the task set deep", lambda: open_tasks("deep(d=6)")),
    ("the verifier walk", lambda: parse_verifier("walk")),
    ("the verifier walk", lambda: parse_strategy("best_of_n(n=2, verifier=walk)")),
    ("the claim long_chain", lambda: table("claims").find("long_chain")),
]


@pytest.mark.parametrize(("what", "asked"), ASKED)
@pytest.mark.usefixtures("alone")
def test_one_that_is_missing_is_said_to_be_in_one_line(
    what: str, asked: Callable[[], object]
) -> None:
    with pytest.raises(MissingDependency) as error:
        asked()
    said = f"{what} comes with workspan-evidence: pip install workspan-evidence"
    assert str(error.value) == said


@pytest.mark.usefixtures("alone")
def test_claims_without_it_are_those_that_judge_any_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(names()) == len(ROWS["claims"]) == 9
    assert set(table("claims").absent) == {*OFFICIAL["workspan-evidence"]["claims"]}
    some = ("retrieval_chains", "natural_chain")
    monkeypatch.setattr("workspan.cli.claims.all_names", lambda: some)
    monkeypatch.setattr("workspan.claims.base.Setting.size", lambda *_: 4)
    done = CliRunner().invoke(app, ["claims", "--engine", "scripted", "--json"])
    assert done.exit_code == 0, done.output
    assert [json.loads(line)["name"] for line in done.stdout.splitlines()] == [*some]
    done = CliRunner().invoke(app, ["claims", "retrieval_chains"])
    assert isinstance(done.exception, MissingDependency)
    assert "the engine simulated_searcher comes with" in str(done.exception)
    monkeypatch.setattr("workspan.cli.claims.all_names", lambda: ("retrieval_chains",))
    assert isinstance(CliRunner().invoke(app, ["claims"]).exception, MissingDependency)


def test_what_lacks_a_part_is_left_out_and_said_where_none_was_named(
    alone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "workspan.cli.claims.all_names", lambda: ("connectivity_english", "natural_chain")
    )
    monkeypatch.setattr("workspan.claims.base.Setting.size", lambda *_: 4)
    done = CliRunner().invoke(app, ["claims", "--engine", "scripted", "--json"])
    assert done.exit_code == 0, done.output
    assert [json.loads(line)["name"] for line in done.stdout.splitlines()] == ["natural_chain"]
    assert "left out, connectivity_english: the task set deep comes with" in done.stderr


@pytest.mark.parametrize("hidden", [True, False])
def test_nobody_else_takes_its_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, hidden: bool
) -> None:
    info = tmp_path / "stranger-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[workspan.engines]\nreasoner = stranger:Mine\n")
    monkeypatch.syspath_prepend(tmp_path)
    if hidden:
        request.getfixturevalue("alone")
    said = "'reasoner' of stranger 1.0 is left out: the name is workspan-evidence's"
    (why,) = table("engines").refused
    assert said in why
    if hidden:
        with pytest.raises(PluginError, match=said):
            table("engines").find("reasoner")
    else:
        row = table("engines").find("reasoner")
        assert (row.project, row.is_official, row.is_ours) == ("workspan-evidence", True, False)


def test_claims_without_numbers_are_said_to_need_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("workspan.claims.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "numpy", None)
    monkeypatch.setattr("workspan.cli.claims.all_names", lambda: ("natural_chain",))
    for asked in (["claims"], ["claims", "natural_chain"]):
        done = CliRunner().invoke(app, asked)
        assert isinstance(done.exception, MissingDependency)
        assert "pip install 'workspan[all]'" in str(done.exception)


def test_every_group_that_it_brings_to_is_one() -> None:
    assert {group for groups in OFFICIAL.values() for group in groups} <= {*GROUPS}
