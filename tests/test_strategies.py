"""Worked examples of each strategy, by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import anyio
import pytest

from workspan.core.engine import EngineInfo, Price
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.data.types import Problem, Request
from workspan.errors import EngineRejected, EngineUnavailable, UnpricedModel, UnsupportedCapability
from workspan.runner import Result, run
from workspan.spec import parse_strategy
from workspan.testing.scripted import FaultyEngine, RecordedEngine, ScriptedEngine

PROBLEM = Problem.ask("What is 2 + 2?", kind="number")


def solve(strategy: str | Strategy, engine: ScriptedEngine, budget: str | None = None) -> Result:
    parsed = parse_strategy(strategy) if isinstance(strategy, str) else strategy
    limits = Budget.parse(budget) if budget else None
    result = anyio.run(lambda: run(parsed, PROBLEM, engine, budget=limits))
    assert result.work == engine.billed.output_tokens
    return result


def test_self_consistency_takes_the_majority() -> None:
    result = solve(
        "self_consistency(n=3)", ScriptedEngine(["Answer: 4", "Answer: 5", "Answer: 4.0"])
    )
    assert result.answer.text == "4"
    assert [vote.weight for vote in result.answer.votes] == [2, 1]
    assert result.answer.margin == pytest.approx(1 / 3)
    assert (result.work, result.span, result.parallelism) == (6, 2, 3.0)


def test_no_answer_never_wins_the_vote() -> None:
    engine = ScriptedEngine(["no idea"] * 6 + ["Answer: 12"] * 2)
    assert solve("self_consistency(n=8)", engine).answer.text == "12"


def test_all_without_an_answer_is_an_abstention() -> None:
    result = solve("self_consistency(n=3)", ScriptedEngine(["hm"]))
    assert result.answer.best is None
    assert result.answer.margin is None


def test_a_tie_goes_to_the_first_drawn_and_says_so() -> None:
    result = solve("self_consistency(n=2)", ScriptedEngine(["Answer: 5", "Answer: 4"]))
    assert result.answer.text == "5"
    assert result.answer.tied


def test_one_failing_sample_of_eight_still_answers_from_seven() -> None:
    engine = FaultyEngine(["Answer: 4"], faults={3: (0, EngineRejected("bad request"))})
    result = solve("self_consistency(n=8)", engine)
    assert result.answer.votes[0].weight == 7
    assert result.failures == 1


def test_all_failing_raises_and_names_the_calls() -> None:
    engine = FaultyEngine(
        ["Answer: 4"], faults={i: (0, EngineRejected(f"refused {i}")) for i in range(3)}
    )
    with pytest.raises(EngineRejected, match="refused") as caught:
        solve("self_consistency(n=3)", engine)
    assert sorted(caught.value.keys) == ["/0.0/0", "/0.1/0", "/0.2/0"]


def test_a_call_that_dies_in_mid_answer_is_asked_once_more_and_both_are_charged() -> None:
    engine = FaultyEngine(
        lambda r: "think hard Answer: 4", faults={0: (2, EngineUnavailable("gone"))}
    )
    result = solve("single", engine)
    assert result.answer.text == "4"
    assert [call.outcome for call in result.trace] == ["lost", "sample"]
    assert result.usage.calls == 2
    assert result.work == 3 + 4  # the third word was billed when the second had been read
    assert result.span == result.work


def test_a_call_that_dies_twice_fails() -> None:
    gone = (1, EngineUnavailable("gone"))
    engine = FaultyEngine(lambda r: "think hard Answer: 4", faults={0: gone, 1: gone})
    with pytest.raises(EngineUnavailable, match="gone"):
        solve("single", engine)
    assert len(engine.requests) == 2


def rate(request: Request) -> str:
    """Like fours more than fives."""
    if "from 0 (certainly wrong)" not in request.prompt[-1].text:
        return f"Answer: {4 + request.seed % 2}"
    return "9" if "4" in request.prompt[-2].text else "2"


def test_best_of_n_takes_what_the_verifier_likes_and_charges_it() -> None:
    result = solve("best_of_n(n=8)", ScriptedEngine(rate))
    assert result.answer.text == "4"
    assert result.answer.best is not None
    assert result.answer.best.score == 0.9
    assert result.usage.calls == 16
    assert (result.work, result.span) == (8 * 2 + 8, 3)


def test_weighted_best_of_n_adds_scores_of_equal_answers() -> None:
    texts = iter(["Answer: 4", "Answer: 5", "Answer: 5", "6", "4", "4"])
    result = solve("weighted_best_of_n(n=3)", ScriptedEngine(lambda r: next(texts)))
    assert result.answer.text == "5"
    assert [vote.weight for vote in result.answer.votes] == pytest.approx([0.8, 0.6])


def test_a_judge_that_gives_no_verdict_leaves_it_to_the_votes() -> None:
    texts = iter(["Answer: 5", "Answer: 4", "Answer: 4", "well", "hm", "who knows"])
    result = solve("best_of_n(n=3)", ScriptedEngine(lambda r: next(texts)))
    assert result.answer.text == "4"


def test_grid_spends_at_most_breadth_times_depth_and_cut_chains_abstain() -> None:
    texts = iter(["a b c d e f Answer: 4", "Answer: 5", "a b c d e f g h i"])
    result = solve("grid(breadth=3, depth=4)", ScriptedEngine(lambda r: next(texts)))
    assert result.answer.text == "5"
    assert result.work <= 12
    assert result.span == 4


def test_budget_forcing_says_wait_then_forces_the_answer() -> None:
    texts = iter(["two and two", "is four", "4"])
    engine = ScriptedEngine(lambda r: next(texts))
    result = solve("budget_forcing(waits=1)", engine)
    assert engine.requests[1].prefix == "two and two \nWait"
    assert engine.requests[2].prefix == "two and two \nWaitis four \nAnswer:"
    assert result.answer.text == "4"
    assert result.parallelism == 1.0


def test_budget_forcing_stops_a_long_thought_and_keeps_room_for_the_answer() -> None:
    engine = ScriptedEngine(lambda r: "4" if r.prefix else "hm " * 1000)
    result = solve("budget_forcing(thinking=500)", engine, "100 work")
    assert [r.max_tokens for r in engine.requests] == [76, 24]
    assert result.answer.text == "4"


def test_self_revision_takes_the_last_answer_given() -> None:
    texts = iter(["Answer: 5", "hm", "Answer: 4", "I give up"])
    engine = ScriptedEngine(lambda r: next(texts))
    result = solve("self_revision(turns=3)", engine)
    assert result.answer.text == "4"
    assert engine.requests[1].prompt[1].text == "Answer: 5 "
    assert result.usage.prefill > 4 * len(PROBLEM.prompt[0].text.split())


def test_an_engine_without_a_needed_capability_is_refused_before_any_spend() -> None:
    class Plain(ScriptedEngine):
        @property
        def info(self) -> EngineInfo:
            return replace(super().info, capabilities=frozenset())

    engine = Plain(["Answer: 4"])
    with pytest.raises(UnsupportedCapability, match="budget_forcing needs continue"):
        solve("budget_forcing", engine)
    assert not engine.requests


def test_a_money_limit_without_a_price_is_refused_before_any_spend() -> None:
    engine = ScriptedEngine(["Answer: 4"], price=None)
    with pytest.raises(UnpricedModel, match="no price is known"):
        solve("single", engine, "$1")
    assert not engine.requests
    assert solve("single", engine).usage.cost is None


def test_money_buys_only_what_it_can_pay() -> None:
    dear = Price(input=Decimal(1000), output=Decimal(10_000))  # 0.001 and 0.01 USD a token
    engine = ScriptedEngine(lambda r: "hm " * 500, price=dear)
    result = solve("self_consistency(n=3)", engine, "$0.95")
    assert result.stop == "cost"
    assert result.usage.cost == dear.of(engine.billed)
    assert Decimal("0.9") < result.usage.cost <= Decimal("0.95")


def test_recorded_chains_are_charged_as_they_were_decoded() -> None:
    engine = RecordedEngine(chains={"What is 2 + 2?": [("so Answer: 4", 70), ("Answer: 5", 30)]})
    result = solve("self_consistency(n=3)", engine)
    assert result.work == 70 + 30 + 70
    assert result.answer.text == "4"
    short = RecordedEngine(chains={"What is 2 + 2?": [("so Answer: 4", 70)]})
    assert solve("single(max_tokens=35)", short).work == 35


def test_the_same_seed_gives_the_same_run_and_another_does_not() -> None:
    from workspan.testing.strategy_suite import chatter

    def texts(seed: int) -> list[str]:
        engine = ScriptedEngine(chatter)
        strategy = parse_strategy("self_consistency(n=6)")
        result = anyio.run(lambda: run(strategy, PROBLEM, engine, seed=seed))
        return [candidate.text for candidate in result.answer.candidates]

    assert texts(1) == texts(1)
    assert texts(1) != texts(2)
    assert len(set(texts(1))) == 6
