"""Strategies made of strategies: their order, their shares, their written form."""

from __future__ import annotations

import anyio
import pytest

from workspan.data.budget import Budget
from workspan.data.types import Problem, Request
from workspan.errors import EngineRejected, SpecError
from workspan.runner import Result, run
from workspan.spec import parse_strategy, write
from workspan.testing.scripted import FaultyEngine, ScriptedEngine

PROBLEM = Problem.ask("What is 2 + 2?", kind="number")


def solve(strategy: str, engine: ScriptedEngine, budget: str = "") -> Result:
    limits = Budget.parse(budget) if budget else None
    return anyio.run(lambda: run(parse_strategy(strategy), PROBLEM, engine, budget=limits))


def test_then_gives_the_second_strategy_the_answer_of_the_first() -> None:
    def script(request: Request) -> str:
        return "Answer: 4" if "first attempt" in request.prompt[-1].text else "Answer: 5"

    engine = ScriptedEngine(script)
    result = solve("then(self_consistency(n=3), single)", engine)
    assert result.answer.text == "4"
    assert [message.text for message in engine.requests[-1].prompt[:2]] == [
        "What is 2 + 2?",
        "Answer: 5 ",
    ]
    assert (result.work, result.span) == (8, 4)


def test_then_keeps_the_first_answer_where_the_second_has_none() -> None:
    engine = ScriptedEngine(["Answer: 5", "I give up"])
    assert solve("then(single, single)", engine).answer.text == "5"


def test_then_leaves_the_second_strategy_its_share() -> None:
    engine = ScriptedEngine(lambda _: " ".join(["think"] * 500))
    result = solve("then(single, single, share=0.25)", engine, "100 work")
    assert next(call.usage.output_tokens for call in result.trace) == 25


def test_fallback_hands_on_what_was_tied_and_keeps_what_was_clear() -> None:
    tied = ScriptedEngine(["Answer: 5", "Answer: 4", "Answer: 7"])
    assert solve("fallback(self_consistency(n=2), single)", tied).answer.text == "7"
    clear = ScriptedEngine(["Answer: 5", "Answer: 5", "Answer: 7"])
    result = solve("fallback(self_consistency(n=2), single)", clear)
    assert (result.answer.text, result.usage.calls) == ("5", 2)


def test_fallback_hands_on_what_failed_and_charges_both() -> None:
    engine = FaultyEngine(["half Answer: 4"], faults={0: (1, EngineRejected("bad request"))})
    result = solve("fallback(single, single)", engine)
    assert result.answer.text == "4"
    assert result.usage == engine.billed
    assert result.failures == 1


def test_a_weak_majority_is_handed_on_where_a_margin_is_asked_for() -> None:
    votes = ["Answer: 5", "Answer: 5", "Answer: 4", "Answer: 7"]
    weak = solve("fallback(self_consistency(n=3), single, margin=0.5)", ScriptedEngine(votes))
    assert weak.answer.text == "7"


def test_best_takes_the_answer_that_the_verifier_likes_over_whole_strategies() -> None:
    def script(request: Request) -> str:
        if "from 0 (certainly wrong)" in request.prompt[-1].text:
            return "9" if "4" in request.prompt[-2].text else "2"
        return f"Answer: {3 + request.seed % 2}"

    engine = ScriptedEngine(script)
    result = solve("best(self_consistency(n=1), n=6)", engine)
    assert result.answer.text == "4"
    assert result.answer.best is not None
    assert result.answer.best.score == 0.9


def test_a_portfolio_shares_the_work_evenly_and_votes() -> None:
    engine = ScriptedEngine(lambda _: " ".join(["think"] * 500))
    result = solve("portfolio(single, grid(breadth=2, depth=500))", engine, "100 work")
    by_arm = {
        arm: sum(c.usage.output_tokens for c in result.trace if c.key.startswith(f"/1.{arm}/"))
        for arm in (0, 1)
    }
    assert by_arm[0] == 50
    assert by_arm[1] <= 50
    votes = ScriptedEngine(lambda r: "Answer: 4" if r.max_tokens == 1024 else "Answer: 5")
    three = solve("portfolio(single, single(max_tokens=9), self_consistency(n=2))", votes)
    assert three.answer.text == "4"
    assert [vote.weight for vote in three.answer.votes] == [2, 1]


def test_one_failing_arm_leaves_the_others() -> None:
    engine = FaultyEngine(["Answer: 4"], faults={0: (0, EngineRejected("bad request"))})
    assert solve("portfolio(single, self_consistency(n=3))", engine).answer.text == "4"


@pytest.mark.parametrize(
    "text",
    [
        "then(self_consistency(n=4), self_revision(turns=2))",
        "portfolio(single, then(single, grid(depth=9), share=0.3), best(single, n=2))",
        "fallback(self_consistency(n=2), best_of_n(verifier=judge(max_tokens=3)), margin=0.2)",
    ],
)
def test_the_written_form_reads_back_equal(text: str) -> None:
    strategy = parse_strategy(text)
    assert write(strategy) == text
    assert parse_strategy(write(strategy)) == strategy


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("then(single)", "then needs second"),
        ("portfolio()", "portfolio needs arms"),
        ("then(single, single, single)", "give then its parameters by name"),
        ("then(sngle, single)", "single"),
        ("then(single, 3)", "expected a strategy"),
        ("then(single, single, share=2.0)", "from 0 to 1"),
        ("single(3)", "give single its parameters by name"),
    ],
)
def test_wrong_combinations_say_what_would_be_right(text: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        parse_strategy(text)


def test_parts_of_parts_are_checked_before_any_spend() -> None:
    from workspan.errors import UnsupportedCapability
    from workspan.testing.scripted import RecordedEngine

    engine = RecordedEngine()
    with pytest.raises(UnsupportedCapability, match="continue"):
        solve("then(single, best(budget_forcing))", engine)
    assert engine.requests == []
