"""`auto` reads the prompt: what its profile says of problems like this one is what it does."""

from __future__ import annotations

import random
from io import StringIO
from pathlib import Path

import anyio
import pytest
from rich.console import Console

from workspan.cli.explain import show
from workspan.core.journal import Journal
from workspan.data.budget import Budget
from workspan.data.explanation import PROMPT, Explanation
from workspan.data.types import Problem
from workspan.runner import Result, run
from workspan.strategies.auto.auto import Auto
from workspan.strategies.auto.fit.profile import Case, Profile, Record, write_profile
from workspan.strategies.auto.prompt_features import prompt_features
from workspan.testing.scripted import ScriptedEngine


def asked(words: int) -> Problem:
    return Problem.ask("word " * words + "?", kind="number")


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Short questions need 40 tokens; for long ones half of the tries are right at 8."""
    rng = random.Random(0)
    deep = Record((*range(4, 44, 4),), (*(9 * (-1,)), 0), ended=True)
    stuck = Record((*range(4, 104, 4),), (-1,) * 25, ended=False)
    short = Record((4, 8), (-1, 0), ended=True)
    cases = []
    for i in range(40):
        several = (short, stuck) if i % 2 else (deep, deep)
        chains = tuple(rng.choice(several) for _ in range(16))
        problem = asked((30, 90)[i % 2] + rng.randrange(-9, 10))
        cases.append(Case(chains, right=(0,), prompt_features=prompt_features(problem)))
    path = tmp_path_factory.mktemp("segments") / "profile.json"
    write_profile(Profile("simulated (no model)", "tokens", tuple(cases)), path)
    return path


def solve(words: int, profile: Path, journal: Journal | None = None) -> tuple[Result, int]:
    engine = ScriptedEngine(lambda _: "think " * 60)  # no chain comes to an answer
    auto = Auto(profile=str(profile), probe="", max_tokens=100)
    budget = Budget(work=48)
    result = anyio.run(lambda: run(auto, asked(words), engine, budget=budget, journal=journal))
    assert result.work == engine.billed.output_tokens <= 48
    return result, len(engine.requests)


def why(result: Result) -> Explanation:
    assert result.answer.why is not None
    return result.answer.why


def test_each_prompt_is_planned_for_as_its_like(profile: Path) -> None:
    (deep, _), (wide, _) = solve(30, profile), solve(90, profile)
    assert why(deep).chains == 1
    assert why(wide).chains == 6
    assert str(why(deep).steps[0].why[PROMPT]).startswith("characters up to")


def test_an_explanation_names_the_sign_once(profile: Path) -> None:
    console = Console(file=StringIO(), width=200)
    result, _ = solve(90, profile)
    show(why(result), console)
    assert isinstance(console.file, StringIO)
    shown = console.file.getvalue()
    assert shown.count("characters above") == 1
    assert "whose prompts are like this one: characters above" in shown


def test_a_resumed_run_asks_nothing_again(profile: Path) -> None:
    journal = Journal()
    first, calls = solve(90, profile, journal)
    engine = ScriptedEngine(lambda _: "never asked")
    auto = Auto(profile=str(profile), probe="", max_tokens=100)
    again = anyio.run(lambda: run(auto, asked(90), engine, budget=Budget(work=48), journal=journal))
    assert calls
    assert not engine.requests
    assert again.answer.why == first.answer.why
