from __future__ import annotations

import math

import anyio
import pytest

from workspan.core.session import Strategy
from workspan.data.types import Problem, Request
from workspan.errors import VerifierError
from workspan.runner import Result, run
from workspan.spec import parse_strategy
from workspan.strategies.parallel.best_of_n import BestOfN
from workspan.testing.scripted import ScriptedEngine
from workspan.verifiers.process_reward import AGGREGATES, Aggregate, ProcessReward, step_scores

PROBLEM = Problem.ask("What is 2 + 2?", kind="number")


def solve(strategy: Strategy, engine: ScriptedEngine, prm: str = "") -> Result:
    engines = {"prm": ScriptedEngine([prm])}
    return anyio.run(lambda: run(strategy, PROBLEM, engine, engines=engines))


@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [("last", 0.5), ("min", 0.25), ("product", 0.1), ("mean", (0.8 + 0.25 + 0.5) / 3)],
)
def test_step_scores_are_aggregated_as_asked(aggregate: Aggregate, expected: float) -> None:
    strategy = BestOfN(1, ProcessReward(aggregate=aggregate))
    result = solve(strategy, ScriptedEngine(["Answer: 4"]), "[0.8,0.25,0.5]")
    assert result.answer.best is not None
    assert result.answer.best.score == pytest.approx(expected)
    assert result.answer.best.feedback.strip() == "[0.8,0.25,0.5]"


@pytest.mark.parametrize("reply", ["fine", "[]", "[1.5]", '{"a": 1}', "[null]", ""])
def test_what_is_no_list_of_scores_is_no_verdict(reply: str) -> None:
    with pytest.raises(VerifierError):
        step_scores(reply)
    result = solve(BestOfN(3, ProcessReward()), ScriptedEngine(["Answer: 4"]), reply)
    assert result.answer.text == "4", "without a verdict the votes decide"
    assert result.answer.best is not None
    assert result.answer.best.score is None


def test_an_unknown_aggregate_is_refused() -> None:
    with pytest.raises(ValueError, match="one of last, min, product, mean"):
        ProcessReward(aggregate="max")  # type: ignore[arg-type]
    assert list(AGGREGATES) == ["last", "min", "product", "mean"]


def test_likelihood_is_the_geometric_mean_of_the_tokens_probabilities() -> None:
    # a scripted word of k letters has the log-probability -0.1 * (1 + k mod 5)
    texts = iter(["Answer: 5", "aaaaa Answer: 4"])
    engine = ScriptedEngine(lambda r: next(texts))
    result = solve(parse_strategy("best_of_n(n=2, verifier=likelihood)"), engine)
    scores = [candidate.score for candidate in result.answer.candidates]
    assert scores == pytest.approx([math.exp(-(0.3 + 0.2) / 2), math.exp(-(0.1 + 0.3 + 0.2) / 3)])
    assert result.answer.text == "4"
    assert all(request.logprobs for request in engine.requests)
    assert result.usage.calls == 2, "it asks nothing of its own"


def test_the_step_judge_says_that_the_solution_may_not_be_complete() -> None:
    def script(request: Request) -> str:
        return "7" if "may not be complete" in request.prompt[-1].text else "Answer: 4"

    result = solve(parse_strategy("best_of_n(n=1, verifier=step_judge)"), ScriptedEngine(script))
    assert result.answer.best is not None
    assert result.answer.best.score == 0.7
