"""Mind Evolution: its counts, its prompts, its switches, its ring."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import anyio
import pytest

from workspan.core.engine import Capability
from workspan.core.session import Score, Session
from workspan.data.budget import Budget
from workspan.data.types import Candidate, Problem, Request
from workspan.errors import EngineRejected
from workspan.runner import Result, run
from workspan.strategies.evolutionary.conversation import AUTHOR, Conversation
from workspan.strategies.evolutionary.mind_evolution import MindEvolution
from workspan.testing.scripted import FaultyEngine, ScriptedEngine

PROBLEM = Problem.ask("Write a number as near to 100 as you can.", kind="open")


@dataclass(frozen=True)
class Near:
    """The nearer to 100, the better: a real evaluator of a toy problem."""

    passing: bool = True
    requires: ClassVar[frozenset[Capability]] = frozenset()

    async def __call__(self, problem: Problem, candidate: Candidate, session: Session) -> Score:
        found = re.search(r"\d+", candidate.answer or "")
        if found is None:
            return Score(0.0, "No number could be read.")
        away = abs(100 - int(found[0]))
        if not away and not self.passing:
            away = 1
        return Score(1 / (1 + away), "right" if not away else f"{away} away from 100")


def climber(request: Request) -> str:
    """Start anywhere; go a tenth of the way that the feedback tells (a simulated author)."""
    text = request.prompt[-1].text
    shown = re.findall(r"Solution \d+ \([^)]*\):\n(\d+)", text)
    if not shown:
        return str(request.seed % 60)
    best = max(int(number) for number in shown)
    return f"The critic: too low.\n{AUTHOR}\n{min(100, best + 10)}"


def solve(
    strategy: MindEvolution,
    engine: ScriptedEngine | None = None,
    script: Callable[[Request], str] = climber,
    budget: str = "",
) -> tuple[Result, ScriptedEngine]:
    engine = engine or ScriptedEngine(script)
    limits = Budget.parse(budget) if budget else None
    return anyio.run(lambda: run(strategy, PROBLEM, engine, budget=limits)), engine


def test_the_defaults_are_those_of_table_1_and_make_800_candidates_at_most() -> None:
    result, _ = solve(MindEvolution(Near(passing=False), model_reset=False))
    assert len(result.answer.candidates) == 800
    assert result.usage.calls == 800


def test_a_model_that_chooses_the_elites_is_asked_once_a_reset() -> None:
    result, engine = solve(MindEvolution(Near(passing=False)), script=lambda r: str(r.seed % 99))
    chosen = [r for r in engine.requests if "Choose 5" in r.prompt[-1].text]
    assert len(chosen) == 3  # before generations 3, 6 and 9 of 10
    assert result.usage.calls == 803
    assert len(re.findall(r"Solution \d+ \(", chosen[0].prompt[-1].text)) == 15


def test_it_climbs_by_feedback_and_stops_as_soon_as_one_passes() -> None:
    result, engine = solve(MindEvolution(Near()))
    assert result.answer.text == "100"
    assert result.usage.calls < 200
    assert any("away from 100" in r.prompt[-1].text for r in engine.requests)


def test_parents_come_with_score_and_feedback_and_the_critic_speaks_first() -> None:
    _, engine = solve(MindEvolution(Near(), questions="Is it near?"))
    text = next(r for r in engine.requests if len(r.prompt) > 1).prompt[-1].text
    assert "of 1):" in text
    assert "The evaluator says: " in text
    assert text.index("Is it near?") < text.index("critic")


@pytest.mark.parametrize(
    ("switch", "gone"), [("critic", "critic"), ("feedback", "The evaluator says:")]
)
def test_each_switch_takes_its_part_out_of_the_prompt(switch: str, gone: str) -> None:
    _, engine = solve(replace(MindEvolution(Near(), generations=2), **{switch: False}))  # type: ignore[arg-type]
    asked = [r.prompt[-1].text for r in engine.requests if len(r.prompt) > 1]
    assert asked
    assert not any(gone in text for text in asked)


def test_a_solution_that_cannot_be_read_is_asked_for_again_and_never_breeds() -> None:
    result, engine = solve(
        MindEvolution(Near(), generations=1, islands=1, conversations=2, turns=2, retries=3),
        script=lambda _: "no idea",
    )
    assert result.usage.calls == 2 * 2 * 3
    assert all(len(request.prompt) == 1 for request in engine.requests)
    assert result.answer.best is not None


def test_one_failing_conversation_leaves_the_others() -> None:
    engine = FaultyEngine(climber, faults={2: (0, EngineRejected("bad request"))})
    result, _ = solve(MindEvolution(Near()), engine)
    assert result.answer.text == "100"
    assert result.failures == 1


def test_a_budget_that_ends_in_mid_generation_gives_the_best_so_far() -> None:
    result, _ = solve(MindEvolution(Near(passing=False)), budget="60 calls")
    assert result.usage.calls == 60
    assert result.answer.best is not None
    scores = [c.score or 0 for c in result.answer.candidates]
    assert result.answer.best.score == max(scores)


def test_span_is_the_turns_of_islands_one_after_another() -> None:
    strategy = MindEvolution(
        Near(passing=False), generations=2, islands=3, turns=2, conversations=4, emigrants=1
    )
    result, _ = solve(strategy, script=lambda _: "7")
    assert (result.work, result.span) == (2 * 3 * 2 * 4, 2 * 3 * 2)


def test_the_conversation_shows_every_parent_once() -> None:
    talk = Conversation(PROBLEM, Near(), Request(PROBLEM.prompt), 1, True, True, "")
    parents = [Candidate("a", "12", 0.5, "low"), Candidate("b", "30", 0.7, "better")]
    text = talk.prompt(parents)[-1].text
    assert text.count("Solution ") == 2
    assert text.index("12") < text.index("30")
