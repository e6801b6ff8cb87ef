"""AB-MCTS, MCTS and best-first search over whole answers, on a simulated model with known skill."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

import anyio
import pytest

from workspan.data.budget import Budget
from workspan.data.types import Problem, Request
from workspan.errors import EngineUnavailable, SpecError
from workspan.runner import Result, run
from workspan.spec import parse_strategy
from workspan.testing.scripted import FaultyEngine, ScriptedEngine

PROBLEM = Problem.ask("Name a good number.", kind="number")
TREES = ["ab_mcts(n={n})", "mcts(n={n})", "best_first(n={n})"]
trees = pytest.mark.parametrize("spec", TREES)


def solve(
    spec: str,
    engine: ScriptedEngine,
    budget: str | None = None,
    seed: int = 0,
    engines: Mapping[str, ScriptedEngine] | None = None,
) -> Result:
    limits = Budget.parse(budget) if budget else None
    strategy = parse_strategy(spec)
    result = anyio.run(
        lambda: run(strategy, PROBLEM, engine, budget=limits, seed=seed, engines=engines)
    )
    everywhere = [engine, *(engines or {}).values()]
    assert result.work == sum(one.billed.output_tokens for one in everywhere)
    return result


@dataclass
class Simulated:
    """A simulated model: drafts are worth 2 to 4 of 10, an improvement `gain` more or less."""

    gain: int
    seed: int = 0
    top: int = 10
    drafts: int = 0
    improvements: int = 0
    rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    def __call__(self, request: Request) -> str:
        last = request.prompt[-1].text
        if "from 0 (certainly wrong)" in last:
            return request.prompt[-2].text.split()[-1]
        if "A check gave" in last:
            self.improvements += 1
            worth = int(request.prompt[-2].text.split()[-1]) + self.gain
        else:
            self.drafts += 1
            worth = self.rng.randint(2, 4)
        return f"Answer: {min(self.top, max(0, worth))}"


def searched(spec: str, gain: int, top: int = 10) -> list[tuple[Result, Simulated]]:
    runs = []
    for seed in range(8):
        model = Simulated(gain, seed, top)
        runs.append((solve(spec, ScriptedEngine(model), seed=seed), model))
    return runs


def test_where_improving_helps_ab_mcts_goes_deeper_and_where_it_harms_wider() -> None:
    helped = searched("ab_mcts(n=24, batch=1)", gain=1, top=9)
    harmed = searched("ab_mcts(n=24, batch=1)", gain=-2)
    assert sum(m.improvements for _, m in helped) > 2 * sum(m.drafts for _, m in helped)
    assert sum(m.drafts for _, m in harmed) > 2 * sum(m.drafts for _, m in helped)


@trees
def test_improving_beats_drafts_alone_where_it_helps(spec: str) -> None:
    def worth(runs: list[tuple[Result, Simulated]]) -> float:
        return sum(float(result.answer.text or 0) for result, _ in runs)

    assert worth(searched(spec.format(n=16), gain=2, top=9)) > worth(
        searched("best_of_n(n=16)", gain=2)
    )


@trees
def test_a_pass_ends_the_search(spec: str) -> None:
    for result, model in searched(spec.format(n=60), gain=4):
        assert result.answer.text == "10"
        assert result.answer.best is not None
        assert result.answer.best.score == 1.0
        assert model.drafts + model.improvements < 40


@trees
@pytest.mark.parametrize("budget", ["2 work", "19 work", "7 span", "5 calls", "1 wide, 30 work"])
def test_a_budget_that_ends_mid_search_still_answers(spec: str, budget: str) -> None:
    result = solve(spec.format(n=40), ScriptedEngine(Simulated(0)), budget)
    assert result.answer.text in {"2", "3", "4"}
    assert result.stop != "done"


@trees
def test_without_a_verdict_there_are_no_nodes_and_the_votes_decide(spec: str) -> None:
    texts = iter(["7", "8", "8", "8"])

    def shy(request: Request) -> str:
        rating = "from 0 (certainly wrong)" in request.prompt[-1].text
        return "hard to say" if rating else f"Answer: {next(texts)}"

    engine = ScriptedEngine(shy)
    result = solve(spec.format(n=4), engine)
    assert result.answer.text == "8"
    assert not any("A check gave" in r.prompt[-1].text for r in engine.requests)


@trees
def test_a_text_without_an_answer_scores_0_unasked_and_is_improved_on(spec: str) -> None:
    def lost(request: Request) -> str:
        if "from 0 (certainly wrong)" in request.prompt[-1].text:
            return "9"
        return "Answer: 5" if "could be read" in request.prompt[-1].text else "I am lost"

    engine = ScriptedEngine(lost)
    result = solve(spec.format(n=40), engine)
    assert result.answer.text == "5"
    texts = [r.prompt[-2].text for r in engine.requests if r.max_tokens == 8]
    assert texts == ["Answer: 5 "] * len(texts)


@trees
def test_a_failed_call_is_one_try_less(spec: str) -> None:
    down = {0: (0, EngineUnavailable("down"))}
    result = solve(spec.format(n=8), FaultyEngine(Simulated(1), faults=down))
    assert result.failures == 1
    assert len(result.answer.candidates) == 7


@trees
def test_when_every_call_fails_the_failure_is_raised(spec: str) -> None:
    down = {i: (0, EngineUnavailable("down")) for i in range(100)}
    with pytest.raises(EngineUnavailable):
        solve(spec.format(n=8), FaultyEngine(Simulated(1), faults=down))


def test_an_improvement_sees_the_answer_and_what_its_check_said() -> None:
    texts = iter(["Answer: 3", "3", "Answer: 4", "4"])
    engine = ScriptedEngine(lambda _: next(texts))
    solve("best_first(n=2, children=1)", engine)
    question, answer, wish = engine.requests[2].prompt
    assert (question, answer.text) == (PROBLEM.prompt[0], "Answer: 3 ")
    assert wish.text.startswith("A check gave this answer 0.30 of 1. 3\nFind what is wrong")


def test_best_first_and_mcts_draw_a_nodes_children_side_by_side() -> None:
    for spec in ("best_first(n=8, children=4)", "mcts(n=8, children=4)"):
        engine = ScriptedEngine(Simulated(1))
        result = solve(spec, engine)
        assert engine.widest == 4
        assert result.span == 2 * 3
        assert result.work == 8 * 3


def test_ab_mcts_asks_the_better_of_two_engines_more_often() -> None:
    strong, weak = Simulated(1, top=9), Simulated(-3)
    judge = ScriptedEngine(Simulated(0))
    spec = "ab_mcts(n=40, batch=1, family='beta', engines=('weak', 'strong'))"
    solve(spec, judge, engines={"weak": ScriptedEngine(weak), "strong": ScriptedEngine(strong)})
    assert strong.drafts + strong.improvements > weak.drafts + weak.improvements
    assert all("from 0 (certainly wrong)" in r.prompt[-1].text for r in judge.requests)


def test_ab_mcts_is_the_same_tree_for_the_same_seed() -> None:
    def prompts(seed: int) -> list[int]:
        engine = ScriptedEngine(Simulated(1))
        solve("ab_mcts(n=20, family='beta')", engine, seed=seed)
        return [len(r.prompt) for r in engine.requests]

    assert prompts(1) == prompts(1)
    assert len({tuple(prompts(seed)) for seed in range(5)}) > 1


def test_values_out_of_range_are_refused() -> None:
    wrong: list[tuple[str, str]] = [
        ("ab_mcts(batch=6)", "at most 5"),
        ("ab_mcts(n=0)", "n is 0"),
        ("ab_mcts(family='cauchy')", "one of 'gaussian', 'beta'"),
        ("mcts(c=-1)", "c is -1"),
        ("best_first(children=0)", "children is 0"),
    ]
    for spec, why in wrong:
        with pytest.raises(SpecError, match=why):
            parse_strategy(spec)
