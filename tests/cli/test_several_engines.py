"""Several engines in one command: how they are written, named, closed and kept apart."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
from typer.testing import CliRunner

from workspan.app.engines import Opened, open_engines
from workspan.cli.main import app
from workspan.data.types import Problem
from workspan.errors import InputError, SpecError
from workspan.runner import run_sync
from workspan.strategies.parallel.mixture_of_agents import MixtureOfAgents
from workspan.testing.scripted import ScriptedEngine

ROWS = [{"id": f"p{i}", "question": "What is 2 + 2?", "answer": "4"} for i in range(3)]


@pytest.fixture
def problems(tmp_path: Path) -> Path:
    path = tmp_path / "problems.jsonl"
    path.write_text("".join(json.dumps({**row, "kind": "number"}) + "\n" for row in ROWS))
    return path


def workspan(*arguments: str | Path) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [*map(str, arguments)])
    return done.exit_code, done.stdout, str(done.exception or "")


def test_the_one_without_a_name_is_the_runs_own() -> None:
    opened = anyio.run(open_engines, ["a=scripted", "scripted", "b=scripted"])
    assert list(opened.engines) == ["a", "b"]
    assert opened.identity == (
        "scripted simulated (no model), "
        "a=scripted simulated (no model), b=scripted simulated (no model)"
    )


def test_an_address_with_an_equals_sign_is_no_name() -> None:
    with pytest.raises(InputError, match="an endpoint's address"):
        anyio.run(open_engines, ["http://127.0.0.1:9/v1?key=x"])


@pytest.mark.parametrize(
    ("engines", "models", "prices", "said"),
    [
        (["scripted", "scripted"], [], [], "a second one without a name"),
        (["scripted", "a=scripted", "a=scripted"], [], [], "'a' is given twice"),
        (["scripted"], ["b=qwen"], [], "no engine is named 'b'"),
        (["scripted"], [], ["b=1/2"], "no engine is named 'b'"),
        (["scripted", "a=scriptid"], [], [], "did you mean 'scripted'?"),
        (["scripted"], [], ["cheap"], "0.15/0.60"),
    ],
)
def test_what_does_not_fit_is_refused(
    engines: list[str], models: list[str], prices: list[str], said: str
) -> None:
    with pytest.raises(SpecError, match=said.replace("?", r"\?")):
        anyio.run(open_engines, engines, models, prices)


@dataclass
class Closing(ScriptedEngine):
    """Counts how often it is closed; may break while closing."""

    closed: int = 0
    breaks: bool = False

    async def aclose(self) -> None:
        self.closed += 1
        if self.breaks:
            raise OSError("cannot close")


def test_every_engine_is_closed_even_where_one_breaks() -> None:
    own, further = Closing([]), Closing([], breaks=True)
    with pytest.raises(OSError, match="cannot close"):
        anyio.run(Opened(own, {"a": further}).aclose)
    assert (own.closed, further.closed) == (1, 1)


def test_run_sync_takes_further_engines_and_closes_them() -> None:
    own, further = Closing(["Answer: 3"]), Closing(["Answer: 4"])
    result = run_sync(
        MixtureOfAgents(n=1, layers=2, engine="b"),
        Problem.ask("2 + 2?", kind="number"),
        own,
        engines={"b": further},
    )
    assert result.answer.text == "4"
    assert (own.closed, further.closed) == (1, 1)


def test_an_open_question_is_asked_as_it_is() -> None:
    _, out, _ = workspan(
        "solve", "Go.", "-e", "scripted", "--kind", "open", "-s", "single", "--json"
    )
    assert json.loads(out)["prefill"] == 1


def test_solve_names_the_models_of_all_engines() -> None:
    code, out, _ = workspan(
        "solve", "2 + 2?", "-e", "scripted", "-e", "b=scripted", "--kind", "number", "--json",
        "--strategy", "single",
    )  # fmt: skip
    assert code == 0
    assert json.loads(out)["engines"] == {"b": "scripted simulated (no model)"}


def test_a_journal_belongs_to_all_engines_of_its_runs(problems: Path, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    command: list[str | Path] = [
        "compare",
        "--input",
        problems,
        "-s",
        "single",
        "--json",
        "--journal",
        journal,
    ]
    code, first, _ = workspan(*command, "-e", "scripted", "-e", "b=scripted")
    assert code == 0
    assert json.loads(first)["engines"] == {"b": "scripted simulated (no model)"}
    assert workspan(*command, "-e", "scripted", "-e", "b=scripted")[1] == first
    code, _, said = workspan(*command, "-e", "scripted")
    assert code != 0
    assert "b=scripted" in said


def test_a_dry_run_rehearses_with_the_further_engines(problems: Path) -> None:
    code, out, _ = workspan(
        "compare", "--input", problems, "-s", "single", "--dry-run", "--json",
        "-e", "scripted", "-e", "b=scripted",
    )  # fmt: skip
    assert code == 0
    assert json.loads(out.splitlines()[0])["calls"] == {"low": 3, "high": 3}
